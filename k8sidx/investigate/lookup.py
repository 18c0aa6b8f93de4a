"""Lookup of events by an id, with their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from k8sidx.backends.protocol import Engine
from k8sidx.insights.execute.event_reader import EventReader
from k8sidx.insights.plan.logical import RawMessage
from k8sidx.investigate.requests import Request, read_requests, read_rows
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import And, Compare, Condition, Not, OneOf, Or

LIMIT = 1_000
"""Events of one id that are read at most; clients can choose auditIDs."""
NEAR = timedelta(minutes=10)
"""Time around a request in which its neighbours are looked for."""


def by_ids(ids: Sequence[str]) -> Condition:
    """Return the condition of the events with one of these auditIDs or event ids."""
    return Or((OneOf("auditID", tuple(ids)), OneOf("event.id", tuple(ids))))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Requests of the same caller around a request, in order of time."""

    before: tuple[Request, ...]
    after: tuple[Request, ...]


def whole_events(engine: Engine, where: Condition, *, limit: int = LIMIT) -> list[dict[str, Any]]:
    """Return the events that a condition selects, as the API server wrote them, in order of time.

    :raises StoreError: when the store cannot be read.
    """
    reader = EventReader([RawMessage()])
    rows = read_rows(engine, where, Period(), reader.columns, limit=limit)
    raws = [tuple(row[name] for name in reader.columns) for row in reversed(rows)]
    return [msgspec.json.decode(str(message)) for (message,) in reader.rows(raws)]


def neighbours_of(engine: Engine, request: Request, *, count: int) -> Neighbours:
    """Return the requests of the same caller just before and after a request.

    :param count: requests on each side at most.
    """
    if not request.time or not count:
        return Neighbours((), ())
    caller = And(
        (
            Compare("user.username", "=", request.user),
            Not(OneOf("auditID", (request.audit_id,))),
        )
    )
    period = Period(request.time - NEAR, request.time + NEAR)
    rows = read_requests(engine, caller, period).rows
    before = [r for r in rows if r.time and r.time <= request.time]
    after = [r for r in rows if r.time and r.time > request.time]
    return Neighbours(tuple(before[-count:]), tuple(after[:count]))
