"""Query session: run one query and show its result, for the command and the prompt."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from k8sidx.cli import progress
from k8sidx.cli.exit import EXIT_USAGE
from k8sidx.cli.output import effective_format, print_document, print_message, print_on_console
from k8sidx.cli.saved import query_folder
from k8sidx.cli.selection import period
from k8sidx.show.render.escape import visible
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from k8sidx.backends.protocol import QueryOptions
    from k8sidx.backends.result import Result
    from k8sidx.backends.store import Store
    from k8sidx.hunt.result import EventsJudged
    from k8sidx.insights.language.ast import Program
    from k8sidx.insights.language.parser import QueryError


@dataclass(frozen=True, slots=True)
class QueryText:
    """Text of a query to run.

    :param text: as the user wrote it.
    :param title: the title of a saved query.
    """

    text: str
    title: str = ""


def query_text(text: str) -> QueryText:
    """Return the query with this text, or the saved query ``@name``.

    :raises UsageError: when no saved query has that name.
    """
    return saved_query_text(text) if text.startswith("@") else QueryText(text)


def saved_query_text(name: str) -> QueryText:
    """Return the saved query of that name, given with or without ``@``.

    :raises UsageError: when there is none.
    """
    from k8sidx.insights.saved.saved import saved_query

    query = saved_query(name.strip().removeprefix("@"), query_folder())
    return QueryText(query.text, query.title)


def columns_read(text: str) -> frozenset[str] | None:
    """Return the stored fields that a query reads; ``None`` for whole events.

    :raises QueryError: when the query is invalid.
    """
    from k8sidx.insights.language.parser import parse
    from k8sidx.insights.plan.binder import bind
    from k8sidx.insights.plan.columns import columns_needed

    return columns_needed(bind(parse(text), now=datetime.now(UTC)))


@dataclass(slots=True)
class QuerySession:
    """Settings for running queries and showing results; the prompt changes them.

    :param since: as the user wrote it, so that ``1h`` stays the last hour.
    :param output: ``None`` for the default of the output stream.
    :param clusters: names of the clusters whose events are queried; all without one.
    """

    since: str | None
    until: str | None
    how: QueryOptions
    output: Output | None
    chart: bool
    quiet: bool
    clusters: tuple[str, ...] = ()

    def period(self) -> tuple[datetime | None, datetime | None]:
        """Return the time range of the query.

        :raises UsageError: when a time is invalid.
        """
        return period(self.since, self.until)

    def run(self, query: QueryText, store: Store) -> None:
        """Run the query on the current state of the store and show the result.

        :raises QueryError: when the query is invalid.
        :raises K8sidxError: when it cannot be run.
        """
        from k8sidx.hunt.clusters import over_clusters
        from k8sidx.hunt.events_judged import events_judged
        from k8sidx.insights.execute.run import run_program
        from k8sidx.insights.language.parser import parse
        from k8sidx.show.render.judged import judged_text

        program = parse(query.text)
        since, until = self.period()
        with store.engine(self.how) as whole, progress.querying(quiet=self.quiet):
            engine = over_clusters(whole, self.clusters)
            judged = events_judged(engine, since, until)
            result = run_program(
                program,
                engine,
                since,
                until,
                on_warning=self._print_warning,
            )
        print_message(f"{judged_text(judged)}.", quiet=self.quiet and bool(judged.count))
        self._show(result, query.title, program, judged)

    def explain(self, query: QueryText, store: Store) -> str:
        """Return the query plan, safe to print.

        :raises QueryError: when the query is invalid.
        :raises UnsupportedQuery: when the engine cannot run or explain the query.
        """
        from k8sidx.hunt.clusters import over_clusters
        from k8sidx.insights.execute.explain import explain_query
        from k8sidx.insights.language.parser import parse

        program = parse(query.text)
        with store.engine(self.how) as whole:
            engine = over_clusters(whole, self.clusters)
            text = explain_query(program, engine, *self.period())
        return "".join(f"{visible(line)}\n" for line in text.rstrip("\n").split("\n"))

    def _print_warning(self, line: str) -> None:
        print_message(line, quiet=self.quiet)

    def _show(self, result: Result, title: str, program: Program, judged: EventsJudged) -> None:
        if not result.rows:
            print_message("no rows.", quiet=self.quiet)
        if self.chart:
            _draw(result, title, program)
        else:
            print_document(load_format(effective_format(self.output)).query(result, title, judged))


def _draw(result: Result, title: str, program: Program) -> None:
    from k8sidx.show.render.bar_chart import print_bars
    from k8sidx.show.render.sheet import Sheet

    sheet = Sheet(result.columns, result.rows, title)
    if sheet.rows:
        keys, number = _axes(program)
        print_on_console(lambda console: print_bars(console, sheet, keys=keys, number=number))


def _axes(program: Program) -> tuple[int | None, str]:
    """Return the number of key columns of the last ``stats``, if its columns are shown, and
    the column that the query sorts by."""
    from k8sidx.insights.language.ast import Display, Fields, Name, Sort, Stats

    keys, number = None, ""
    for command in program.commands:
        match command:
            case Stats():
                keys, number = len(command.keys), ""
            case Display() | Fields():
                keys = None
            case Sort(items=(first, *_)) if isinstance(first.expression, Name):
                number = first.expression.text
    return keys, number


@contextmanager
def report_query_error(text: str, *, debug: bool) -> Iterator[None]:
    """Exit with an error message that points at the invalid part of the query."""
    from k8sidx.insights.language.parser import QueryError

    try:
        yield
    except QueryError as error:
        if debug:
            traceback.print_exc()
        print_query_error(error, text)
        raise typer.Exit(EXIT_USAGE) from None


def print_query_error(error: QueryError, text: str) -> None:
    """Print the error, the line with a caret and the remedy to stderr."""
    from rich.text import Text

    from k8sidx.show.render.caret import caret_lines
    from k8sidx.show.render.terminal import console_on

    console = console_on(sys.stderr)
    print_message(f"k8sidx: {error.message}")
    if lines := caret_lines(text, error.line, error.column, console.width):
        line, caret = lines
        with contextlib.suppress(BrokenPipeError):
            console.print(Text(line), soft_wrap=True)
            console.print(Text(caret, style="bold red"), soft_wrap=True)
    if error.remedy:
        print_message(error.remedy)
