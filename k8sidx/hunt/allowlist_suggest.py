"""Entries of known good, proposed from what hunts find in the data.

Only what comes back is proposed: the same caller, namespace and image in several hours. What
is good about it somebody has to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.allowlist import without_known_good
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.required_fields import own_fields
from k8sidx.query.algebra import And, DateHistogram, Having, Metric, Not, OneOf, Order, Query, Terms

WHO, WHERE, IMAGE = "user.effective.name", "objectRef.namespace", "pod.images"
FIELDS = frozenset({WHO, WHERE, IMAGE})
"""Fields that an entry is proposed of."""

LEAST_HOURS = 2
LEAST_REQUESTS = 3
"""What comes back: so many events of the hunt, in so many different hours."""

MOST = 20
"""Entries that are proposed for one hunt, those with most events first."""

VALID = timedelta(days=90)
_ANONYMOUS = ("system:anonymous", "system:unauthenticated")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An entry that would suppress what a hunt found again and again.

    :param where: fields and their values.
    :param events: so many events of the hunt, in so many ``hours``.
    """

    hunt: str
    where: tuple[tuple[str, str], ...]
    events: int
    hours: int
    first: datetime
    last: datetime


def suggestions(hunts: Sequence[Hunt], engine: Engine, window: Window) -> list[Suggestion]:
    """What could be known good, of hunts that find requests."""
    found: list[Suggestion] = []
    for hunt in hunts:
        if hunt.finds_requests and not hunt.lists_missing:
            found += _of_hunt(hunt, engine, window)
    return found


def _of_hunt(hunt: Hunt, engine: Engine, window: Window) -> Iterator[Suggestion]:
    left = without_known_good(hunt)
    fields = [WHO, WHERE]
    if any(name.startswith("pod.") for name in own_fields(hunt)):
        fields.append(IMAGE)
    query = Query(
        where=And((left.condition, Not(OneOf(WHO, _ANONYMOUS)))),
        since=window.since,
        until=window.until,
        group_by=(
            Terms(fields[0]),
            *(Terms(name, keep_missing=True) for name in fields[1:]),
            DateHistogram(timedelta(hours=1), "hour"),
        ),
        metrics=(
            Metric("count", "count"),
            Metric("first", "min", "@timestamp"),
            Metric("last", "max", "@timestamp"),
        ),
        having=(Having("count", ">=", 1),),
        order=(Order("hour"),),
    )
    hours: dict[tuple[Value, ...], list[tuple[Value, ...]]] = {}
    for row in engine.run(query).rows:
        hours.setdefault(row[: len(fields)], []).append(row[len(fields) + 1 :])
    made = [
        Suggestion(
            hunt.id,
            tuple(
                (name, str(value))
                for name, value in zip(fields, key, strict=True)
                if value is not None
            ),
            sum(as_count(count) for count, _, _ in of_hours),
            len(of_hours),
            _moment(of_hours[0][1]),
            _moment(of_hours[-1][2]),
        )
        for key, of_hours in hours.items()
        if len(of_hours) >= LEAST_HOURS
    ]
    often = [one for one in made if one.events >= LEAST_REQUESTS]
    yield from sorted(often, key=lambda one: (-one.events, one.where))[:MOST]


def _moment(value: Value) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError("events of an hour have times")
    return value


def suggested_file(found: Sequence[Suggestion], today: date) -> str:
    """The entries as a file of known good."""
    lines = [
        "# Proposed by k8sidx from what hunts found again and again. Delete what you would not",
        "# vouch for, and say in each entry's reason why it is good.",
    ]
    for one in found:
        where = ", ".join(f"{_text(name)} = {_text(_literal(value))}" for name, value in one.where)
        events = f"{one.events:,} events in {one.hours:,} hours"
        lines += [
            "",
            f"# {events}, from {one.first:%F %R}Z to {one.last:%F %R}Z",
            "[[known_good]]",
            f"hunt = {_text(one.hunt)}",
            f"where = {{ {where} }}",
            f"reason = {_text(f'proposed: {events}; say why it is good')}",
            f"expires = {(today + VALID).isoformat()}",
        ]
    return "\n".join(lines) + "\n"


def _literal(value: str) -> str:
    return re.sub(r"[*?\\]", r"\\\g<0>", value)


def _text(value: str) -> str:
    """A basic string of TOML: whatever a client wrote stays one value on one line."""
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_character(one) for one in plain) + '"'


def _character(one: str) -> str:
    return one if one.isprintable() else f"\\U{ord(one):08X}"
