"""Which indices of a cluster: a prefix of our own, or a pattern that others filled."""

from __future__ import annotations

import re
from dataclasses import dataclass

from k8sidx.errors import UsageError

DEFAULT_INDEX = "k8s-audit"
_FORBIDDEN = re.compile(r'[\\/?"<>| #:\x00-\x1f\x7f]|[^\x00-\x7f]')
_REMEDY = "Give --index a prefix like k8s-audit, or a pattern like filebeat-*."


@dataclass(frozen=True, slots=True)
class Target:
    """The indices that a command is about.

    :param name: as the user gave it: prefix, index, alias, data stream or pattern.
    """

    name: str = DEFAULT_INDEX

    @property
    def is_pattern(self) -> bool:
        """It names indices that are there; nothing is shipped to a pattern."""
        return "*" in self.name or "," in self.name

    @property
    def dated(self) -> str:
        """A pattern for the dated indices of a prefix; a pattern stays what it is."""
        return self.name if self.is_pattern else f"{self.name}-*"

    @property
    def prefix(self) -> str:
        """What to begin an index's name with.

        :raises UsageError: when it is a pattern.
        """
        if self.is_pattern:
            raise UsageError(
                f"--index {self.name} is a pattern; events go to a prefix.",
                remedy="Give --index a prefix like k8s-audit.",
            )
        return self.name


def findings_index(name: str) -> str:
    """The index of the findings about a prefix or pattern; no pattern of its events matches it."""
    plain = re.sub(r"[*,]+", "-", name).strip("-.")
    return f"findings-{plain or DEFAULT_INDEX}"


def parse_target(name: str) -> Target:
    """Check an index name as both products would.

    :raises UsageError: when no index can be named so.
    """
    parts = name.split(",")
    if not all(parts) or name != name.lower() or _FORBIDDEN.search(name):
        raise UsageError(f"no index can be named {name!r}.", remedy=_REMEDY)
    if any(part in (".", "..") or part.startswith(("_", "+")) for part in parts):
        raise UsageError(f"no index can be named {name!r}.", remedy=_REMEDY)
    if not ("*" in name or "," in name) and (name.startswith("-") or len(name) > 200):
        raise UsageError(f"no index can be named {name!r}.", remedy=_REMEDY)
    return Target(name)
