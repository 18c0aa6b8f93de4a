"""``k8sidx policy`` commands: audit policies that hunts can live with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from k8sidx.cli.completion import complete_hunt
from k8sidx.cli.exit import EXIT_FINDINGS, ends_with_exit_code
from k8sidx.cli.options import (
    DebugOption,
    Level,
    LevelOption,
    OutputOption,
    QuietOption,
    SinceOption,
    TagOption,
    UntilOption,
)
from k8sidx.cli.output import effective_format, print_message, write_sheet, write_text
from k8sidx.cli.selection import Selection, answering, selected_hunts, window
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, takes_store
from k8sidx.errors import StoreError
from k8sidx.hunt.level import urgency

NAME = "policy"
PRINT_EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx policy print > policy.yaml\n"
    "  k8sidx policy print --level high\n"
    "  k8sidx policy print --budget 500000 --store ./k8sidx-store"
)
CHECK_EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx policy check policy.yaml\n"
    "  k8sidx policy check policy.yaml --fail-on high"
)
COST_EXAMPLE = "\b\nExample:\n  k8sidx policy cost policy.yaml --since 7d"

PolicyArgument = Annotated[
    Path,
    typer.Argument(
        metavar="POLICY.yaml",
        help="Read this audit.k8s.io/v1 Policy, the file of --audit-policy-file.",
        show_default=False,
    ),
]


@ends_with_exit_code
@takes_store
def print_command(
    hunts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|FILE.yml...]",
            help="Log what these hunts need. [default: the whole library]",
            autocompletion=complete_hunt,
            show_default=False,
        ),
    ] = None,
    tag: TagOption = None,
    level: LevelOption = None,
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            min=1,
            metavar="EVENTS",
            help="Log about so many events a day, as measured in the store.",
            show_default=False,
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Print an audit policy that logs what hunts need."""
    from k8sidx.hunt.policy.write import policy_for, policy_text, within_budget
    from k8sidx.show.render.policy import policy_heading

    chosen = selected_hunts(_selection(hunts, tag, level))
    written = policy_for(chosen)
    if budget is not None:
        times = window(since, until, None)
        with open_chosen(store).engine(answering(None, approximate=False)) as engine:
            written = within_budget(written, chosen, budget, engine, times)
    write_text(policy_text(written, policy_heading(len(chosen), written, budget)))
    if budget is not None and (logged := written.logged) is not None and logged > budget:
        print_message(
            f"the policy logs {logged:,} events a day, more than the budget: nothing more can be "
            "left out without blinding hunts. Choose fewer with --level or --tag.",
            quiet=quiet,
        )


@ends_with_exit_code
def check(
    policy: PolicyArgument,
    hunts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|FILE.yml...]",
            help="Check for these hunts. [default: the whole library]",
            autocompletion=complete_hunt,
            show_default=False,
        ),
    ] = None,
    tag: TagOption = None,
    level: LevelOption = None,
    fail_on: Annotated[
        Level | None,
        typer.Option(
            "--fail-on",
            metavar="LEVEL",
            help="Exit with 1 if a hunt of this level or above is blind, even in part.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show which hunts an audit policy blinds, and which line of it does."""
    from k8sidx.events.audit_policy import read_policy
    from k8sidx.hunt.policy.blind import sights
    from k8sidx.show.render.policy import sights_line, sights_sheet

    read = read_policy(policy)
    seen = sights(read, selected_hunts(_selection(hunts, tag, level)))
    write_sheet(sights_sheet(seen), effective_format(output))
    print_message(sights_line(seen, str(policy)), quiet=quiet)
    if fail_on and any(
        sight.verdict in ("blind", "partly blind") and urgency(sight.hunt.level) >= urgency(fail_on)
        for sight in seen
    ):
        raise typer.Exit(EXIT_FINDINGS)


@ends_with_exit_code
@takes_store
def cost(
    policy: PolicyArgument,
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show how many events a day each rule of an audit policy would log."""
    from k8sidx.events.audit_policy import read_policy
    from k8sidx.hunt.policy.cost import costs
    from k8sidx.show.render.policy import costs_line, costs_sheet

    read, times = read_policy(policy), window(since, until, None)
    with open_chosen(store).engine(answering(None, approximate=False)) as engine:
        measured = costs(read, engine, times)
    write_sheet(costs_sheet(measured), effective_format(output))
    if not measured.events:
        raise StoreError(costs_line(measured))
    print_message(costs_line(measured), quiet=quiet)


def _selection(hunts: list[str] | None, tag: list[str] | None, level: Level | None) -> Selection:
    return Selection(tuple(hunts or ()), not (hunts or tag or level), tuple(tag or ()), level)


group = typer.Typer(
    help="Print, check and measure audit policies.",
    epilog=PRINT_EXAMPLE,
    no_args_is_help=True,
    rich_markup_mode=None,
)
group.command("print", epilog=PRINT_EXAMPLE)(print_command)
group.command("check", epilog=CHECK_EXAMPLE)(check)
group.command("cost", epilog=COST_EXAMPLE)(cost)
