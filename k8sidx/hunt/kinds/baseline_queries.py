"""What hunts ask about the time before, in the form that daily summaries answer."""

from __future__ import annotations

from k8sidx.hunt.definition import Hunt, NewHunt, SilentHunt, SpikeHunt, TopHunt
from k8sidx.hunt.kinds.time_window import EXTENT
from k8sidx.query.algebra import Always, Condition, DateHistogram, Key, Metric, Query, Terms

COUNT = Metric("count", "count")


def questions(hunt: Hunt) -> tuple[Query, ...]:
    """The questions of a hunt that compares; none for the other kinds."""
    match hunt:
        case NewHunt():
            return (EXTENT, known_before(hunt))
        case TopHunt(rarest=False):
            return (EXTENT, counted(hunt))
        case SpikeHunt():
            return (EXTENT, in_intervals(hunt, Always()), in_intervals(hunt, hunt.condition))
        case SilentHunt():
            return (EXTENT, in_intervals(hunt, Always()), spoke(hunt))
    return ()


def known_before(hunt: NewHunt) -> Query:
    """The combinations of values that there are."""
    return Query(
        where=hunt.condition,
        group_by=tuple(Terms(name) for name in hunt.by),
        metrics=(COUNT,),
    )


def counted(hunt: TopHunt) -> Query:
    """How often there is what the table shows."""
    return Query(
        where=hunt.condition,
        group_by=tuple(
            Terms(column.field, column.name, keep_missing=hunt.keep_missing) for column in hunt.by
        ),
        metrics=(Metric("counted", "count"),),
    )


def in_intervals(hunt: SpikeHunt | SilentHunt, where: Condition) -> Query:
    """Events in each interval."""
    return Query(where=where, group_by=(_interval(hunt),), metrics=(COUNT,))


def spoke(hunt: SilentHunt) -> Query:
    """Events of each source in each interval."""
    return Query(where=hunt.condition, group_by=(_interval(hunt), *sources(hunt)), metrics=(COUNT,))


def sources(hunt: SilentHunt) -> tuple[Key, ...]:
    """What names a source: a field that is missing says something, too."""
    return tuple(Terms(name, keep_missing=True) for name in hunt.by)


def _interval(hunt: SpikeHunt | SilentHunt) -> DateHistogram:
    return DateHistogram(hunt.interval, "interval")
