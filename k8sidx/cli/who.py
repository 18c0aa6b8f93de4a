"""``k8sidx who`` command: the callers that did something to an object."""

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

NAME = "who"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx who deleted deployment legacy-app/d0\n"
    "  k8sidx who read secret/ledger-db -n payments\n"
    "  k8sidx who default/pod/node-debugger-node-1-qjp2f -o json"
)


@ends_with_exit_code
@takes_store
def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[VERB] OBJECT",
            help="Name what was done (created, changed, deleted, read, used) and an object.",
            show_default=False,
        ),
    ],
    namespace: NamespaceOption = None,
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
    """Show who created, changed, deleted, read or used an object."""
    from k8sidx.investigate.nearest import unknown_object
    from k8sidx.investigate.selectors import parse_object
    from k8sidx.investigate.who import parse_act, who
    from k8sidx.show.render.answers import answer_view, nobody_line

    texts, inputs = separate_inputs(words, input_ or [])
    parts = " ".join(texts).rstrip("?").split()
    act = parse_act(parts[0]) if len(parts) > 1 else None
    reference = parse_object(" ".join(parts[1:] if act else parts), namespace or "")
    with investigating(store, inputs, (since, until), timeout, quiet=quiet) as investigation:
        engine, period = investigation.engine, investigation.period
        answer = who(engine, act or "touched", reference, period, limit=limit)
        if not answer.requests and not answer.touched and not answer.causes:
            raise unknown_object(engine, period, reference)
        investigation.show(answer_view(answer, investigation.scope), output)
        if not answer.requests:
            investigation.notice(nobody_line(answer))
        investigation.print_unread(answer.events, min(answer.events, limit))
