"""``k8sidx query`` command: CloudWatch Logs Insights queries over a store or files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from k8sidx.cli.completion import complete_saved
from k8sidx.cli.exit import EXIT_REJECTED, ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs, store_or_inputs
from k8sidx.cli.options import (
    ClusterOption,
    DebugOption,
    InputOption,
    OutputOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import effective_format, write_sheet, write_text
from k8sidx.cli.query_session import (
    QuerySession,
    QueryText,
    columns_read,
    query_text,
    report_query_error,
    saved_query_text,
)
from k8sidx.cli.saved import query_folder, saved_sheet
from k8sidx.cli.selection import answering
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store
from k8sidx.errors import UsageError, Where
from k8sidx.show.render.escape import visible
from k8sidx.show.render.formats.registry import Output

NAME = "query"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx query 'stats count(*) as n by user.username | sort n desc | limit 10'\n"
    "  k8sidx query @events-per-hour --chart\n"
    "  k8sidx query --saved\n"
    "  k8sidx query @forbidden-by-user --input audit.log.gz -o json"
)


@ends_with_exit_code
@takes_store
def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT|@NAME",
            help="Run this quoted query or saved @query. [default: open a prompt]",
            autocompletion=complete_saved,
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Read the query from this file, - for stdin.",
            show_default=False,
        ),
    ] = None,
    saved: Annotated[
        bool,
        typer.Option("--saved", help="List the saved queries, or print the one named."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the query plan without running it.")
    ] = False,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw a bar chart in the terminal instead of a table.")
    ] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    cluster: ClusterOption = None,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run a CloudWatch Logs Insights query."""
    texts, inputs = separate_inputs(words or [], input_ or [])
    if saved:
        _show_saved(texts, effective_format(output))
        return
    if chart and output:
        raise UsageError("--chart and --output exclude each other.", remedy="Give one of them.")
    session = QuerySession(
        since,
        until,
        answering(timeout, approximate=False, quiet=quiet),
        output,
        chart,
        quiet,
        tuple(cluster or ()),
    )
    session.period()  # Raises for an invalid time before anything is read.
    given = _given(texts, file)
    if given is None:
        _prompt(session, store, inputs)
        return
    with report_query_error(given.text, debug=debug):
        columns = columns_read(given.text) if inputs else None
        if columns is not None:  # by the cluster's name the events that were looked at are told
            columns |= {"orchestrator.cluster.name"}
        with store_or_inputs(store, inputs, columns, quiet=quiet) as (used, report):
            if explain:
                write_text(session.explain(given, used))
            else:
                session.run(given, used)
    if report and (report.rejected or report.not_understood):
        raise typer.Exit(EXIT_REJECTED)


def _given(texts: Sequence[str], file: str | None) -> QueryText | None:
    """Return the query given on the command line; ``None`` without one.

    :raises UsageError: when there are several, or the file cannot be read.
    """
    if len(texts) > 1 or (texts and file):
        raise UsageError(
            f"expected one query, got {len(texts) + bool(file)}.",
            remedy="Give a file, one @name, or one text in quotes: "
            "k8sidx query 'stats count(*) by verb'",
        )
    if file:
        return QueryText(_read(file))
    return query_text(texts[0]) if texts else None


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot be read: {reason}.", where=Where(file)) from error
    except UnicodeDecodeError as error:
        raise UsageError("not valid UTF-8 text.", where=Where(file)) from error


def _show_saved(texts: Sequence[str], output: Output) -> None:
    """Print the list of saved queries, or the text of the one named."""
    if len(texts) > 1:
        raise UsageError("--saved prints one query at a time.")
    if texts:
        text = saved_query_text(texts[0]).text.rstrip("\n")
        write_text("".join(f"{visible(line)}\n" for line in text.split("\n")))
    else:
        write_sheet(saved_sheet(query_folder()), output)


def _prompt(session: QuerySession, store: StoreChoice, inputs: Sequence[str]) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "no query is given.",
            remedy="Give it in quotes, by name (@status-codes) or with --file, - for stdin. "
            "On a terminal, k8sidx query without a query opens a prompt.",
        )
    from k8sidx.cli.prompt.command import prompt

    with store_or_inputs(store, inputs, None, quiet=session.quiet) as (used, _):
        prompt(session, used)
