"""``k8sidx hunt`` command: run hunts over a store or over files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli import progress
from k8sidx.cli.completion import complete_hunt
from k8sidx.cli.exit import (
    EXIT_FINDINGS,
    EXIT_REJECTED,
    EXIT_STORE,
    EXIT_USAGE,
    ends_with_exit_code,
)
from k8sidx.cli.hunt_saved import known_good_entry, only_new
from k8sidx.cli.inputs import separate_inputs, store_or_inputs
from k8sidx.cli.notifying import (
    deliver_queued,
    enqueue_findings,
    notify_folder,
    targets_of,
)
from k8sidx.cli.options import (
    ApproximateOption,
    BaselineOption,
    ClusterOption,
    DebugOption,
    InputOption,
    KnownGoodOption,
    Level,
    LevelOption,
    MaxAgeOption,
    OutputOption,
    QuietOption,
    SinceOption,
    TagOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import (
    effective_format,
    is_table,
    next_options,
    print_document,
    print_message,
    print_on_console,
    write_text,
)
from k8sidx.cli.rule_errors import RuleErrors
from k8sidx.cli.selection import (
    Selection,
    answering,
    is_too_old,
    newest_needed,
    selected_hunts,
    window,
)
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, takes_store
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from k8sidx.backends.store import Store
    from k8sidx.hunt.definition import Hunt
    from k8sidx.hunt.result import EventsJudged, HuntResult
    from k8sidx.investigate.requests import Request


class Grouping(StrEnum):
    """Key by which findings are grouped."""

    ACTOR = "actor"


NAME = "hunt"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx hunt topn_user_agent\n"
    "  k8sidx hunt --all --level high --since 7d --fail-on critical\n"
    "  k8sidx hunt --all --input audit.log.gz -o json"
)


@ends_with_exit_code
@takes_store
def command(
    hunts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE.yml",
            help="Run these library hunts, Sigma rule files or folders of rules.",
            autocompletion=complete_hunt,
            show_default=False,
        ),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Run every library hunt except activity streams.")
    ] = False,
    tag: TagOption = None,
    level: LevelOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    baseline: BaselineOption = None,
    cluster: ClusterOption = None,
    max_age: MaxAgeOption = None,
    fail_on: Annotated[
        Level | None,
        typer.Option(
            "--fail-on",
            metavar="LEVEL",
            help="Exit with 1 if a finding has this level or above, with 4 without events.",
        ),
    ] = None,
    input_: InputOption = None,
    known_good: KnownGoodOption = None,
    suggest_allow: Annotated[
        bool,
        typer.Option(
            "--suggest-allow",
            help="Print a suggested allow list instead of results.",
        ),
    ] = False,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="Save the findings in the store, updating those already saved.",
        ),
    ] = False,
    new: Annotated[
        bool,
        typer.Option("--new", help="Show only findings that are not saved yet, or reopened."),
    ] = False,
    known_good_from: Annotated[
        str | None,
        typer.Option(
            "--known-good-from",
            metavar="ID",
            help="Print the allow-list entry of this saved finding instead of hunting.",
            show_default=False,
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            "--notify",
            metavar="NAME|URL",
            help="Send findings to this target (repeatable); with a store, add --new --save.",
            show_default=False,
        ),
    ] = None,
    group: Annotated[
        Grouping | None,
        typer.Option(
            "--group",
            metavar="actor",
            help="Group the findings into a timeline for each actor.",
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Print all findings and tables, and each hunt that cannot run."
        ),
    ] = False,
    approximate: ApproximateOption = False,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run hunts from the library or from your own Sigma rules."""
    from k8sidx.hunt.allowlist_suggest import FIELDS, allowlist_text, suggestions
    from k8sidx.hunt.attack.chain import tactics_by_hunt
    from k8sidx.hunt.clusters import over_clusters
    from k8sidx.hunt.required_fields import required_fields
    from k8sidx.hunt.run import run_hunts
    from k8sidx.investigate.evidence import OUTCOME_KEYS, requests_behind, with_outcomes
    from k8sidx.investigate.requests import STORED as COLUMNS
    from k8sidx.show.render.first_screen import FirstScreen, print_first_screen, worth_showing

    if known_good_from:
        write_text(known_good_entry(open_chosen(store), known_good_from))
        return
    names, inputs = separate_inputs(hunts or [], input_ or [])
    if new and inputs:
        raise UsageError("--new requires a store, but the events are read from files.")
    if save and (inputs or suggest_allow):
        raise UsageError(
            "--save requires a store, but the events are read from files.",
            remedy="Ship the files first: k8sidx ship FILE",
        )
    if notify and not inputs and not (new and save):
        raise UsageError(
            "--notify with a store tells each finding once, for which it needs --new and --save.",
            remedy="Add --new --save.",
        )
    targets = targets_of(notify or [])
    rule_errors = RuleErrors(quiet=quiet, verbose=verbose)
    chosen_hunts = selected_hunts(
        Selection(names, all_, tuple(tag or ()), level, tuple(known_good or ())), rule_errors.unread
    )
    rule_errors.settle(hunts=len(chosen_hunts))
    if not chosen_hunts:
        print_message(f"no selected hunt has level {level} or above.", quiet=quiet)
    time_window = window(since, until, baseline)
    first = not (names or verbose or group or suggest_allow) and is_table(output)
    behind: Mapping[str, Request] = {}
    columns = required_fields(chosen_hunts) | FIELDS | (COLUMNS if first else frozenset())
    detailed = (
        effective_format(output) in (Output.JSON, Output.JSONL, Output.OCSF) and not suggest_allow
    )
    if detailed:
        columns |= set(OUTCOME_KEYS)
    oldest = newest_needed(max_age)
    how = answering(timeout, approximate=approximate, quiet=quiet)
    with (
        store_or_inputs(store, inputs, columns, quiet=quiet) as (used, report),
        used.engine(how) as whole,
        progress.hunting(len(chosen_hunts), quiet=quiet) as on_start,
    ):
        engine = over_clusters(whole, cluster or ())
        if suggest_allow:
            proposed = allowlist_text(
                suggestions(chosen_hunts, engine, time_window), datetime.now(UTC).date()
            )
        else:
            summaries = engine.summaries()
            results = run_hunts(
                chosen_hunts,
                engine,
                time_window,
                on_start,
                rule_errors.not_run,
                summaries=summaries,
            )
            rule_errors.summarize(len(chosen_hunts))
            if summaries is not None and summaries.error:
                print_message(summaries.error, quiet=quiet)
        everything = [] if suggest_allow else results
        if new and not suggest_allow:
            results = only_new(used, results, quiet=quiet)
        if detailed:
            results = with_outcomes(engine, results)
        if first:
            behind = requests_behind(engine, worth_showing(results))
        folder = notify_folder(used, inputs)
        if targets:  # before they are saved: a process that is killed tells them twice, not never
            enqueue_findings(results, targets, folder)
        if save:
            _save(used, chosen_hunts, everything, quiet=quiet)
    if suggest_allow:
        write_text(proposed)
        return
    judged = next((result.judged for result in results if result.judged), None)
    if judged is not None and not (first and judged.count):
        _print_judged(judged, quiet=quiet)
    if first:
        tactics = tactics_by_hunt(chosen_hunts)
        screen = FirstScreen(results, behind, next_options(store, inputs), tactics)
        print_on_console(lambda console: print_first_screen(console, screen))
    elif group:
        _show_stories(results, chosen_hunts, effective_format(output))
    else:
        _show(results, effective_format(output), quiet=quiet)
    complete = deliver_queued(targets, folder, quiet=quiet)
    if fail_on and _reached(results, fail_on):
        raise typer.Exit(EXIT_FINDINGS)
    if not complete:
        raise typer.Exit(EXIT_STORE)
    if rule_errors.errors:
        raise typer.Exit(EXIT_USAGE)
    if judged is not None and ((fail_on and not judged.count) or is_too_old(judged, oldest)):
        raise typer.Exit(EXIT_REJECTED)
    if report and (report.rejected or report.not_understood):
        raise typer.Exit(EXIT_REJECTED)


def _print_judged(judged: EventsJudged, *, quiet: bool) -> None:
    from k8sidx.show.render.judged import judged_text

    print_message(f"{judged_text(judged)}.", quiet=quiet and bool(judged.count))


def _save(
    store: Store, hunts: Sequence[Hunt], results: Sequence[HuntResult], *, quiet: bool
) -> None:
    from k8sidx.hunt.findings.saving import save

    saved = save(store, hunts, results, datetime.now(UTC))
    print_message(
        f"findings: {saved.new:,} new, {saved.updated:,} updated in {saved.where}", quiet=quiet
    )


def _show_stories(results: Sequence[HuntResult], hunts: Sequence[Hunt], output: Output) -> None:
    from k8sidx.hunt.actor_timeline import timelines_of
    from k8sidx.hunt.attack.chain import tactics_by_hunt

    findings = [finding for result in results for finding in result.findings]
    stories = timelines_of(findings, tactics=tactics_by_hunt(hunts))
    print_document(load_format(output).stories(stories))


def _show(results: Sequence[HuntResult], output: Output, *, quiet: bool) -> None:
    from k8sidx.show.render.hunts import sheet_of

    format_ = load_format(output)
    if not format_.shows_notes:
        for result in results:
            for note in sheet_of(result).notes:
                print_message(f"{result.hunt}: {note}", quiet=quiet)
    print_document(format_.hunts(results))


def _reached(results: Sequence[HuntResult], level: Level) -> bool:
    from k8sidx.hunt.level import urgency

    return any(urgency(f.level) >= urgency(level) for result in results for f in result.findings)
