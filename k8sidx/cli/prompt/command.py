"""Prompt directives, and running of the queries typed at the prompt."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from k8sidx.backends.protocol import QueryOptions
from k8sidx.backends.result import Result
from k8sidx.backends.store import Store
from k8sidx.cli.output import print_message, write_text
from k8sidx.cli.prompt.complete import QueryCompleter
from k8sidx.cli.prompt.field_values import FieldValues
from k8sidx.cli.prompt.history import kept_history
from k8sidx.cli.prompt.session import interact
from k8sidx.cli.query_session import QuerySession, QueryText, print_query_error, query_text
from k8sidx.cli.saved import query_folder
from k8sidx.errors import K8sidxError, UsageError
from k8sidx.insights.language.parser import QueryError
from k8sidx.insights.saved.saved import saved_names
from k8sidx.query.algebra import Query
from k8sidx.show.render.formats.registry import Output

DIRECTIVES = {
    ".help": "list these directives",
    ".chart": "on or off: draw a bar chart instead of a table",
    ".output": "set the output format: table, csv, json, md or html",
    ".since": "include events from this time on, for example 7d; empty for all",
    ".until": "include only events before this time; empty for all",
    ".explain": "show the plan of the query that follows",
    ".exit": "exit, like Ctrl-D",
}
_ENDS = ("exit", "quit", ".exit", ".quit", "\\q")
_VALUES_WITHIN = 3.0
"""Time limit in seconds for the query for a field's values. A completion waits less
long (``FieldValues``); values that arrive later serve the next one."""


def prompt(session: QuerySession, store: Store) -> None:
    """Read queries and show their results until the user exits."""
    print_message(
        "Enter runs the query; a line ending with | continues. Tab completes; .help lists more.",
        quiet=session.quiet,
    )
    completer = QueryCompleter(
        FieldValues(_values_of(store)), lambda: saved_names(query_folder()), DIRECTIVES
    )
    interpreter = PromptInterpreter(session, store)
    interact(
        interpreter.interpret, completer, kept_history(), lambda: print_message("interrupted.")
    )


def _values_of(store: Store) -> Callable[[Query], Result]:
    def run_query(query: Query) -> Result:
        with store.engine(QueryOptions(timeout=_VALUES_WITHIN)) as engine:
            return engine.run(query)

    return run_query


class PromptInterpreter:
    """Interpreter of the texts typed at the prompt."""

    def __init__(self, session: QuerySession, store: Store) -> None:
        self._session = replace(session)
        self._store = store

    def interpret(self, text: str) -> bool:
        """Run a query or a directive; return false when the user exits.

        An error is printed and does not end the session.
        """
        if text in _ENDS:
            return False
        try:
            if text.startswith("."):
                self._run_directive(text)
            else:
                self._run_query(text)
        except K8sidxError as error:
            print_message(f"k8sidx: {error}")
        return True

    def _run_query(self, text: str) -> None:
        query = query_text(text)
        with _errors_printed(query):
            self._session.run(query, self._store)

    def _run_directive(self, text: str) -> None:
        name, _, argument = text.partition(" ")
        argument = argument.strip()
        match name:
            case ".help":
                for directive, about in DIRECTIVES.items():
                    print_message(f"{directive:<10} {about}")
            case ".chart":
                self._session.chart = _switched(argument)
            case ".output":
                self._session.output, self._session.chart = _output(argument), False
            case ".since":
                self._change_period(replace(self._session, since=argument or None))
            case ".until":
                self._change_period(replace(self._session, until=argument or None))
            case ".explain":
                self._explain(argument)
            case _:
                raise UsageError(
                    f"unknown directive {shlex.quote(name)}.", remedy=".help lists the directives."
                )

    def _change_period(self, changed: QuerySession) -> None:
        changed.period()  # Raises for an invalid time.
        self._session = changed

    def _explain(self, text: str) -> None:
        query = query_text(text)
        with _errors_printed(query):
            write_text(self._session.explain(query, self._store))


@contextmanager
def _errors_printed(query: QueryText) -> Iterator[None]:
    """Print the error of an invalid query, pointing at the invalid part."""
    try:
        yield
    except QueryError as error:
        print_query_error(error, query.text)


def _switched(word: str) -> bool:
    if word not in ("on", "off", ""):
        raise UsageError(".chart takes on or off.")
    return word != "off"


def _output(word: str) -> Output:
    try:
        return Output(word)
    except ValueError:
        raise UsageError(
            f"{word!r} is not an output format.", remedy=f"Use one of: {', '.join(Output)}."
        ) from None
