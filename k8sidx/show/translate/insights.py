"""Hunts as CloudWatch Logs Insights queries, over the audit log of a cluster (EKS: the log group
``/aws/eks/<cluster>/cluster``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from k8sidx.events.fields.names import AUDIT_ID, TIMESTAMP
from k8sidx.hunt.definition import Hunt
from k8sidx.query.algebra import Condition, leaves
from k8sidx.show.translate.cloudwatch_fields import (
    COLUMNS,
    POSITIONS,
    in_cloudwatch,
    is_partial,
    need_one_value,
    shown_names,
)
from k8sidx.show.translate.insights_condition import filters, name_text
from k8sidx.show.translate.translatable import (
    Bursts,
    Events,
    NotTranslatable,
    Question,
    Top,
    Translation,
    differences,
    one_line,
    question_of,
    refuse_unprintable,
    whole_condition,
)

SHOWN = (TIMESTAMP, "verb", "requestURI", AUDIT_ID)
"""Fields that are shown of every event."""
COUNTED = "counted"
MOST_CHARACTERS = 10_000
"""Characters of a query at most (CloudWatch Logs API, StartQuery, queryString)."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def to_insights(hunt: Hunt) -> Translation:
    """Translate the hunt to one query.

    :raises NotTranslatable: naming what CloudWatch lacks.
    """
    question = question_of(hunt)
    refuse_unprintable(question.condition)
    notes = _notes(question, whole_condition(question))
    comments = [one_line(f"# {hunt.id}: {hunt.title}"), *(f"# {note}" for note in notes)]
    for short in (False, True):
        text = "\n".join([*comments, *_body(question, short=short)]) + "\n"
        if len(text) <= MOST_CHARACTERS:
            return Translation(text, notes)
    raise NotTranslatable(
        f"it needs {len(text):,} characters, and CloudWatch accepts {MOST_CHARACTERS:,} at most."
    )


def _body(question: Question, *, short: bool) -> list[str]:
    tests = filters(in_cloudwatch(whole_condition(question)), short=short)
    return _commands(question, tests)


def _commands(question: Question, tests: Sequence[str]) -> list[str]:
    match question:
        case Events():
            shown, computed = _shown((*SHOWN, *question.fields))
            after = [f"display {', '.join(shown)}"] if computed else []
            after.append("sort @timestamp desc")
            plain = [] if computed else shown
        case Top():
            keys, computed = _keys(column.field for column in question.by)
            count, way = name_text(_column(question.count)), "asc" if question.rarest else "desc"
            after = [
                f"stats count(*) as {count} by {', '.join(keys)}",
                f"sort {count} {way}",
                f"limit {question.limit}",
            ]
            plain = keys if not computed else []
        case Bursts():
            keys, computed = _keys(question.by)
            counted = _counted(question, computed)
            after = [
                f"stats {counted} as n by {', '.join(keys)}, bin({_period(question.interval)})",
                f"filter n >= {int(question.at_least)}",
                "sort n desc",
            ]
            plain = []
    # Filters can name computed columns as well.
    for column, expression in COLUMNS.items():
        if any(column in test for test in tests):
            computed.setdefault(column, expression)
    fields = [*plain, *(f"{expression} as {name}" for name, expression in computed.items())]
    first = [f"fields {', '.join(fields)}"] if fields else []
    commands = [*first, *(f"filter {test}" for test in tests), *after]
    return [commands[0], *(f"| {command}" for command in commands[1:])]


def _shown(fields: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the names to show, and the computed ones among them."""
    names = list(dict.fromkeys(name for field in fields for name in shown_names(field)))
    computed = {name: COLUMNS[name] for name in names if name in COLUMNS}
    return [name_text(name) for name in names], computed


def _keys(fields: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the names to group by, and the computed ones among them.

    :raises NotTranslatable: for a field that CloudWatch lacks, or has as a list.
    """
    wanted = tuple(fields)
    for field in wanted:
        need_one_value(field)
    return _shown(wanted)


def _counted(question: Bursts, computed: dict[str, str]) -> str:
    """Return the aggregate that counts; combinations of values become one text, since the names of
    a URL's path contain no slash."""
    if not question.values:
        return "count(*)"
    names, more = _keys(question.values)
    computed.update(more)
    if len(names) == 1:
        return f"count_distinct({names[0]})"
    parted = ', "/", '.join(f'coalesce({name}, "")' for name in names)
    computed[COUNTED] = f"concat({parted})"
    return f"count_distinct({COUNTED})"


def _period(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    if length % timedelta(seconds=1):
        raise NotTranslatable("its interval is not a whole number of seconds.")
    size, unit = next(unit for unit in _UNITS if not seconds % unit[0])
    return f"{seconds // size}{unit}"


def _column(name: str) -> str:
    return one_line(name).replace("`", "'")


def _notes(question: Question, condition: Condition) -> tuple[str, ...]:
    notes = list(differences(question))
    partial = [leaf.field for leaf in leaves(condition) if is_partial(leaf)]
    fields = ", ".join(dict.fromkeys(partial))
    if fields:
        notes.append(
            f"CloudWatch has elements of lists by position: {fields} is searched among the "
            f"first {POSITIONS}."
        )
    if isinstance(question, Events):
        lost = [name for name in question.fields if not shown_names(name)]
        if lost:
            notes.append(f"Not shown, as CloudWatch has no such field: {', '.join(lost)}.")
    return tuple(notes)
