"""Visibility of events to hunts: bodies that were not logged or were cut, blind platforms.

Such events are neither findings nor clean. They match a hunt as far as its condition can be
evaluated without bodies (:func:`subject`), but not its whole condition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from k8sidx.backends.protocol import Engine
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import FROM_BODIES
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import events
from k8sidx.hunt.kinds.evidence import as_count, as_texts
from k8sidx.hunt.kinds.time_window import Window, count_events
from k8sidx.hunt.result import Unjudged, Why
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    Leaf,
    Metric,
    Not,
    OneOf,
    Or,
    Query,
    Terms,
    leaves,
)
from k8sidx.query.bounds import projected

LEVELS = ("Metadata", "Request", "RequestResponse")
"""Audit levels, those that record less first."""

EXAMPLES = 5
"""auditIDs that are kept of events that cannot be judged."""

RESOURCE = frozenset({"objectRef.resource", "objectRef.subresource", "target.resource"})
LEVEL, TRUNCATED, PROVIDER = "level", "event.truncated", "event.provider"
_REASONS: dict[str, Why] = {LEVEL: "level", TRUNCATED: "truncated", PROVIDER: "platform"}
"""The reason that each field shows."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts of events by level, provider and truncation, queried once for many hunts.

    :param unknown: fields of these that the index does not have.
    """

    levels: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    truncated: int = 0
    unknown: frozenset[str] = frozenset()


def hidden_fields(hunt: Hunt) -> frozenset[str]:
    """Return the stored fields that show which events are hidden from a hunt."""
    needed: set[str] = {LEVEL, TRUNCATED} if needs_bodies(hunt) else set()
    return frozenset(needed | ({PROVIDER} if hunt.platforms_blind else set()))


def needs_bodies(hunt: Hunt) -> bool:
    """Whether a hunt reads request or response objects."""
    return hunt.level_needed != LEVELS[0] and not all(
        _without_bodies(leaf) for leaf in leaves(hunt.condition)
    )


def subject(hunt: Hunt) -> Condition:
    """Return the condition of the events that a hunt is about, as far as it needs no bodies."""
    return projected(hunt.condition, _without_bodies) if needs_bodies(hunt) else hunt.condition


def overview_of(hunts: Iterable[Hunt], engine: Engine, window: Window) -> Overview:
    """Return the overview by the fields that show which events are hidden from the hunts."""
    needed = sorted(frozenset().union(*(hidden_fields(hunt) for hunt in hunts)))
    if not needed:
        return Overview()
    fields = needed
    try:
        rows = engine.run(_by(fields, window)).rows
    except UnsupportedQuery:
        fields = [name for name in needed if _has_field(name, engine, window)]
        rows = engine.run(_by(fields, window)).rows if fields else []
    unknown = frozenset(needed) - frozenset(fields)
    overview, truncated = Overview(), 0
    for *values, count in rows:
        by_field = dict(zip(fields, values, strict=True))
        overview.levels[str(by_field.get(LEVEL))] += as_count(count)
        overview.providers[str(by_field.get(PROVIDER))] += as_count(count)
        truncated += as_count(count) if by_field.get(TRUNCATED) else 0
    return Overview(overview.levels, overview.providers, truncated, unknown)


def _has_field(name: str, engine: Engine, window: Window) -> bool:
    """Whether the store has a field: foreign indices lack those that k8sidx derives."""
    try:
        engine.run(replace(_by([name], window), limit=1))
    except UnsupportedQuery:
        return False
    return True


def _by(fields: Iterable[str], window: Window) -> Query:
    return Query(
        since=window.since,
        until=window.until,
        group_by=tuple(Terms(name, keep_missing=True) for name in fields),
        metrics=(Metric("events", "count"),),
    )


def hidden_events(
    hunt: Hunt, engine: Engine, window: Window, overview: Overview
) -> tuple[Unjudged, ...]:
    """Return the reasons why a hunt cannot judge some of the events."""
    if unknown := hidden_fields(hunt) & overview.unknown:
        return tuple(
            Unjudged(_REASONS[name], f"the index has no {name}: what it hides cannot be told.")
            for name in sorted(unknown)
        )
    return (*_platforms(hunt, overview), *_bodies(hunt, engine, window, overview))


def _platforms(hunt: Hunt, overview: Overview) -> Iterator[Unjudged]:
    for platform, why in hunt.platforms_blind:
        count = overview.providers[platform.lower()]
        if count:
            yield Unjudged("platform", f"{events(count)} of {platform}: {why.rstrip()}", count)


def _bodies(hunt: Hunt, engine: Engine, window: Window, overview: Overview) -> Iterator[Unjudged]:
    if not needs_bodies(hunt):
        return
    low = LEVELS[: LEVELS.index(hunt.level_needed)]
    about = subject(hunt)
    little = any(overview.levels[level] for level in low)
    if not names_resource(about) or not (little or overview.truncated):
        return
    lost = And((about, Or((OneOf(LEVEL, low), Compare(TRUNCATED, "=", True)))))
    if not count_events(lost, engine, window):
        return
    # Queried second: events that the hunt did not find are much slower to count.
    where = And((lost, Not(hunt.condition)))
    result = engine.run(
        Query(
            where=where,
            since=window.since,
            until=window.until,
            group_by=(Terms(LEVEL, keep_missing=True), Terms(TRUNCATED, keep_missing=True)),
            metrics=(Metric("events", "count"),),
        )
    )
    kept = sum(as_count(count) for level, _, count in result.rows if level in low)
    cut = sum(as_count(count) for level, _, count in result.rows if level not in low)
    if kept:
        yield Unjudged(
            "level",
            f"{events(kept)} of what it is about logged at a lower level than "
            f"{hunt.level_needed}, without what it looks for.",
            kept,
            _examples(And((where, OneOf(LEVEL, low))), engine, window),
        )
    if cut:
        yield Unjudged(
            "truncated",
            f"{events(cut)} of what it is about with bodies that were cut.",
            cut,
            _examples(And((where, Not(OneOf(LEVEL, low)))), engine, window),
        )


def names_resource(condition: Condition) -> bool:
    """Whether a condition holds for events of some resources only.

    Without that, the events that a hunt is about cannot be distinguished from all others.
    """
    match condition:
        case And(parts):
            return any(names_resource(part) for part in parts)
        case Or(parts):
            return bool(parts) and all(names_resource(part) for part in parts)
        case Compare(name, "=") | OneOf(name):
            return resolve(name).field.name in RESOURCE
    return False


def _examples(where: Condition, engine: Engine, window: Window) -> tuple[str, ...]:
    result = engine.run(
        Query(
            where=where,
            since=window.since,
            until=window.until,
            select=("auditID",),
            limit=EXAMPLES,
        )
    )
    return as_texts([row[0] for row in result.rows])


def _without_bodies(leaf: Leaf) -> bool:
    return resolve(leaf.field).field.name not in FROM_BODIES
