"""Nearest names: suggestions for an actor or an object that no event is about."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from k8sidx.backends.protocol import Engine
from k8sidx.errors import UsageError
from k8sidx.investigate.scope import Period
from k8sidx.investigate.selectors import ACTOR_FIELDS, ObjectReference
from k8sidx.query.algebra import Always, Compare, Condition, Metric, Order, Query, Terms

NAMES = 20_000
"""Names that are compared at most, the most frequent ones."""
SUGGESTED = 3


def unknown_actor(engine: Engine, period: Period, name: str) -> UsageError:
    """Return the error for an actor that no event is of."""
    names = [
        str(row[0])
        for field in ACTOR_FIELDS
        for row in _groups(engine, Always(), period, (field,))
        if row[0]
    ]
    return UsageError(
        f"no event is of the actor {name!r}.",
        remedy=_suggestion(name, names) or "k8sidx query 'stats count(*) by user.username'",
    )


def unknown_object(engine: Engine, period: Period, reference: ObjectReference) -> UsageError:
    """Return the error for an object that no event is about."""
    kind = Compare("objectRef.resource", "=", reference.resource)
    rows = _groups(engine, kind, period, ("objectRef.namespace", "target.name"))
    if not rows:
        kinds = [str(row[0]) for row in _groups(engine, Always(), period, ("objectRef.resource",))]
        return UsageError(
            f"no event is about objects of the kind {reference.resource!r}.",
            remedy=_suggestion(reference.resource, kinds) or "Check the kind.",
        )
    paths = [f"{row[0]}/{row[1]}" if row[0] else str(row[1]) for row in rows if row[1]]
    path = str(reference).partition(" ")[2]
    same_name = [text for text in paths if text.rpartition("/")[2] == reference.name]
    near = _suggestion(path, paths)
    if same_name:
        near = f"Did you mean {' or '.join(same_name[:SUGGESTED])}?"
    return UsageError(f"no event is about {reference}.", remedy=near or "Check the name.")


def _groups(
    engine: Engine, where: Condition, period: Period, fields: Sequence[str]
) -> list[tuple[object, ...]]:
    query = Query(
        where=where,
        since=period.since,
        until=period.until,
        group_by=tuple(Terms(field, keep_missing=len(fields) > 1) for field in fields),
        metrics=(Metric("n", "count"),),
        order=(Order("n", descending=True),),
        limit=NAMES,
    )
    return [tuple(row) for row in engine.run(query).rows]


def _suggestion(name: str, names: Iterable[str]) -> str:
    by_folded = {text.casefold(): text for text in names}
    folded = name.casefold()
    near = difflib.get_close_matches(folded, by_folded, n=SUGGESTED, cutoff=0.6)
    containing = [text for text in by_folded if folded and folded in text]
    chosen = list(dict.fromkeys([*near, *containing]))[:SUGGESTED]
    return f"Did you mean {' or '.join(by_folded[text] for text in chosen)}?" if chosen else ""
