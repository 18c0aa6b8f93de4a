"""``k8sidx report`` command: results of all hunts as one HTML page."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli import progress
from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import (
    LEVELS_SAID,
    ApproximateOption,
    BaselineOption,
    DebugOption,
    Level,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import say
from k8sidx.cli.rule_errors import Problems
from k8sidx.cli.selection import Selection, answering, selected_hunts, window
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, shown_location, takes_store
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.backends.open import Store

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
            help=f"Minimum level: {LEVELS_SAID}.",
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    baseline: BaselineOption = None,
    approximate: ApproximateOption = False,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the hunt library and write the results as one HTML page."""
    from k8sidx.hunt.evidence import evidence_of
    from k8sidx.hunt.run import run_hunts
    from k8sidx.show.panels.survey import survey
    from k8sidx.show.render.hunts import by_urgency, counted
    from k8sidx.show.render.report import ReportData, ReportScope, report_html

    asked = window(since, until, baseline)
    how = answering(timeout, approximate=approximate)
    hunts = selected_hunts(Selection(everything=True, level=level))
    opened, location = open_chosen(store), shown_location(store)
    summary = opened.summary()
    with opened.engine(how) as engine, progress.hunting(len(hunts), quiet=quiet) as on_start:
        results = run_hunts(
            hunts, engine, asked, on_start, Problems(quiet=quiet).not_run,
            summaries=opened.summaries(engine),
        )  # fmt: skip
        start = asked.since - asked.baseline if asked.since and asked.baseline else asked.since
        seen = survey(engine, start, asked.until)
        evidence = evidence_of(engine, by_urgency(results))
    options = [("--level", level), ("--since", since), ("--until", until), ("--baseline", baseline)]
    given = [word for option, value in options if value is not None for word in (option, value)]
    scope = ReportScope(
        store=location,
        events=summary.events,
        first=summary.first,
        last=summary.last,
        since=asked.since,
        until=asked.until,
        command=shlex.join(["k8sidx", "report", "--store", location, "-o", str(output), *given]),
        made=datetime.now(UTC),
        rejected=_rejected(opened),
    )
    _replace(output, report_html(ReportData(scope, hunts, results, seen, evidence)))
    say(f"{counted(results)}: {output}", quiet=quiet)


def _rejected(store: Store) -> int | None:
    """Return the number of records in an embedded store's dead-letter files."""
    from k8sidx.backends.embedded.store import EmbeddedStore

    if not isinstance(store, EmbeddedStore):
        return None
    count = 0
    for path in (store.path / "dead-letter").glob("*.jsonl"):
        with path.open("rb") as file:
            count += sum(1 for _ in file)
    return count


def _replace(path: Path, text: str) -> None:
    """Replace a file atomically; on failure the old one stays."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="Give another -o."
        ) from error
