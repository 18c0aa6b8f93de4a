"""ATT&CK in a hunt's Sigma tags."""

from __future__ import annotations

import re

from k8sidx.hunt.definition import Hunt

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_TACTIC = re.compile(r"attack\.([a-z]+(?:[-_][a-z]+)*)")


def techniques_of(hunt: Hunt) -> tuple[str, ...]:
    """Ids of techniques, such as ``T1552.007``."""
    found = [_TECHNIQUE.fullmatch(tag) for tag in hunt.tags]
    return tuple(dict.fromkeys(match[1].upper() for match in found if match))


def tactics_of(hunt: Hunt) -> tuple[str, ...]:
    """Names of tactics, such as ``credential-access``."""
    found = [_TACTIC.fullmatch(tag) for tag in hunt.tags]
    return tuple(dict.fromkeys(match[1].replace("_", "-") for match in found if match))
