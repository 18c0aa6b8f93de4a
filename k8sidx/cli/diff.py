"""``k8sidx diff`` command: what is new, gone, more or less in one period than in another."""

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
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store
from k8sidx.errors import UsageError

NAME = "diff"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx diff --since 2026-11-23T21:00 --against 2026-11-23T20:00\n"
    "  k8sidx diff --since 2026-11-23T21:00 --against 2026-11-23T20:00..2026-11-23T20:30 -o json"
)


@ends_with_exit_code
@takes_store
def command(
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Compare events from this time on (ISO-8601, or an age: 24h, 7d).",
            show_default=False,
        ),
    ],
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="TIME[..TIME]",
            help="Compare with the events from this time until --since, or of this range.",
            show_default=False,
        ),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Read these files, too.", show_default=False),
    ] = None,
    until: UntilOption = None,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare two periods: what is new, gone, more or less."""
    from k8sidx.cli.selection import period
    from k8sidx.investigate.compare import differences
    from k8sidx.investigate.scope import Period, scope_of
    from k8sidx.show.render.answers import differences_view
    from k8sidx.show.render.view import scope_line

    words, inputs = separate_inputs(files or [], input_ or [])
    if words:
        raise UsageError(
            f"unexpected argument {words[0]!r}.", remedy="Only files after --input are arguments."
        )
    first, _, last = against.partition("..")
    before = Period(*period(first, last or since))
    with investigating(store, inputs, (since, until), timeout, quiet=quiet) as investigation:
        earlier = scope_of(investigation.engine, before)
        changes = differences(
            investigation.engine, (investigation.period, investigation.scope), (before, earlier)
        )
        investigation.show(differences_view(changes, investigation.scope, earlier), output)
        investigation.notice(f"against: {scope_line(earlier)}")
        if not changes:
            investigation.notice("no difference.")
