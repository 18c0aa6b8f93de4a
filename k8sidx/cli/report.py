"""``k8sidx report`` command: results of all hunts as one HTML page to work in."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli import progress
from k8sidx.cli.exit import EXIT_REJECTED, ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs, store_or_inputs
from k8sidx.cli.options import (
    ApproximateOption,
    BaselineOption,
    ClusterOption,
    DebugOption,
    InputOption,
    KnownGoodOption,
    LevelOption,
    MaxAgeOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import next_options, print_message
from k8sidx.cli.rule_errors import RuleErrors
from k8sidx.cli.selection import (
    Selection,
    answering,
    is_too_old,
    newest_needed,
    selected_hunts,
    window,
)
from k8sidx.cli.size import parse_size
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, shown_location, takes_store
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from k8sidx.backends.protocol import Engine
    from k8sidx.hunt.result import HuntResult
    from k8sidx.investigate.requests import Request

NAME = "report"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx report -o report.html\n"
    "  k8sidx report --since 7d\n"
    "  k8sidx report --input audit.log.gz --max-size 5MB"
)
IDS = 5_000
"""Requests behind findings whose sentences and events are in the page, the most urgent first."""


@ends_with_exit_code
@takes_store
def command(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Read these files, too.", show_default=False),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Write the page to this file.")
    ] = Path("report.html"),
    level: LevelOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    baseline: BaselineOption = None,
    cluster: ClusterOption = None,
    max_age: MaxAgeOption = None,
    input_: InputOption = None,
    known_good: KnownGoodOption = None,
    max_size: Annotated[
        str, typer.Option("--max-size", metavar="SIZE", help="Make the page no larger than this.")
    ] = "20MB",
    approximate: ApproximateOption = False,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the hunt library and write the results as one HTML page."""
    from k8sidx.hunt.clusters import over_clusters
    from k8sidx.hunt.run import run_hunts
    from k8sidx.show.panels.survey import survey
    from k8sidx.show.render.hunts import counted
    from k8sidx.show.render.report import ReportData, ReportScope, report_of

    words, inputs = separate_inputs(files or [], input_ or [])
    if words:
        raise UsageError(
            f"unexpected argument {words[0]!r}.", remedy="Only files after --input are arguments."
        )
    asked = window(since, until, baseline)
    size = parse_size(max_size)
    rule_errors = RuleErrors(quiet=quiet)
    oldest = newest_needed(max_age)
    how = answering(timeout, approximate=approximate, quiet=quiet)
    selection = Selection(everything=True, level=level, known_good=tuple(known_good or ()))
    hunts = selected_hunts(selection)
    with (
        store_or_inputs(store, inputs, None, quiet=quiet) as (used, shipped),
        used.engine(how) as whole,
        progress.hunting(len(hunts), quiet=quiet) as on_start,
    ):
        info = used.info()
        engine = over_clusters(whole, cluster or ())
        results = run_hunts(
            hunts, engine, asked, on_start, rule_errors.not_run,
            summaries=engine.summaries(),
        )  # fmt: skip
        rule_errors.summarize(len(hunts))
        start = asked.since - asked.baseline if asked.since and asked.baseline else asked.since
        seen = survey(engine, start, asked.until)
        requests, events = _evidence(engine, results)
    location = ", ".join(inputs) or shown_location(store)
    source = [word for path in inputs for word in ("--input", path)] or ["--store", location]
    options = [("--level", level), ("--since", since), ("--until", until), ("--baseline", baseline)]
    options += [("--cluster", name) for name in cluster or ()]
    options += [("--known-good", name) for name in known_good or ()]
    given = [word for option, value in options if value is not None for word in (option, value)]
    scope = ReportScope(
        store=location,
        events=info.events,
        first=info.first,
        last=info.last,
        since=asked.since,
        until=asked.until,
        command=shlex.join(["k8sidx", "report", *source, "-o", str(output), *given]),
        made=datetime.now(UTC),
        rejected=shipped.rejected if shipped else info.rejected,
        options=next_options(store, inputs),
    )
    page = report_of(ReportData(scope, hunts, results, seen, requests, events), size)
    _replace(output, page.html)
    judged = next((result.judged for result in results if result.judged), None)
    print_message(
        f"{counted(results)}: {output}", quiet=quiet and bool(judged is None or judged.count)
    )
    if page.events_left:
        print_message(
            f"{page.events_left:,} of {len(events):,} requests are in the page without their "
            "events: give a larger --max-size.",
            quiet=quiet,
        )
    if judged is not None and is_too_old(judged, oldest):
        raise typer.Exit(EXIT_REJECTED)
    if shipped and (shipped.rejected or shipped.not_understood):
        raise typer.Exit(EXIT_REJECTED)


def _evidence(
    engine: Engine, results: Sequence[HuntResult]
) -> tuple[dict[str, list[Request]], dict[str, list[dict[str, Any]]]]:
    """Return the requests behind findings, and their events, the most urgent first."""
    from k8sidx.hunt.level import LEVELS
    from k8sidx.investigate.evidence import events_by_id, first_ids, requests_by_id, single
    from k8sidx.show.render.hunts import by_urgency

    ids = first_ids([f for f in by_urgency(results) if f.level != LEVELS[0]], IDS)
    requests = requests_by_id(engine, ids)
    known = single(requests)
    events = events_by_id(engine, [name for name in ids if name in known])
    return requests, {name: events[name] for name in ids if name in events}


def _replace(path: Path, text: str) -> None:
    """Replace a file atomically, readable for its owner only; on failure the old one stays."""
    from k8sidx.backends.durable import write_durably

    try:
        write_durably(path, text)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="Give another -o."
        ) from error
