"""Comparison of two periods: what is new, gone, more or less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from k8sidx.backends.protocol import Engine
from k8sidx.investigate.access import DENIED
from k8sidx.investigate.scope import Period, Scope
from k8sidx.query.algebra import Always, Condition, Metric, Query, Terms

Change = Literal["new", "gone", "more", "less"]
FACTOR = 3.0
"""Ratio of the hourly rates from which on a value is more or less."""
MIN_EVENTS = 10
"""Events of the larger period below which ``more`` and ``less`` are chance."""
_HOUR = timedelta(hours=1)

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "who": ("user.username", "impersonatedUser.username"),
    "what": ("user.username", "verb", "target.resource", "objectRef.namespace"),
    "from where": ("user.username", "source.ip"),
    "with": ("user.username", "user_agent.name"),
    "refused": ("user.username", "verb", "target.resource", "responseStatus.code"),
}
"""Fields of each kind of change."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A change between two periods.

    :param dimension: a key of :data:`DIMENSIONS`.
    :param values: those of its fields.
    :param events: in the period, ``before`` in the one it is compared with.
    """

    change: Change
    dimension: str
    values: tuple[str, ...]
    events: int
    before: int


def differences(
    engine: Engine, now: tuple[Period, Scope], before: tuple[Period, Scope]
) -> list[Difference]:
    """Return the changes, new ones first, then by number of events.

    Of the finer dimensions only changes of known callers are returned: all that a new caller
    does is new.

    :raises StoreError: when the store cannot be read.
    """
    hours, hours_before = _hours(*now), _hours(*before)
    changes: list[Difference] = []
    callers: set[str] = set()
    for dimension, fields in DIMENSIONS.items():
        counts = _counts(engine, fields, now[0], dimension)
        counts_before = _counts(engine, fields, before[0], dimension)
        for values in sorted(counts.keys() | counts_before.keys()):
            if dimension != "who" and values[0] in callers:
                continue
            events, earlier = counts.get(values, 0), counts_before.get(values, 0)
            change = _change(events, earlier, hours, hours_before)
            if change:
                changes.append(Difference(change, dimension, values, events, earlier))
        if dimension == "who":
            alone = {item.values[0] for item in changes if item.change in ("new", "gone")}
            others = {v[0] for v in counts.keys() & counts_before.keys()}
            callers = alone - others
    order = ("new", "gone", "more", "less")
    places = list(DIMENSIONS)
    changes.sort(
        key=lambda item: (
            order.index(item.change), places.index(item.dimension),
            -max(item.events, item.before), item.values,
        )
    )  # fmt: skip
    return changes


def _counts(
    engine: Engine, fields: tuple[str, ...], period: Period, dimension: str
) -> Mapping[tuple[str, ...], int]:
    where: Condition = DENIED if dimension == "refused" else Always()
    query = Query(
        where=where,
        since=period.since,
        until=period.until,
        group_by=tuple(Terms(field, keep_missing=True) for field in fields),
        metrics=(Metric("n", "count"),),
    )
    return {
        tuple("" if value is None else str(value) for value in row[:-1]): row[-1]
        for row in engine.run(query).rows
        if isinstance(row[-1], int)
    }


def _hours(period: Period, scope: Scope) -> float:
    """Return the length of a period; of an open one that of its events."""
    since, until = period.since or scope.first, period.until or scope.last
    if since is None or until is None:
        return 1.0
    return max((until - since) / _HOUR, 1 / 3600)


def _change(events: int, before: int, hours: float, hours_before: float) -> Change | None:
    if not before:
        return "new"
    if not events:
        return "gone"
    if max(events, before) < MIN_EVENTS:
        return None
    ratio = (events / hours) / (before / hours_before)
    if ratio >= FACTOR:
        return "more"
    return "less" if ratio <= 1 / FACTOR else None
