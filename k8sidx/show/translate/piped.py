"""Hunts as ES|QL and PPL, the piped languages of Elasticsearch and OpenSearch.

Both evaluate Lucene's query strings, so the condition is that of
:mod:`~k8sidx.show.translate.lucene`: their own comparisons never hold for a field with several
values. Sources: https://www.elastic.co/docs/reference/query-languages/esql (``QSTR`` from 8.17 on)
and https://github.com/opensearch-project/sql/tree/main/docs/user/ppl.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta

from k8sidx.backends.cluster.schema.profile import own_paths
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.hunt.definition import Hunt
from k8sidx.query.simplify import flat
from k8sidx.show.translate.dsl import MOST_EVENTS
from k8sidx.show.translate.lucene import lucene_text
from k8sidx.show.translate.translatable import (
    Bursts,
    Events,
    Question,
    Top,
    Translation,
    differences,
    question_of,
    refuse_unprintable,
    shown_fields,
    whole_condition,
)

_COUNT = "events"
_INTERVAL = "interval"


def to_esql(hunt: Hunt) -> Translation:
    """Translate the hunt to an ES|QL query.

    :raises NotTranslatable: when Lucene has no equivalent of its condition.
    """
    return _translation(hunt, _Esql())


def to_ppl(hunt: Hunt) -> Translation:
    """Translate the hunt to a PPL query.

    :raises NotTranslatable: when Lucene has no equivalent of its condition.
    """
    return _translation(hunt, _Ppl())


class _Language(ABC):
    """The commands of a piped language."""

    limit: str
    where: str
    fields: str

    @abstractmethod
    def search(self, query: str) -> list[str]:
        """Return the source, and the command with a query string."""

    @abstractmethod
    def count(self, keys: Sequence[str], interval: timedelta | None = None) -> str:
        """Return the command that counts by keys, and by an interval of time."""

    @abstractmethod
    def sort(self, name: str, *, descending: bool) -> str:
        """Return the command that sorts by a column."""


class _Esql(_Language):
    limit, where, fields = "LIMIT", "WHERE", "KEEP"

    def search(self, query: str) -> list[str]:
        return ["FROM k8s-audit-*", f'WHERE QSTR("{_escaped(query)}")']

    def count(self, keys: Sequence[str], interval: timedelta | None = None) -> str:
        by = [*keys]
        if interval is not None:
            by.append(f"{_INTERVAL} = BUCKET({TIMESTAMP}, {_seconds(interval)} seconds)")
        return f"STATS {_COUNT} = COUNT(*) BY {', '.join(by)}"

    def sort(self, name: str, *, descending: bool) -> str:
        return f"SORT {name} {'DESC' if descending else 'ASC'}"


class _Ppl(_Language):
    limit, where, fields = "head", "where", "fields"

    def search(self, query: str) -> list[str]:
        # PPL has no escapes of line breaks: a backslash before another character stays one.
        return ["source = k8s-audit-*", f'where query_string(["*"], "{_quoted(query)}")']

    def count(self, keys: Sequence[str], interval: timedelta | None = None) -> str:
        by = [*keys]
        if interval is not None:
            by.append(f"span(`{TIMESTAMP}`, {_seconds(interval)}s) as {_INTERVAL}")
        return f"stats count() as {_COUNT} by {', '.join(by)}"

    def sort(self, name: str, *, descending: bool) -> str:
        return f"sort {'-' if descending else '+'} {name}"


def _translation(hunt: Hunt, language: _Language) -> Translation:
    question = question_of(hunt)
    refuse_unprintable(question.condition)
    condition = lucene_text(flat(whole_condition(question)))
    commands = [*language.search(condition), *_answer(question, language)]
    return Translation("\n| ".join(commands) + "\n", differences(question))


def _answer(question: Question, language: _Language) -> list[str]:
    """Return the commands after the search."""
    match question:
        case Events():
            shown = filter(None, map(_shown, shown_fields(question)))
            return [
                language.sort(f"`{TIMESTAMP}`", descending=True),
                f"{language.fields} {', '.join(dict.fromkeys(shown))}",
                f"{language.limit} {MOST_EVENTS}",
            ]
        case Top():
            return [
                language.count([_key(column.field) for column in question.by]),
                language.sort(_COUNT, descending=not question.rarest),
                f"{language.limit} {question.limit}",
            ]
        case Bursts():
            return _bursts(question, language)


def _bursts(question: Bursts, language: _Language) -> list[str]:
    """Return the commands that count in intervals: events, or once more the different values."""
    keys = [_key(name) for name in question.by]
    values = [_key(name) for name in question.values]
    commands = [language.count([*keys, *values], question.interval)]
    if values:
        commands.append(language.count([*keys, _INTERVAL]))
    return [
        *commands,
        f"{language.where} {_COUNT} >= {int(question.at_least)}",
        language.sort(_COUNT, descending=True),
    ]


def _key(name: str) -> str:
    return f"`{own_paths(resolve(name)).group}`"


def _shown(name: str) -> str:
    """Return the column of a field; nothing for one that documents have in their source alone."""
    paths = own_paths(resolve(name))
    path = paths.histogram or paths.network or paths.group
    return f"`{path}`" if path else ""


def _seconds(interval: timedelta) -> int:
    return int(interval.total_seconds())


def _quoted(text: str) -> str:
    """Return text to stand in double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(text: str) -> str:
    """Return text to stand in double quotes, on one line."""
    return _quoted(text).replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
