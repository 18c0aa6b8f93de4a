"""Index selection: a prefix of our own, or a pattern of foreign indices."""

from __future__ import annotations

import re
from dataclasses import dataclass

from k8sidx.errors import UsageError

DEFAULT_INDEX = "k8s-audit"
_FORBIDDEN = re.compile(r'[\\/?"<>| #:\x00-\x1f\x7f]|[^\x00-\x7f]')
_REMEDY = "Give --index a prefix like k8s-audit, or a pattern like filebeat-*."


@dataclass(frozen=True, slots=True)
class Target:
    """The indices of a command.

    :param name: as given by the user: prefix, index, alias, data stream or pattern.
    """

    name: str = DEFAULT_INDEX

    @property
    def is_pattern(self) -> bool:
        """Whether it selects existing indices; nothing is shipped to a pattern."""
        return "*" in self.name or "," in self.name

    @property
    def dated(self) -> str:
        """The pattern of the dated indices of a prefix; a pattern stays as it is."""
        return self.name if self.is_pattern else f"{self.name}-*"

    @property
    def prefix(self) -> str:
        """The prefix of index names.

        :raises UsageError: when it is a pattern.
        """
        if self.is_pattern:
            raise UsageError(
                f"--index {self.name} is a pattern; events go to a prefix.",
                remedy="Give --index a prefix like k8s-audit.",
            )
        return self.name


def findings_index(name: str) -> str:
    """Return the index of the findings of a prefix or pattern, which its pattern excludes."""
    plain = re.sub(r"[*,]+", "-", name).strip("-.")
    return f"findings-{plain or DEFAULT_INDEX}"


def states_index(name: str) -> str:
    """Return the index of the state changes of the findings of a prefix or pattern."""
    return f"finding-states-{findings_index(name).removeprefix('findings-')}"


def parse_target(name: str) -> Target:
    """Validate an index name by the rules of both products.

    :raises UsageError: when it is not valid.
    """
    parts = name.split(",")
    if not all(parts) or name != name.lower() or _FORBIDDEN.search(name):
        raise UsageError(f"{name!r} is not a valid index name.", remedy=_REMEDY)
    if any(part in (".", "..") or part.startswith(("_", "+")) for part in parts):
        raise UsageError(f"{name!r} is not a valid index name.", remedy=_REMEDY)
    if not ("*" in name or "," in name) and (name.startswith("-") or len(name) > 200):
        raise UsageError(f"{name!r} is not a valid index name.", remedy=_REMEDY)
    return Target(name)
