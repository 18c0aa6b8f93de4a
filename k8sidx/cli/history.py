"""``k8sidx history`` command: the changes of an object and their differences."""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs
from k8sidx.cli.investigation import investigating
from k8sidx.cli.options import (
    DebugOption,
    InputOption,
    NamespaceOption,
    OutputOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store

NAME = "history"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx history deployment shop/orders\n"
    "  k8sidx history shop/deployment/orders --since 2026-11-23 -o json"
)


@ends_with_exit_code
@takes_store
def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="OBJECT",
            help="Name an object: deployment shop/web, or shop/deployment/web.",
            show_default=False,
        ),
    ],
    namespace: NamespaceOption = None,
    status: Annotated[
        bool, typer.Option("--status", help="Include the differences of the object's status.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Read the latest N events.")
    ] = 1_000,
    since: SinceOption = None,
    until: UntilOption = None,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the changes of an object, each with its difference."""
    from k8sidx.investigate.history import history_of
    from k8sidx.investigate.nearest import unknown_object
    from k8sidx.investigate.requests import count_events
    from k8sidx.investigate.selectors import by_object, parse_object
    from k8sidx.show.render.answers import history_view

    texts, inputs = separate_inputs(words, input_ or [])
    reference = parse_object(" ".join(texts), namespace or "")
    with investigating(store, inputs, (since, until), timeout, quiet=quiet) as investigation:
        engine, period = investigation.engine, investigation.period
        history = history_of(engine, reference, period, limit=limit, with_status=status)
        if not history.changes and not count_events(engine, by_object(reference), period):
            raise unknown_object(engine, period, reference)
        investigation.show(history_view(history, investigation.scope), output)
        if not history.changes and not history.quiet:
            investigation.notice(f"nobody changed {reference} in these events; it was only read.")
        if history.quiet:
            investigation.notice(
                f"{history.quiet:,} requests about its status alone are left out (--status)."
            )
        investigation.print_unread(history.events, history.read)
