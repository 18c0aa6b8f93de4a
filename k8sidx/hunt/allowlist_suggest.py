"""Suggested entries of an allow list, from the findings in the data.

Only recurring events are suggested: the same caller, namespace and image in several hours.
The reason why they are harmless is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.errors import UsageError
from k8sidx.hunt.allowlist import without_known_good
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.required_fields import own_fields
from k8sidx.hunt.result import Finding
from k8sidx.query.algebra import And, DateHistogram, Having, Metric, Not, OneOf, Order, Query, Terms

WHO, WHERE, IMAGE = "user.effective.name", "objectRef.namespace", "pod.images"
FIELDS = frozenset({WHO, WHERE, IMAGE})
"""Fields of a suggested entry."""

LEAST_HOURS = 2
LEAST_REQUESTS = 3
"""Minimum of a recurring event: events of the hunt, and different hours."""

MAX_SUGGESTIONS = 20
"""Entries that are suggested for one hunt, those with most events first."""

VALID = timedelta(days=90)
_ANONYMOUS = ("system:anonymous", "system:unauthenticated")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An entry that would suppress recurring findings of a hunt.

    :param where: fields and their values.
    :param events: number of events of the hunt, in that many ``hours``.
    """

    hunt: str
    where: tuple[tuple[str, str], ...]
    events: int
    hours: int
    first: datetime
    last: datetime


def suggestions(hunts: Sequence[Hunt], engine: Engine, window: Window) -> list[Suggestion]:
    """Return the suggested entries for hunts that find requests."""
    suggested: list[Suggestion] = []
    for hunt in hunts:
        if hunt.finds_requests and not hunt.lists_missing:
            suggested += _for_hunt(hunt, engine, window)
    return suggested


def _for_hunt(hunt: Hunt, engine: Engine, window: Window) -> Iterator[Suggestion]:
    remaining = without_known_good(hunt)
    fields = [WHO, WHERE]
    if any(name.startswith("pod.") for name in own_fields(hunt)):
        fields.append(IMAGE)
    query = Query(
        where=And((remaining.condition, Not(OneOf(WHO, _ANONYMOUS)))),
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
    recurring = [
        Suggestion(
            hunt.id,
            tuple(
                (name, str(value))
                for name, value in zip(fields, key, strict=True)
                if value is not None
            ),
            sum(as_count(count) for count, _, _ in by_hour),
            len(by_hour),
            _datetime(by_hour[0][1]),
            _datetime(by_hour[-1][2]),
        )
        for key, by_hour in hours.items()
        if len(by_hour) >= LEAST_HOURS
    ]
    frequent = [entry for entry in recurring if entry.events >= LEAST_REQUESTS]
    yield from sorted(frequent, key=lambda entry: (-entry.events, entry.where))[:MAX_SUGGESTIONS]


def _datetime(value: Value) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError("events of an hour have times")
    return value


def allowlist_text(suggested: Sequence[Suggestion], today: date) -> str:
    """Return the entries as the text of an allow list."""
    lines = [
        "# Proposed by k8sidx from what hunts found again and again. Delete what you would not",
        "# vouch for, and say in each entry's reason why it is good.",
    ]
    for entry in suggested:
        events = f"{entry.events:,} events in {entry.hours:,} hours"
        comment = f"{events}, from {entry.first:%F %R}Z to {entry.last:%F %R}Z"
        reason = f"proposed: {events}; say why it is good"
        lines += ["", *_entry(entry.hunt, entry.where, comment, reason, today)]
    return "\n".join(lines) + "\n"


def entry_of(finding: Finding, reason: str, today: date) -> str:
    """Return the entry of an allow list that suppresses what a finding is about.

    :param reason: why it is harmless; without one, the entry requests it.
    :raises UsageError: when the finding names no caller that was authenticated: whatever else
        its key has, a client chooses.
    """
    callers = [finding.key.get(name) for name in (WHO, "user.username")]
    if not any(caller and caller not in _ANONYMOUS for caller in callers):
        raise UsageError(
            "the finding names no authenticated caller: an entry would suppress anybody.",
            remedy="Change the hunt, or silence the finding: k8sidx findings silence ID",
        )
    where = tuple((name, str(value)) for name, value in finding.key.items() if value is not None)
    missing = [name for name, value in finding.key.items() if value is None]
    comment = f"{finding.count:,} requests, last seen {finding.last_seen or 'at an unknown time'}"
    if missing:
        comment += f"; also suppresses requests with any {', '.join(missing)}"
    text = reason or f"proposed from a finding of {finding.hunt}; say why it is good"
    return "\n".join(_entry(finding.hunt, where, comment, text, today)) + "\n"


def _entry(
    hunt: str, where: Sequence[tuple[str, str]], comment: str, reason: str, today: date
) -> list[str]:
    values = ", ".join(f"{_text(name)} = {_text(_literal(value))}" for name, value in where)
    return [
        f"# {comment}",
        "[[known_good]]",
        f"hunt = {_text(hunt)}",
        f"where = {{ {values} }}",
        f"reason = {_text(reason)}",
        f"expires = {(today + VALID).isoformat()}",
    ]


def _literal(value: str) -> str:
    return re.sub(r"[*?\\]", r"\\\g<0>", value)


def _text(value: str) -> str:
    """Return a basic string of TOML: any text of a client stays one value on one line."""
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_character(character) for character in plain) + '"'


def _character(character: str) -> str:
    return character if character.isprintable() else f"\\U{ord(character):08X}"
