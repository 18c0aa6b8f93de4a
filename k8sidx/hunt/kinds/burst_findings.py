"""What threshold and sequence hunts tell of a burst."""

from __future__ import annotations

from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Correlation
from k8sidx.hunt.finding_text import fill, lasting, named, some, times
from k8sidx.hunt.kinds.windows import Burst
from k8sidx.hunt.result import Finding


def burst_facts(hunt: Correlation, burst: Burst) -> dict[str, str]:
    """What a sentence can tell of any burst."""
    return {
        "times": times(burst.requests),
        "within": lasting(burst.last - burst.first, hunt.timespan),
        "sources": some(sorted(burst.sources), "address"),
        "resources": some(sorted(burst.resources), "resource"),
    }


def burst_finding(
    hunt: Correlation, key: dict[str, Value], burst: Burst, facts: dict[str, str], plain: str
) -> Finding:
    """A finding of a burst.

    :param plain: the sentence, without the key, of a hunt that has no ``reason``.
    """
    if hunt.reason:
        reason = fill(hunt.reason, key, facts)
    else:
        reason = f"{plain} by {named(key)}" if key else plain
    return Finding(
        hunt.id,
        hunt.level,
        key,
        burst.requests,
        burst.first,
        burst.last,
        reason,
        tuple(burst.audit_ids),
    )
