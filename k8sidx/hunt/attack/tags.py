"""ATT&CK techniques and tactics in the Sigma tags of a hunt."""

from __future__ import annotations

import re

from k8sidx.hunt.definition import Hunt

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_TACTIC = re.compile(r"attack\.([a-z]+(?:[-_][a-z]+)*)")


def techniques_of(hunt: Hunt) -> tuple[str, ...]:
    """Return the ids of techniques, for example ``T1552.007``."""
    matches = [_TECHNIQUE.fullmatch(tag) for tag in hunt.tags]
    return tuple(dict.fromkeys(match[1].upper() for match in matches if match))


def tactics_of(hunt: Hunt) -> tuple[str, ...]:
    """Return the names of tactics, for example ``credential-access``."""
    matches = [_TACTIC.fullmatch(tag) for tag in hunt.tags]
    return tuple(dict.fromkeys(match[1].replace("_", "-") for match in matches if match))
