"""``k8sidx baseline`` command: daily summaries for hunts that compare with the past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli import progress
from k8sidx.cli.completion import complete_hunt
from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import ClusterOption, DebugOption, OutputOption, QuietOption
from k8sidx.cli.output import effective_format, print_message, write_sheet
from k8sidx.cli.selection import Selection, selected_hunts, window
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, takes_store
from k8sidx.errors import StoreError, UnsupportedQuery, UsageError
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.backends.protocol import StoreEngine
    from k8sidx.backends.summary_store import Summaries
    from k8sidx.hunt.baseline_update import Baseline
    from k8sidx.hunt.definition import Hunt

NAME = "baseline"
EXAMPLE = "\b\nExample:\n  k8sidx baseline\n  k8sidx baseline update"
UPDATE_EXAMPLE = (
    "\b\nExample:\n  k8sidx baseline update\n  k8sidx baseline update new_user_agent --since 30d"
)
HuntsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID|FILE.yml",
        help="Update only these hunts. [default: every library hunt with a baseline]",
        autocompletion=complete_hunt,
        show_default=False,
    ),
]


@ends_with_exit_code
@takes_store
def command(
    context: typer.Context,
    cluster: ClusterOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show which days have baseline summaries."""
    if context.invoked_subcommand:
        return
    from k8sidx.hunt.baseline_update import baseline_states

    hunts = _comparing(())
    with _opened(store, cluster or ()) as (engine, summaries):
        _show(baseline_states(hunts, engine, summaries), effective_format(output))


@ends_with_exit_code
@takes_store
def update(
    hunts: HuntsArgument = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Update only whole days from this time on."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Update only whole days before this time."),
    ] = None,
    cluster: ClusterOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Create or refresh the daily summaries of every day except the newest."""
    from k8sidx.hunt.baseline_update import update_baselines

    chosen_hunts = _comparing(tuple(hunts or ()))
    asked = window(since, until, None)
    with (
        _opened(store, cluster or ()) as (engine, summaries),
        progress.hunting(len(chosen_hunts), quiet=quiet) as on_start,
    ):
        unsupported: dict[str, UnsupportedQuery] = {}
        updated = update_baselines(
            chosen_hunts,
            engine,
            summaries,
            asked,
            on_start,
            lambda hunt, error: unsupported.update({hunt.id: error}),
        )
        trouble = summaries.error
    _show(updated, effective_format(output))
    print_message(f"{sum(baseline.made for baseline in updated):,} days counted.", quiet=quiet)
    behind = sum(baseline.behind for baseline in updated if baseline.hunt not in unsupported)
    if behind:
        raise StoreError(
            trouble or f"{behind:,} summaries could not be saved.",
            remedy="Hunts recount these days on each run; grant this user write access.",
        )
    if unsupported:
        first = next(iter(unsupported.values()))
        by_reason: dict[str, list[str]] = {}
        for hunt, error in unsupported.items():
            by_reason.setdefault(error.message, []).append(hunt)
        reasons = (
            f"{', '.join(named)}: cannot be summarized: {why}" for why, named in by_reason.items()
        )
        raise type(first)(" ".join(reasons), remedy=first.remedy)


def _comparing(names: tuple[str, ...]) -> list[Hunt]:
    from k8sidx.hunt.baseline_update import comparing

    hunts = comparing(selected_hunts(Selection(names, everything=not names)))
    if not hunts:
        raise UsageError(
            "none of these hunts compares with a baseline.",
            remedy="The kinds top, new, spike and silent do; k8sidx hunts lists them.",
        )
    return hunts


@contextmanager
def _opened(store: StoreChoice, clusters: Sequence[str]) -> Iterator[tuple[StoreEngine, Summaries]]:
    from k8sidx.hunt.clusters import over_clusters

    with open_chosen(store).engine() as whole:
        engine = over_clusters(whole, clusters)
        summaries = engine.summaries()
        if summaries is None:
            raise UsageError(
                "summaries require events shipped by k8sidx, in a cluster or a folder.",
                remedy="Set --index to the prefix you ship to, not to a pattern.",
            )
        yield engine, summaries


def _show(baseline_states: Sequence[Baseline], output: Output) -> None:
    from k8sidx.show.render.sheet import Sheet

    rows = [
        (
            baseline.hunt,
            baseline.kind,
            baseline.days,
            baseline.behind,
            baseline.made,
            str(baseline.first or ""),
            str(baseline.last or ""),
        )
        for baseline in baseline_states
    ]
    columns = ("hunt", "kind", "days", "behind", "made", "first", "last")
    write_sheet(Sheet(columns, rows, "k8sidx baseline"), output)


group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
group.callback(epilog=EXAMPLE)(command)
group.command("update", epilog=UPDATE_EXAMPLE)(update)
