"""The translatable part of a hunt, and the result of a translation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.names import AUDIT_ID, MESSAGE, TIMESTAMP
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.match import MatchHunt
from k8sidx.hunt.kinds.threshold import ThresholdHunt
from k8sidx.hunt.kinds.top import Column, TopHunt
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
    leaves,
)

_SHOWN = (TIMESTAMP, AUDIT_ID, MESSAGE)
_TOOLS = "k8sidx hunt runs it; hunts show --as sigma prints it as it is."


class NotTranslatable(UnsupportedQuery):
    """A hunt, or a part of it, that has no equivalent in a language.

    Its message is the bare reason; :func:`k8sidx.show.translate.translate.translate` puts the hunt
    and the language before it.
    """


@dataclass(frozen=True, slots=True)
class Translation:
    """A hunt in another language.

    :param text: to be pasted there; ends with a line break.
    :param notes: sentences on the differences. Languages with comments have them in the text as
        well.
    """

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Events:
    """The events that match.

    :param fields: those to show.
    :param echoes: copies that controllers make of a workload match as well.
    """

    condition: Condition
    fields: tuple[str, ...]
    echoes: bool = False


@dataclass(frozen=True, slots=True)
class Top:
    """The most frequent values of some fields, or the rarest."""

    condition: Condition
    by: tuple[Column, ...]
    count: str
    limit: int
    rarest: bool
    keep_missing: bool


@dataclass(frozen=True, slots=True)
class Bursts:
    """Keys with many events, or many different values, in an interval.

    :param values: fields whose combinations are counted; empty to count events.
    """

    condition: Condition
    by: tuple[str, ...]
    values: tuple[str, ...]
    at_least: int
    interval: timedelta


Question: TypeAlias = Events | Top | Bursts

BUCKETS = (
    "Intervals stand side by side here, and each stage of a request counts; k8sidx slides its "
    "window over the requests, so it finds bursts that lie across two intervals as well."
)

ECHOES = (
    "What controllers make of somebody's workload is found here as well; k8sidx leaves it out "
    "beside the workload itself."
)


def question_of(hunt: Hunt) -> Question:
    """Return the translatable question of a hunt.

    :raises NotTranslatable: when only k8sidx can answer it.
    """
    if hunt.lists_missing:
        raise NotTranslatable(
            f"it needs the list {', '.join(hunt.lists_missing)}, which is not configured.",
            remedy="docs/lists.md describes how to add one.",
        )
    match hunt:
        case MatchHunt():
            return Events(hunt.condition, hunt.finding_by, bool(hunt.echoes_of))
        case TopHunt():
            return Top(
                hunt.condition, hunt.by, hunt.count, hunt.limit, hunt.rarest, hunt.keep_missing
            )
        case ThresholdHunt():
            return _bursts(hunt)
    raise NotTranslatable(f"{hunt.untranslatable}.", remedy=_TOOLS)


def _bursts(hunt: ThresholdHunt) -> Bursts:
    first = hunt.bases[0]
    if any((rule.group_by, rule.values) != (first.group_by, first.values) for rule in hunt.bases):
        raise NotTranslatable("its rules give their keys by different fields.", remedy=_TOOLS)
    return Bursts(hunt.condition, first.group_by, first.values, hunt.at_least, hunt.timespan)


def differences(question: Question) -> tuple[str, ...]:
    """Return notes where k8sidx finds more, or less, than the translated question."""
    match question:
        case Bursts():
            return (BUCKETS,)
        case Events(echoes=True):
            return (ECHOES,)
    return ()


def shown_fields(question: Events) -> tuple[str, ...]:
    """Return the fields to show of the events, where they are k8sidx's own documents or rows."""
    return tuple(dict.fromkeys((*_SHOWN, *question.fields)))


def needed_fields(question: Question) -> tuple[str, ...]:
    """Return the fields without which an event does not count."""
    match question:
        case Bursts(by=by, values=values):
            return by if len(values) > 1 else (*by, *values)
        case Top(by=columns, keep_missing=False):
            return tuple(column.field for column in columns)
    return ()


def whole_condition(question: Question) -> Condition:
    """Return the condition of the events that count: those that have the fields that are grouped
    by."""
    parts: list[Condition] = [Present(name) for name in needed_fields(question)]
    if isinstance(question, Bursts) and len(question.values) > 1:
        # One value of a combination is enough, as for the hunt: a list has no name.
        parts.append(Or(tuple(Present(name) for name in question.values)))
    return And((question.condition, *parts)) if parts else question.condition


def refuse_unprintable(condition: Condition) -> None:
    """Refuse text that is not printable, which would escape to the terminal or look like other
    text.

    :raises NotTranslatable: naming the field.
    """
    for leaf in leaves(condition):
        texts: Iterable[object] = ()
        match leaf:
            case Compare(value=value):
                texts = (value,)
            case OneOf(values=values):
                texts = values
            case Wildcard(pattern=pattern) | Regex(pattern=pattern):
                texts = (pattern,)
        for text in texts:
            if not all(character.isprintable() or character in "\n\t" for character in str(text)):
                raise NotTranslatable(
                    f"{leaf.field} is compared with characters that cannot be printed.",
                    remedy="hunts show --as dsl writes them as JSON escapes.",
                )


def one_line(text: str) -> str:
    """Return text for a comment: nothing in it ends the line, or controls the terminal."""
    return " ".join(
        "".join(character if character.isprintable() else " " for character in text).split()
    )
