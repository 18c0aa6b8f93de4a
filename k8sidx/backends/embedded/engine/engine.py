"""Query engine of the embedded store: DuckDB over its Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb

from k8sidx.backends.embedded.engine import by_value
from k8sidx.backends.embedded.engine.shared_scan import SharedScan
from k8sidx.backends.embedded.engine.sql import (
    compile_query,
    condition_sql,
    is_looked_up,
    time_tests,
)
from k8sidx.backends.embedded.storage.columns import (
    COMPUTED,
    PARTS,
    STORED,
    null_column,
    with_columns,
)
from k8sidx.backends.embedded.storage.garbage import reading
from k8sidx.backends.embedded.storage.integrity import check_parts, damaged_part, find_fault
from k8sidx.backends.embedded.storage.manifest import Manifest, Part
from k8sidx.backends.embedded.summaries import EmbeddedSummaries
from k8sidx.backends.explain import statement_text
from k8sidx.backends.materialize import materialize, selected_leaves, with_placeholders
from k8sidx.backends.percentiles import defer_after_percentiles, finish_percentiles
from k8sidx.backends.protocol import EXACT, Engine, QueryOptions
from k8sidx.backends.result import Result, Value
from k8sidx.backends.shared import ScanRequest
from k8sidx.backends.time_columns import to_datetimes
from k8sidx.errors import InvalidQuery, MissingColumns, StoreError, UsageError
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.moment import to_micros
from k8sidx.query.algebra import (
    Condition,
    Metric,
    OneOf,
    Query,
    Terms,
    fields_of,
)
from k8sidx.query.regex import compiled


class DuckDBEngine:
    """Runs queries over an embedded store, as it was when the engine was opened.

    Use it as a context manager: while it is open, compaction keeps the files it reads.

    :param store: the store's folder.
    :param answering: numbers are exact in any case.
    :param threads: how many cores to use; ``None`` for all.
    :param keeps_summaries: whether the store keeps daily summaries.
    :raises StoreError: when the folder is not a store.
    """

    name = "duckdb"

    def __init__(
        self,
        store: Path,
        answering: QueryOptions = EXACT,
        *,
        threads: int | None = None,
        keeps_summaries: bool = True,
    ) -> None:
        self._store = store
        self._answering = answering
        self._keeps_summaries = keeps_summaries
        self._lease = ExitStack()
        self._manifest: Manifest = self._lease.enter_context(reading(store))
        settings: dict[str, Any] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        if threads is not None:
            settings["threads"] = threads
        self._connection = duckdb.connect(":memory:", config=settings)
        self._checked: set[Part] = set()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_progress_bar = false")

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        self._connection.close()
        self._lease.close()

    def run(self, query: Query) -> Result:
        """Run the query; see :class:`k8sidx.backends.protocol.Engine`.

        :raises UnsupportedQuery: when DuckDB cannot run it, or the store lacks a field of it.
        :raises UsageError: when DuckDB refuses a regular expression.
        :raises StoreError: when a file of the store cannot be read, or the timeout expires.
        """
        self._refuse_missing(query)
        source, parameters = self._source(query.since, query.until)
        return self.answer(query, source, parameters)

    def explain(self, query: Query) -> str:
        """Return the statement; see :class:`k8sidx.backends.protocol.StoreEngine`. ``events``
        stands for the files of the time range.

        :raises UnsupportedQuery: when DuckDB cannot run the query, or the store lacks a field.
        """
        self._refuse_missing(query)
        lookups = selected_leaves(query.where, is_looked_up)
        plain = query.replace(where=with_placeholders(query.where, is_looked_up))
        statement = compile_query(defer_after_percentiles(plain))
        sql = statement.sql.replace("{source}", "events", 1)
        return statement_text(sql, statement.parameters, lookups)

    def supports_regex(self, pattern: str) -> bool:
        """Whether DuckDB can search for a regular expression: any that RE2 accepts."""
        try:
            compiled(pattern)
        except InvalidQuery:
            return False
        return True

    def summaries(self) -> EmbeddedSummaries | None:
        """Return the daily summaries of the files that it reads."""
        return EmbeddedSummaries(self._store, self._manifest) if self._keeps_summaries else None

    def answer(
        self, query: Query, source: str, parameters: Sequence[Any] = (), *, rolled: bool = False
    ) -> Result:
        """Run a query over a table, or an expression in its place.

        :param rolled: one row stands for many events
            (:mod:`k8sidx.backends.embedded.engine.shared_scan`).
        """
        query = self._materialized(
            query, lambda lookup: self.answer(lookup, source, parameters, rolled=rolled)
        )
        statement = compile_query(defer_after_percentiles(query), rolled=rolled)
        sql = statement.sql.replace("{source}", source, 1)
        rows = self.statement(sql, [*parameters, *statement.parameters])
        rows_with_percentiles = finish_percentiles(query, rows)
        converted = to_datetimes(rows_with_percentiles, statement.times)
        return Result(query.columns, converted, self.name)

    def statement(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of SQL.

        :raises UsageError: when DuckDB refuses a regular expression.
        :raises StoreError: when a file of the store cannot be read, or the timeout expires.
        """
        try:
            with self._with_timeout():
                return self._connection.execute(with_columns(sql), list(parameters)).fetchall()
        except duckdb.InterruptException as error:
            raise self._answering.too_slow() from error
        except RuntimeError as error:
            if "interrupted" in str(error):  # DuckDB's error after Ctrl-C.
                raise KeyboardInterrupt from error
            raise
        except duckdb.OutOfMemoryException as error:
            raise StoreError(
                "there is not enough memory for the query.",
                remedy="Filter first, or query less time with --since and --until.",
            ) from error
        except duckdb.InvalidInputException as error:
            self._refuse_damaged()
            raise UsageError(f"DuckDB refuses the query: {_first_line(error)}") from error
        except (duckdb.InternalException, duckdb.SerializationException, duckdb.FatalException):
            self._refuse_damaged()
            raise
        except (duckdb.IOException, duckdb.HTTPException) as error:
            raise StoreError(
                f"the store {self._store} cannot be read: {_first_line(error)}",
                remedy="Check it: k8sidx doctor",
            ) from error

    @contextmanager
    def prepare(
        self, requests: Sequence[ScanRequest], since: datetime | None, until: datetime | None
    ) -> Iterator[Sequence[Engine]]:
        """Return an engine for each request; see :class:`k8sidx.backends.shared.SharedScans`."""
        source, parameters = self._source(since, until)
        if tests := time_tests(since, until, parameters):
            source = f"(SELECT * FROM {source} WHERE {' AND '.join(tests)}) AS events"
        scan = SharedScan(
            self, requests, (source, parameters), frozenset(self._manifest.columns), (since, until)
        )
        try:
            try:
                scan.prepare()
            except UsageError:
                # A condition that DuckDB refuses fails in its own query, the others run.
                yield [self for _ in requests]
            else:
                yield scan.engines()
        finally:
            scan.drop()

    @contextmanager
    def _with_timeout(self) -> Iterator[None]:
        """Interrupt the query when the timeout expires."""
        if self._answering.timeout is None:
            yield
            return
        timer = Timer(self._answering.timeout, self._connection.interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _refuse_damaged(self) -> None:
        """Read the parts that queries were about: DuckDB's error may come from a damaged one.

        :raises StoreError: when one is damaged.
        """
        for part in self._checked:
            if fault := find_fault(self._store, part):
                raise damaged_part(self._store, part.path, fault)

    def _refuse_missing(self, query: Query) -> None:
        """Raise for fields of the query whose columns the store does not have: NULL in their
        place would be the answer that there is nothing.

        :raises MissingColumns: naming them.
        """
        have = set(self._manifest.columns)
        missing = [path.field.name for path in fields_of(query) if path.field.name not in have]
        missing = [name for name in missing if name not in COMPUTED]
        if missing and self._manifest.parts:
            raise MissingColumns(
                f"the store does not have {', '.join(missing)}.",
                remedy="An earlier k8sidx made it; the next k8sidx ship into it migrates it.",
            )

    def _source(self, since: datetime | None, until: datetime | None) -> tuple[str, list[Any]]:
        """Return the rows to read as SQL: the parts that may contain events of a time range."""
        first = None if since is None else to_micros(since)
        last = None if until is None else to_micros(until) - 1
        bounded = first is not None or last is not None
        low, high = -(2**62) if first is None else first, 2**62 if last is None else last
        parts = [
            part
            for part in self._manifest.parts
            if not bounded or (part.first is not None and part.overlaps(low, high))
        ]
        check_parts(self._store, (part for part in parts if part not in self._checked))
        self._checked.update(parts)
        paths = [str(self._store / part.path) for part in parts]
        if not paths:
            columns = ", ".join(f'{null_column(field)} AS "{field.name}"' for field in STORED)
            return f"(SELECT {columns} WHERE false) AS events", []
        return PARTS, [paths]

    def _materialized(self, query: Query, run: Callable[[Query], Result]) -> Query:
        """Replace comparisons by the stored values that they hold for, where that is necessary, or
        quicker.

        :param run: looks them up where the query will be answered.
        """

        def distinct(field: str, limit: int | None = None) -> Iterator[Value]:
            lookup = Query(
                since=query.since,
                until=query.until,
                group_by=(Terms(field, "value"),),
                metrics=(Metric("n", "count"),),
                limit=limit,
            )
            return (value for value, _ in run(lookup).rows)

        def with_values(field: str, condition: Condition) -> Condition:
            values = list(distinct(field, by_value.MOST_VALUES + 1))
            if len(values) > by_value.MOST_VALUES:
                return condition
            name = resolve(field).field.name
            parameters: list[Any] = [values]
            test = condition_sql(condition, parameters)
            source = f'(SELECT unnest(?::VARCHAR[]) AS "{name}") AS events'
            rows = self.statement(f'SELECT "{name}" FROM {source} WHERE {test}', parameters)
            return OneOf(field, tuple(value for (value,) in rows))

        where = by_value.by_value(query.where, with_values)
        if selected_leaves(where, is_looked_up):
            where = materialize(where, is_looked_up, distinct)
        return query.replace(where=where)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
