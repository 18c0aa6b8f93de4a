"""Callers of findings: who sent the requests, as whom, from where.

The evidence of a finding has what its key leaves out: the users and groups that were asked for by
impersonation, the address that the API server saw and the one that the client claims. Requests
that a trusted proxy sent are the story of the person behind it
(:mod:`k8sidx.hunt.impersonators`); all others are the caller's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_events import AUDIT_ID, events_of
from k8sidx.hunt.finding_text import actor_text, worded
from k8sidx.hunt.impersonators import (
    ACTING,
    CALLER,
    EFFECTIVE,
    IMPERSONATED_GROUPS,
    trusted_proxy,
)
from k8sidx.hunt.kinds.finding_key import texts_of
from k8sidx.hunt.kinds.time_window import Window, count_events
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.query.algebra import Compare, Condition, Or, Present

SEEN, CLAIMED = "source.ip", "source.claimed_ip"
_FORWARDED = Compare("source.forwarded", "=", True)
MOST_VALUES = 20
"""Values of one field that a finding keeps."""

_FIELDS = (AUDIT_ID, CALLER, ACTING, IMPERSONATED_GROUPS, SEEN, CLAIMED)
CONTEXT = frozenset({*_FIELDS, "source.forwarded"})
"""Stored fields that tell callers."""


@dataclass(slots=True)
class _Request:
    """Values of the events of an auditID, by field."""

    values: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, name: str, value: Value) -> None:
        for item in value if isinstance(value, list) else [value]:
            if item is not None and item != "":
                self.values[name][str(item)] = None


def with_callers(
    results: Sequence[HuntResult], hunts: Mapping[str, Hunt], engine: Engine, window: Window
) -> list[HuntResult]:
    """Return the results whose findings have their callers in key, sentence and actor.

    :raises StoreError: when the store cannot be read.
    """
    findings = [finding for result in results for finding in result.findings]
    requests = _requests(findings, engine, window) if findings else {}
    return [
        replace(
            result,
            findings=[
                _with_caller(finding, hunts[result.hunt], requests) for finding in result.findings
            ],
        )
        if result.findings
        else result
        for result in results
    ]


def _requests(
    findings: Iterable[Finding], engine: Engine, window: Window
) -> dict[str, dict[str, _Request]]:
    """Return what is known of the findings' requests, by auditID, which clients can choose, and
    caller."""
    fields, worth_reading = _readable(engine, window)
    if not worth_reading:
        return {}
    requests: dict[str, dict[str, _Request]] = {}
    for event in events_of(findings, fields, engine, window):
        values = dict(zip(fields, event, strict=True))
        by_caller = requests.setdefault(str(values[AUDIT_ID]), {})
        request = by_caller.setdefault(str(values[CALLER] or ""), _Request())
        for name in fields[1:]:
            request.add(name, values[name])
    return requests


def _readable(engine: Engine, window: Window) -> tuple[tuple[str, ...], bool]:
    """Return the fields that can be read, and whether the window has an event that was sent for
    somebody, or through a proxy."""
    with_addresses: Condition = Or((Present(ACTING), _FORWARDED))
    try:
        return _FIELDS, bool(count_events(with_addresses, engine, window))
    except UnsupportedQuery:
        pass
    try:
        return _FIELDS[:4], bool(count_events(Present(ACTING), engine, window))
    except UnsupportedQuery:
        return (), False


def _with_caller(
    finding: Finding, hunt: Hunt, requests: Mapping[str, Mapping[str, _Request]]
) -> Finding:
    key = dict(finding.key)
    alone = EFFECTIVE in key and CALLER not in key and ACTING not in key
    if alone:
        key[CALLER] = key[EFFECTIVE]
    caller = key.get(CALLER)
    own = [
        request
        for audit_id in finding.audit_ids
        for name, request in requests.get(audit_id, {}).items()
        if caller is None or name == caller
    ]
    attributed = _attributed(finding, key, hunt, own)
    if alone and ACTING not in attributed.key:
        del attributed.key[CALLER]
    return attributed


def _attributed(
    finding: Finding, key: dict[str, Value], hunt: Hunt, requests: Sequence[_Request]
) -> Finding:
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for request in requests:
        for name, texts in request.values.items():
            values[name].update(texts)
    by_user = CALLER in key or EFFECTIVE in key
    if by_user and CALLER not in key and values[CALLER]:
        key[CALLER] = _one_or_all(values[CALLER])
    if by_user and ACTING not in key and values[ACTING]:
        key[ACTING] = _one_or_all(values[ACTING])
        if EFFECTIVE in key and len(values[ACTING]) == 1:
            key[EFFECTIVE] = key[ACTING]
    if by_user and ACTING in key and values[IMPERSONATED_GROUPS]:
        key[IMPERSONATED_GROUPS] = _all(values[IMPERSONATED_GROUPS])
    claimed = [address for address in values[CLAIMED] if address not in values[SEEN]]
    if claimed and CLAIMED not in key:
        key.setdefault(SEEN, _one_or_all(values[SEEN]))
        key[CLAIMED] = _all(claimed)
    acting = texts_of(key, ACTING)
    proxy = ""
    if acting:
        seen = values[SEEN] or dict.fromkeys(texts_of(key, SEEN))
        proxy = trusted_proxy(
            hunt.trusted_impersonators,
            str(key.get(CALLER) or ""),
            acting,
            texts_of(key, IMPERSONATED_GROUPS),
            seen,
        )
    actor = acting[0] if proxy and len(acting) == 1 else str(key.get(CALLER) or "")
    reason = finding.reason
    if finding.wording and acting:
        reason = worded(finding.wording, key, actor_text(key, proxy))
    return replace(finding, key=key, actor=actor if by_user else "", reason=reason)


def _one_or_all(texts: Iterable[str]) -> Value:
    values = _all(texts)
    return values[0] if len(values) == 1 else values


def _all(texts: Iterable[str]) -> list[Value]:
    values: list[Value] = [*texts]
    return values[:MOST_VALUES]
