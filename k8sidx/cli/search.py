"""``k8sidx search`` command: full-text search over all fields and bodies."""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs
from k8sidx.cli.investigation import investigating
from k8sidx.cli.options import (
    DebugOption,
    InputOption,
    OutputOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store

NAME = "search"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx search node-debugger\n"
    "  k8sidx search '/cluster-?admin/i' --since 2026-11-23 -o json"
)


@ends_with_exit_code
@takes_store
def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD|/REGEX/",
            help="Find events that contain all of these words or RE2 expressions.",
            show_default=False,
        ),
    ],
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Show the latest N events.")
    ] = 100,
    indexed: Annotated[
        bool,
        typer.Option(
            "--indexed",
            help="Leave out bodies, which a cluster stores without an index: faster.",
        ),
    ] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Search all fields and bodies for words."""
    from k8sidx.cli import progress
    from k8sidx.investigate.search import parse_term, search
    from k8sidx.show.render.answers import hits_view

    texts, inputs = separate_inputs(words, input_ or [])
    terms = [parse_term(text) for text in texts]
    with investigating(store, inputs, (since, until), timeout, quiet=quiet) as investigation:
        with progress.querying(quiet=quiet):
            hits = search(
                investigation.engine, terms, investigation.period, limit=limit, indexed=indexed
            )
        investigation.show(hits_view(hits, investigation.scope), output)
        if not hits.rows:
            investigation.notice(f"no event contains {' and '.join(texts)}.")
        elif hits.events and hits.events > len(hits.rows):
            investigation.print_unread(hits.events, len(hits.rows))
        if hits.scanned:
            investigation.notice(
                f"{hits.scanned:,} events were read one by one, since this store cannot search "
                "bodies; --indexed leaves them out."
            )
        if hits.unread:
            investigation.notice(
                f"{hits.unread:,} earlier events were not searched: there were enough results."
            )
        if indexed:
            investigation.notice("bodies and other objects were not searched (--indexed).")
