"""ATT&CK techniques and tactics in the Sigma tags of a hunt.

Tags of earlier versions of ATT&CK have the meaning that the current version gives them:
a revoked technique is the one that replaced it, and Defense Evasion is the tactic, of the two
that it became, of the rule's techniques.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from k8sidx.hunt.attack.mitre import DEFENSE_EVASION, REVOKED, SPLIT, TECHNIQUES
from k8sidx.hunt.definition import Hunt

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_TACTIC = re.compile(r"attack\.([a-z]+(?:[-_][a-z]+)*)")


def techniques_of(hunt: Hunt) -> tuple[str, ...]:
    """Return the ids of techniques, for example ``T1552.007``."""
    matches = [_TECHNIQUE.fullmatch(tag) for tag in hunt.tags]
    ids = [match[1].upper() for match in matches if match]
    return tuple(dict.fromkeys(REVOKED.get(name, name) for name in ids))


def tactics_of(hunt: Hunt) -> tuple[str, ...]:
    """Return the names of tactics, for example ``credential-access``."""
    matches = [_TACTIC.fullmatch(tag) for tag in hunt.tags]
    names = [match[1].replace("_", "-") for match in matches if match]
    return tuple(dict.fromkeys(_current(names, techniques_of(hunt))))


def current_names(tag: str) -> tuple[str, ...]:
    """Return what a tag, as in Sigma or in ATT&CK, means in the current version, in lower case.

    ``T1562.001`` is ``t1685``; ``defense_evasion`` is each of the tactics that it became.
    """
    name = tag.strip().lower().replace("_", "-").removeprefix("attack.")
    if name == DEFENSE_EVASION:
        return SPLIT
    return (REVOKED.get(name.upper(), name).lower(),)


def _current(tactics: Sequence[str], techniques: Sequence[str]) -> Iterator[str]:
    """Yield the tactics under the names of the current version."""
    for tactic in tactics:
        if tactic != DEFENSE_EVASION:
            yield tactic
            continue
        known = {name for each in techniques if each in TECHNIQUES
                 for name in TECHNIQUES[each].tactics}  # fmt: skip
        yield from [name for name in SPLIT if name in known] or SPLIT[:1]
