"""Requests and events behind findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from k8sidx.backends.protocol import Engine
from k8sidx.events.decode.event_model import from_object
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.events.records import Context
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.investigate.lookup import whole_events
from k8sidx.investigate.requests import OPENING, Request, read_requests
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import Metric, OneOf, Query, Terms

MOST = 400
"""Findings whose requests are looked up: more than a screen shows."""
MOST_OUTCOMES = 20_000
"""auditIDs whose outcomes are looked up; those of the first findings come first."""
OUTCOME_KEYS = ("auditID", "stage", "event.outcome")
AT_ONCE = 500
"""auditIDs of one query."""
EVENTS_AT_ONCE = 10_000
"""Events of one query: an auditID that clients repeat fills it, and its neighbours are asked for
by themselves."""
STAGES = 3
"""Events of a request that are looked up: those of its stages."""


def requests_behind(engine: Engine, findings: Iterable[Finding]) -> Mapping[str, Request]:
    """Return the requests of findings about a single request, by auditID.

    An auditID that several requests have is left out: clients can choose it.

    :raises StoreError: when the store cannot be read.
    """
    ids = dict.fromkeys(
        finding.audit_ids[0]
        for finding in findings
        if finding.count == 1 and len(finding.audit_ids) == 1
    )
    return single(requests_by_id(engine, tuple(ids)[:MOST]))


def first_ids(findings: Sequence[Finding], most: int) -> list[str]:
    """Return auditIDs of findings: the first one of each, then the second ones, and so on."""
    ids: dict[str, None] = {}
    for position in range(max((len(finding.audit_ids) for finding in findings), default=0)):
        for finding in findings:
            if position < len(finding.audit_ids):
                ids[finding.audit_ids[position]] = None
    return list(ids)[:most]


def requests_by_id(engine: Engine, ids: Sequence[str]) -> dict[str, list[Request]]:
    """Return the requests with these auditIDs, those of each in order of time.

    :raises StoreError: when the store cannot be read.
    """
    by_id: dict[str, list[Request]] = {}
    for part in _parts(ids):
        for request in _requests(engine, part):
            by_id.setdefault(request.audit_id, []).append(request)
    return by_id


def with_outcomes(engine: Engine, results: Sequence[HuntResult]) -> list[HuntResult]:
    """Return the results with the outcomes of their findings' requests.

    :raises StoreError: when the store cannot be read.
    """
    findings = [finding for result in results for finding in result.findings]
    outcomes: dict[str, set[str]] = {}
    for part in _parts(first_ids(findings, MOST_OUTCOMES)):
        query = Query(
            where=OneOf("auditID", part),
            group_by=tuple(Terms(name, keep_missing=True) for name in OUTCOME_KEYS),
            metrics=(Metric("events", "count"),),
        )
        for identifier, stage, outcome, _ in engine.run(query).rows:
            if stage not in OPENING:
                outcomes.setdefault(str(identifier), set()).add(str(outcome or "unknown"))
    return [
        replace(result, findings=[replace(f, outcome=_outcome(f, outcomes))
                                  for f in result.findings])
        for result in results
    ]  # fmt: skip


def _outcome(finding: Finding, outcomes: Mapping[str, set[str]]) -> str:
    seen: set[str] = set()
    for identifier in finding.audit_ids:
        seen |= outcomes.get(identifier, set())
    return "mixed" if len(seen) > 1 else next(iter(seen), "unknown")


def single(requests: Mapping[str, Sequence[Request]]) -> dict[str, Request]:
    """Return the requests whose auditID no other request has."""
    return {key: several[0] for key, several in requests.items() if len(several) == 1}


def events_by_id(engine: Engine, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the events of requests as the API server wrote them, without secrets.

    What the store keeps of secrets (``--keep-secrets``) is replaced.

    :param ids: auditIDs that a single request has each (:func:`single`).
    :raises StoreError: when the store cannot be read.
    """
    normalizer = Normalizer()
    by_id: dict[str, list[dict[str, Any]]] = {}
    for part in _parts(ids):
        for event in whole_events(engine, OneOf("auditID", part), limit=STAGES * len(part)):
            without = _redacted(event, normalizer)
            by_id.setdefault(str(without.get("auditID")), []).append(without)
    return by_id


def _parts(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(ids), AT_ONCE):
        yield tuple(ids[start : start + AT_ONCE])


def _requests(engine: Engine, ids: tuple[str, ...]) -> Sequence[Request]:
    """Return the requests of ids: of each of them, however many events one of them has."""
    result = read_requests(engine, OneOf("auditID", ids), Period(), limit=EVENTS_AT_ONCE)
    if result.read == result.events or len(ids) == 1:
        return result.rows
    middle = len(ids) // 2
    return (*_requests(engine, ids[:middle]), *_requests(engine, ids[middle:]))


def _redacted(event: dict[str, Any], normalizer: Normalizer) -> dict[str, Any]:
    decoded, rest, length = from_object(event)
    normalized = normalizer.normalize(decoded, rest, Context("kube-apiserver", "", ""), length)
    return whole_event(normalized.row)
