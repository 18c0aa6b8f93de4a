"""Hunts as SQL for the DuckDB shell, over the files of an embedded store.

The statement is the one that k8sidx runs itself, with its parameters written as literals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from k8sidx.backends.embedded.engine.sql import Statement, compile_query
from k8sidx.backends.embedded.storage.columns import PARTS, with_columns
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.events.fields.table import Kind
from k8sidx.hunt.definition import Hunt
from k8sidx.query.algebra import (
    DateHistogram,
    InNetwork,
    Key,
    Metric,
    Order,
    Query,
    Terms,
    leaves,
)
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
    shown_fields,
    whole_condition,
)

SOURCE = PARTS.replace("?", "'k8sidx-store/events/*/*.parquet'")
"""The files of the store in the folder that the shell was started in, before
:func:`with_columns`: a column in which no event has a value is in none of them."""

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\?""")


def to_sql(hunt: Hunt) -> Translation:
    """Translate the hunt to one statement.

    :raises NotTranslatable: when DuckDB has no equivalent.
    """
    question = question_of(hunt)
    refuse_unprintable(question.condition)
    for leaf in leaves(question.condition):
        if isinstance(leaf, InNetwork):
            raise NotTranslatable(
                f"{leaf.field} is compared with networks, and DuckDB has no addresses."
            )
    notes = differences(question)
    comments = [one_line(f"{hunt.id}: {hunt.title}"), *notes]
    lines = [*(f"-- {line}" for line in comments), f"{_statement(question)};"]
    return Translation("\n".join(lines) + "\n", notes)


def _statement(question: Question) -> str:
    match question:
        case Events():
            return _events(question)
        case Top():
            return _top(question)
        case Bursts():
            return _bursts(question)


def _events(question: Events) -> str:
    names = shown_fields(question)
    inner = _compiled(
        Query(where=question.condition, select=names, order=(Order(TIMESTAMP, True),))
    )
    columns = [
        _named(f"c{position}", name, time=resolve(name).field.kind is Kind.TIME)
        for position, name in enumerate(names)
    ]
    return (
        f"SELECT {', '.join(columns)}\nFROM (\n  {inner}\n) AS found({_columns('c', len(names))})"
        "\nORDER BY c0 DESC NULLS LAST"
    )


def _top(question: Top) -> str:
    keys = tuple(
        Terms(key.field, f"by {position}", keep_missing=question.keep_missing)
        for position, key in enumerate(question.by)
    )
    inner = _compiled(
        Query(
            where=question.condition,
            group_by=keys,
            metrics=(Metric("counted", "count"),),
            order=(Order("counted", descending=not question.rarest),),
            limit=question.limit,
        )
    )
    columns = [
        _named(f"k{position}", key.name, time=resolve(key.field).field.kind is Kind.TIME)
        for position, key in enumerate(question.by)
    ]
    order = ", ".join(f"k{position} NULLS LAST" for position in range(len(keys)))
    way = "" if question.rarest else " DESC"
    return (
        f"SELECT {', '.join(columns)}, m0 AS {_quoted(question.count)}\nFROM (\n  {inner}\n)"
        f"\nORDER BY m0{way}, {order}"
    )


def _bursts(question: Bursts) -> str:
    """Return the statement that counts groups of each key, interval and combination of values once
    more."""
    keys: tuple[Key, ...] = (
        *(Terms(name, f"by {position}") for position, name in enumerate(question.by)),
        DateHistogram(question.interval, "interval"),
        *(
            Terms(name, f"value {position}", keep_missing=len(question.values) > 1)
            for position, name in enumerate(question.values)
        ),
    )
    where = whole_condition(question)
    inner = _compiled(Query(where=where, group_by=keys, metrics=(Metric("counted", "count"),)))
    width = len(question.by) + 1
    columns = [_named(f"k{position}", name) for position, name in enumerate(question.by)]
    columns.append(_named(f"k{width - 1}", "interval", time=True))
    groups = _columns("k", width)
    counted = "count(*)" if question.values else "CAST(sum(m0) AS BIGINT)"
    return (
        f"SELECT {', '.join(columns)}, {counted} AS n\nFROM (\n  {inner}\n)\nGROUP BY {groups}"
        f"\nHAVING n >= {int(question.at_least)}\nORDER BY n DESC, {groups}"
    )


def _columns(letter: str, count: int) -> str:
    return ", ".join(f"{letter}{position}" for position in range(count))


def _named(expression: str, name: str, *, time: bool = False) -> str:
    value = f"make_timestamp({expression})" if time else expression
    return f"{value} AS {_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + one_line(name).replace('"', '""') + '"'


def _compiled(query: Query) -> str:
    """Return the SQL of a query over the files, with the types of the columns that it names."""
    statement = compile_query(query)
    # Before there are literals: those may contain what looks like a column.
    typed = with_columns(statement.sql.replace("{source}", SOURCE, 1))
    return written(replace(statement, sql=typed), SOURCE)


def written(statement: Statement, source: str) -> str:
    """Return the statement's SQL over a source, with its parameters as literals, in their order.

    A question mark within quotes is not a parameter.
    """
    values = iter(statement.parameters)

    def filled(match: re.Match[str]) -> str:
        return literal(next(values)) if match[0] == "?" else match[0]

    sql = _TOKEN.sub(filled, statement.sql.replace("{source}", source, 1))
    left: Sequence[Any] = list(values)
    if left:
        raise AssertionError(f"parameters without a place: {len(left)}")
    return sql


def literal(value: Any) -> str:
    """Return a value as SQL: in a DuckDB text only the quote is special, and is doubled.

    :raises NotTranslatable: for text that ends at the character NUL there.
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST('{value}' AS DOUBLE)"
    if "\0" in str(value):
        raise NotTranslatable("a text that contains the character NUL cannot be written in SQL.")
    return "'" + str(value).replace("'", "''") + "'"
