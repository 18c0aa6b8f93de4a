"""``k8sidx report`` command: results of all hunts as one HTML page."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from k8sidx.cli import progress
from k8sidx.cli.exit import EXIT_REJECTED, ends_with_exit_code
from k8sidx.cli.options import (
    LEVEL_NAMES,
    ApproximateOption,
    BaselineOption,
    ClusterOption,
    DebugOption,
    Level,
    MaxAgeOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import print_message
from k8sidx.cli.rule_errors import RuleErrors
from k8sidx.cli.selection import (
    Selection,
    answering,
    is_too_old,
    newest_needed,
    selected_hunts,
    window,
)
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, shown_location, takes_store
from k8sidx.errors import UsageError

NAME = "report"
EXAMPLE = "\b\nExample:\n  k8sidx report -o report.html\n  k8sidx report --since 7d"


@ends_with_exit_code
@takes_store
def command(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Write the page to this file.")
    ] = Path("report.html"),
    level: Annotated[
        Level | None,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help=f"Run hunts of this level or above: {LEVEL_NAMES}.",
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    baseline: BaselineOption = None,
    cluster: ClusterOption = None,
    max_age: MaxAgeOption = None,
    approximate: ApproximateOption = False,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the hunt library and write the results as one HTML page."""
    from k8sidx.hunt.clusters import over_clusters
    from k8sidx.hunt.evidence import evidence_of
    from k8sidx.hunt.run import run_hunts
    from k8sidx.show.panels.survey import survey
    from k8sidx.show.render.hunts import by_urgency, counted
    from k8sidx.show.render.report import ReportData, ReportScope, report_html

    asked = window(since, until, baseline)
    rule_errors = RuleErrors(quiet=quiet)
    oldest = newest_needed(max_age)
    how = answering(timeout, approximate=approximate, quiet=quiet)
    hunts = selected_hunts(Selection(everything=True, level=level))
    opened, location = open_chosen(store), shown_location(store)
    info = opened.info()
    with opened.engine(how) as whole, progress.hunting(len(hunts), quiet=quiet) as on_start:
        engine = over_clusters(whole, cluster or ())
        results = run_hunts(
            hunts, engine, asked, on_start, rule_errors.not_run,
            summaries=engine.summaries(),
        )  # fmt: skip
        rule_errors.summarize(len(hunts))
        start = asked.since - asked.baseline if asked.since and asked.baseline else asked.since
        seen = survey(engine, start, asked.until)
        evidence = evidence_of(engine, by_urgency(results))
    options = [("--level", level), ("--since", since), ("--until", until), ("--baseline", baseline)]
    options += [("--cluster", name) for name in cluster or ()]
    given = [word for option, value in options if value is not None for word in (option, value)]
    scope = ReportScope(
        store=location,
        events=info.events,
        first=info.first,
        last=info.last,
        since=asked.since,
        until=asked.until,
        command=shlex.join(["k8sidx", "report", "--store", location, "-o", str(output), *given]),
        made=datetime.now(UTC),
        rejected=info.rejected,
    )
    _replace(output, report_html(ReportData(scope, hunts, results, seen, evidence)))
    judged = next((result.judged for result in results if result.judged), None)
    print_message(
        f"{counted(results)}: {output}", quiet=quiet and bool(judged is None or judged.count)
    )
    if judged is not None and is_too_old(judged, oldest):
        raise typer.Exit(EXIT_REJECTED)


def _replace(path: Path, text: str) -> None:
    """Replace a file atomically, readable for its owner only; on failure the old one stays."""
    from k8sidx.backends.durable import write_durably

    try:
        write_durably(path, text)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="Give another -o."
        ) from error
