"""Findings about bursts, for threshold and sequence hunts."""

from __future__ import annotations

from k8sidx.backends.result import Value
from k8sidx.hunt.finding_text import lasting, named, summarize, times, worded
from k8sidx.hunt.kinds.correlation import Correlation
from k8sidx.hunt.kinds.windows import Burst
from k8sidx.hunt.result import Finding, Wording


def burst_facts(hunt: Correlation, burst: Burst) -> dict[str, str]:
    """Return the facts that the sentence about any burst can contain."""
    return {
        "times": times(burst.requests),
        "within": lasting(burst.last - burst.first, hunt.timespan),
        "sources": summarize(sorted(burst.sources), "address"),
        "resources": summarize(sorted(burst.resources), "resource"),
    }


def burst_finding(
    hunt: Correlation, key: dict[str, Value], burst: Burst, facts: dict[str, str], default: str
) -> Finding:
    """Return the finding about a burst.

    :param default: the sentence, without the key, of a hunt that has no ``reason``.
    """
    wording = Wording(hunt.reason, facts) if hunt.reason else None
    plain = f"{default} by {named(key)}" if key else default
    reason = worded(wording, key) if wording else plain
    return Finding(
        hunt.id,
        hunt.level,
        key,
        burst.requests,
        burst.first,
        burst.last,
        reason,
        tuple(burst.audit_ids),
        wording=wording,
    )
