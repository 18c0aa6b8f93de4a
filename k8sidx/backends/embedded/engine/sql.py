"""Query → SQL for DuckDB over the store's Parquet files.

Identifiers come only from the field table, values only as bound parameters: nothing of
a log or of a user's text becomes part of a statement. Times leave as microseconds, since
DuckDB hands out time zones only with a further library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from k8sidx.backends.embedded.storage.columns import COMPUTED, ID, TIME
from k8sidx.backends.materialize import LONG, is_large
from k8sidx.backends.percentiles import rank_of
from k8sidx.backends.time_columns import time_columns
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import FieldPath, resolve
from k8sidx.events.fields.moment import MICROSECOND, to_micros
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import (
    VALUES,
    Always,
    And,
    Compare,
    Condition,
    DateHistogram,
    InNetwork,
    Key,
    Leaf,
    Metric,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Regex,
    Wildcard,
)
from k8sidx.query.casefold import LOWER, UPPER, folded_text, has_letters
from k8sidx.query.coerce import coerce
from k8sidx.query.wildcard import to_like


@dataclass(slots=True)
class Statement:
    """SQL with its parameters; the rows come from ``{source}``.

    :param times: positions of the result's columns that are microseconds since 1970.
    """

    sql: str
    parameters: list[Any] = field(default_factory=list)
    times: frozenset[int] = frozenset()


_ALTERNATIVES = 64
ROLLED_COUNT, ROLLED_FIRST, ROLLED_LAST = "rolled events", "rolled first", "rolled last"
"""Columns of a table that holds events rolled up: how many, and their times."""


def compile_query(query: Query, *, rolled: bool = False) -> Statement:
    """Return SQL for a query.

    :param rolled: the source has a row for many events (``ROLLED_COUNT`` and so on).
    :raises UnsupportedQuery: when DuckDB has no way to run it.
    """
    return _select(query) if query.select else _aggregate(query, rolled)


def _select(query: Query) -> Statement:
    parameters: list[Any] = []
    columns = [_output(resolve(name)) for name in query.select]
    where = _where(query, parameters)
    order = [
        f"{_value(resolve(order_by.column))} {'DESC' if order_by.descending else 'ASC'} NULLS LAST"
        for order_by in query.order
    ]
    order += [f'"{TIME}" ASC NULLS LAST', f'"{ID}" ASC']
    sql = f"SELECT {', '.join(columns)} FROM {{source}} WHERE {where} ORDER BY {', '.join(order)}"
    return Statement(_limited(sql, query, parameters), parameters, time_columns(query))


def _aggregate(query: Query, rolled: bool) -> Statement:
    parameters: list[Any] = []
    tables, columns, groups = ["{source}"], [], []
    for position, key in enumerate(query.group_by):
        expression = _key(key, f"u{position}", tables)
        columns.append(f"{expression} AS k{position}")
        groups.append(f"k{position}")
    columns += [f"{_metric(m, rolled)} AS m{position}" for position, m in enumerate(query.metrics)]
    where = [_where(query, parameters)]
    where += [
        f"{_key_test(key, f'u{position}')} IS NOT NULL"
        for position, key in enumerate(query.group_by)
        if not key.keep_missing
    ]
    sql = f"SELECT {', '.join(columns)} FROM {' '.join(tables)} WHERE {' AND '.join(where)}"
    if groups:
        sql += f" GROUP BY {', '.join(groups)}"
    if query.having:
        column_of = {metric.name: f"m{position}" for position, metric in enumerate(query.metrics)}
        tests = []
        for having in query.having:
            tests.append(f"{column_of[having.metric]} {having.op} ?")
            parameters.append(having.value)
        sql = f"SELECT * FROM ({sql}) WHERE {' AND '.join(tests)}"
    sql = f"SELECT * FROM ({sql}){_order(query, groups)}"
    return Statement(_limited(sql, query, parameters), parameters, time_columns(query))


def _order(query: Query, groups: list[str]) -> str:
    names = dict(
        zip(query.columns, [*groups, *(f"m{i}" for i in range(len(query.metrics)))], strict=True)
    )
    order = [
        f"{names[order_by.column]} {'DESC' if order_by.descending else 'ASC'} NULLS LAST"
        for order_by in query.order
    ]
    order += [f"{group} ASC NULLS LAST" for group in groups]
    return f" ORDER BY {', '.join(order)}" if order else ""


def _limited(sql: str, query: Query, parameters: list[Any]) -> str:
    if query.limit is None:
        return sql
    parameters.append(query.limit)
    return f"{sql} LIMIT ?"


def _where(query: Query, parameters: list[Any]) -> str:
    tests = time_tests(query.since, query.until, parameters)
    if not isinstance(query.where, Always):
        tests.append(condition_sql(query.where, parameters))
    return " AND ".join(tests) or "true"


def time_tests(since: datetime | None, until: datetime | None, parameters: list[Any]) -> list[str]:
    """SQL that is true of the rows of a time range, to be joined by *and*; its values are
    added to the parameters."""
    tests = []
    for moment, op in ((since, ">="), (until, "<")):
        if moment is not None:
            tests.append(f'"{TIME}" {op} make_timestamptz(?)')
            parameters.append(to_micros(moment))
    return tests


def _key(key: Key, alias: str, tables: list[str]) -> str:
    if isinstance(key, DateHistogram):
        width, offset = key.interval // MICROSECOND, key.offset // MICROSECOND
        # Whole numbers, since floats are coarser than microseconds far from 1970; and the
        # remainder of a moment before 1970 is negative.
        moment = f'(epoch_us("{TIME}") - {offset})'
        return f"{moment} - ({moment} % {width} + {width}) % {width} + {offset}"
    path = resolve(key.field)
    if path.many:
        join = "LEFT JOIN" if key.keep_missing else "INNER JOIN"
        tables.append(
            f"{join} LATERAL (SELECT unnest(list_distinct({_value(path)})) AS v) AS {alias} ON true"
        )
        return f"{alias}.v"
    return _micros_of(path) if path.field.kind is Kind.TIME else _value(path)


def _key_test(key: Key, alias: str) -> str:
    if isinstance(key, DateHistogram):
        return f'"{TIME}"'
    path = resolve(key.field)
    return f"{alias}.v" if path.many else _value(path)


def _metric(metric: Metric, rolled: bool) -> str:
    if metric.kind == "count":
        return f'CAST(coalesce(sum("{ROLLED_COUNT}"), 0) AS BIGINT)' if rolled else "count(*)"
    if rolled and metric.kind != "count_distinct":
        # Of other fields than the time nothing is left of an event (duckdb_shared).
        return f'epoch_us({metric.kind}("{ROLLED_FIRST if metric.kind == "min" else ROLLED_LAST}"))'
    path = resolve(metric.field)
    value = _value(path)
    if metric.kind == "present":
        return f"count(*) FILTER (WHERE {_present(path)})"
    if metric.kind == "count_distinct":
        if path.many:
            return f"coalesce(len(list_distinct(flatten(list({value})))), 0)"
        return f"count(DISTINCT {value})"
    if path.many:
        raise UnsupportedQuery(f"{metric.name}: {metric.kind} of {metric.field}, a list")
    if metric.kind in VALUES:
        return _values(metric, path)
    if metric.kind == "percentile":
        return _percentile(metric, value)
    if path.field.kind is Kind.TIME:
        value = _micros_of(path)
    return f"{metric.kind}({value})"


def _percentile(metric: Metric, value: str) -> str:
    """The value at or below the rank, the next one, and how many there are; the rest is exact
    only outside of floats (:mod:`k8sidx.backends.percentiles`)."""
    rank, count = rank_of(metric.argument), f"count({value})"
    first = f"({rank.numerator} * ({count} - 1)) // {rank.denominator} + 1"
    ordered = f"list_sort(list({value}) FILTER (WHERE {value} IS NOT NULL))"
    return f"list_append(list_slice({ordered}, {first}, {first} + 1), {count})"


def _values(metric: Metric, path: FieldPath) -> str:
    """Values from the earliest or the latest event on; they sort a missing part of a row as
    greater than all others, so for the latest it needs a word before."""
    by = f'"{TIME}", "{ID}"'
    if metric.kind == "first_values":
        return f"arg_min({_output(path)}, ({by}), {int(metric.argument)})"
    return f'arg_max({_output(path)}, ("{TIME}" IS NOT NULL, {by}), {int(metric.argument)})'


def condition_sql(condition: Condition, parameters: list[Any]) -> str:
    """SQL that is true of the rows for which the condition holds, and false or unknown of the
    others; its values are added to the parameters."""
    if isinstance(condition, Always):
        return "true"
    if isinstance(condition, Not):
        # CASE stops at the first alternative that holds, IS NOT TRUE evaluates all of them.
        return (
            f"(CASE WHEN {condition_sql(condition.condition, parameters)} THEN false ELSE true END)"
        )
    if isinstance(condition, And | Or):
        if not condition.conditions:
            return "true" if isinstance(condition, And) else "false"
        parts = [condition_sql(part, parameters) for part in condition.conditions]
        if isinstance(condition, And):
            return f"({' AND '.join(parts)})"
        return _either(parts)
    return _leaf(condition, parameters)


def _either(parts: Sequence[str]) -> str:
    """Return that one of the parts holds. DuckDB's optimizer compares each alternative with each
    other one, for which thousands take minutes; it does not look into IS TRUE."""
    if len(parts) > _ALTERNATIVES:
        starts = range(0, len(parts), _ALTERNATIVES)
        groups = [_either(parts[start : start + _ALTERNATIVES]) for start in starts]
        return _either([f"({group} IS TRUE)" for group in groups])
    return f"({' OR '.join(parts)})"


def _leaf(leaf: Leaf, parameters: list[Any]) -> str:
    """A comparison; unknown where the field is missing, so that Parquet's readers know it."""
    path = resolve(leaf.field)
    value = _value(path)
    if isinstance(leaf, Present):
        return _present(path)
    if path.many:
        test = _test(leaf, path, "x", parameters)
        return f"(len(list_filter({value}, lambda x: {test})) > 0)"
    return f"({_test(leaf, path, value, parameters)})"


def _present(path: FieldPath) -> str:
    value = _value(path)
    return f"(len({value}) > 0)" if path.many else f"({value} IS NOT NULL)"


def _test(leaf: Leaf, path: FieldPath, value: str, parameters: list[Any]) -> str:
    if isinstance(leaf, Compare):
        return _comparison(leaf, path, value, parameters)
    if isinstance(leaf, OneOf):
        return _membership(leaf, path, value, parameters)
    if isinstance(leaf, Wildcard):
        fold = leaf.ignore_case and has_letters(leaf.pattern)
        parameters.append(to_like(folded_text(leaf.pattern, fold)))
        return f"{_folded(_text(path, value), fold)} LIKE ? ESCAPE '\\'"
    if isinstance(leaf, Regex):
        parameters.append(leaf.pattern)
        return f"regexp_matches({_text(path, value)}, ?, '{'i' if leaf.ignore_case else 'c'}')"
    if isinstance(leaf, InNetwork):
        raise UnsupportedQuery("networks are looked up before the query is compiled")
    raise UnsupportedQuery(f"DuckDB does not know the condition {type(leaf).__name__}")


def _comparison(leaf: Compare, path: FieldPath, value: str, parameters: list[Any]) -> str:
    wanted = coerce(path.field, leaf.value)
    if wanted is None:
        return "false"
    if isinstance(wanted, datetime):
        parameters.append(to_micros(wanted))
        return f"{value} {leaf.op} make_timestamptz(?)"
    fold = leaf.ignore_case and isinstance(wanted, str) and has_letters(wanted)
    if fold and leaf.op == "=":
        return _folded_equality(value, [str(wanted)], parameters)
    parameters.append(folded_text(str(wanted), True) if fold else wanted)
    return f"{_folded(value, fold)} {leaf.op} ?"


def _membership(leaf: OneOf, path: FieldPath, value: str, parameters: list[Any]) -> str:
    if path.field.kind in (Kind.TIME, Kind.BOOLEAN):
        tests = [
            _comparison(Compare(leaf.field, "=", member), path, value, parameters)
            for member in leaf.values
        ]
        return f"({' OR '.join(tests) or 'false'})"
    wanted = [
        scalar for scalar in (coerce(path.field, v) for v in leaf.values) if scalar is not None
    ]
    if not wanted:
        return "false"
    if leaf.ignore_case and any(has_letters(str(text)) for text in wanted):
        return _folded_equality(value, [str(text) for text in wanted], parameters)
    if len(wanted) > LONG and not path.many:  # DuckDB allows no subquery in a lambda
        parameters.append(wanted)
        return f"{value} IN (SELECT unnest(?))"
    parameters.extend(wanted)
    return f"{value} IN ({', '.join('?' * len(wanted))})"


def is_looked_up(leaf: Leaf) -> bool:
    """Whether a comparison has to be replaced by the stored values that it holds for: networks,
    because DuckDB has no address type here, and long lists that a join cannot compare with."""
    if not is_large(leaf) or not isinstance(leaf, OneOf):
        return is_large(leaf)
    folds = leaf.ignore_case and any(has_letters(str(text)) for text in leaf.values)
    return folds or resolve(leaf.field).many


def _folded_equality(value: str, wanted: Sequence[str], parameters: list[Any]) -> str:
    """Compare with several texts, without regard to case.

    Folding is expensive and keeps the length, which is at hand: the length rules out most values.
    """
    lengths = sorted({len(text.encode()) for text in wanted})
    parameters += lengths
    parameters += [folded_text(text, True) for text in wanted]
    return (
        f"strlen({value}) IN ({', '.join('?' * len(lengths))}) "
        f"AND {_folded(value, True)} IN ({', '.join('?' * len(wanted))})"
    )


def _value(path: FieldPath) -> str:
    name = path.field.name
    expression = COMPUTED.get(name) or '"' + name.replace('"', '""') + '"'
    return expression if path.position is None else f"{expression}[{path.position + 1}]"


def _micros_of(path: FieldPath) -> str:
    return f"epoch_us({_value(path)})"


def _output(path: FieldPath) -> str:
    return _micros_of(path) if path.field.kind is Kind.TIME else _value(path)


def _text(path: FieldPath, value: str) -> str:
    if path.field.kind in (Kind.INTEGER, Kind.BOOLEAN):
        return f"CAST({value} AS VARCHAR)"
    if path.field.kind is Kind.TIME:
        raise UnsupportedQuery(f"{path.field.name} is a time and has no pattern")
    return value


def _folded(value: str, fold: bool) -> str:
    """Only ASCII letters small. Text that has nothing else, as its length in bytes and in
    characters tells, is folded ten times as fast by ``lower``, which folds all of Unicode."""
    if not fold:
        return value
    return (
        f"CASE WHEN strlen({value}) = length({value}) THEN lower({value}) "
        f"ELSE translate({value}, '{UPPER}', '{LOWER}') END"
    )
