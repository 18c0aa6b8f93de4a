"""``k8sidx watch`` command: run hunts as events are stored."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.completion import complete_hunt
from k8sidx.cli.exit import EXIT_FINDINGS, EXIT_STORE, EXIT_USAGE, ends_with_exit_code
from k8sidx.cli.notifying import deliver_queued, enqueue_findings, notify_folder, targets_of
from k8sidx.cli.options import (
    LEVEL_NAMES,
    ClusterOption,
    DebugOption,
    KnownGoodOption,
    Level,
    LevelOption,
    LogFormatOption,
    MetricsOption,
    QuietOption,
    SinceOption,
    TagOption,
    TimeoutOption,
)
from k8sidx.cli.output import LogFormat, effective_format, print_message, write_text
from k8sidx.cli.rule_errors import RuleErrors
from k8sidx.cli.selection import Selection, answering, selected_hunts, window
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, shown_location, takes_store
from k8sidx.errors import StoreError, UsageError
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.backends.store import Store
    from k8sidx.hunt.result import Finding, HuntResult
    from k8sidx.hunt.watch.watcher import Step, Watcher
    from k8sidx.notify.target import Target
    from k8sidx.shipping.signals import Stop

NAME = "watch"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx watch --level high --every 10s --notify soc\n"
    "  k8sidx watch --level high -o jsonl\n"
    "  k8sidx watch --level high --once"
)
_NEW = "new:"


@ends_with_exit_code
@takes_store
def command(
    hunts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|FILE.yml...]",
            help="Watch for these hunts. [default: the whole library]",
            autocompletion=complete_hunt,
            show_default=False,
        ),
    ] = None,
    tag: TagOption = None,
    level: LevelOption = None,
    every: Annotated[
        str, typer.Option("--every", metavar="SPAN", help="Look for new events so often.")
    ] = "60s",
    once: Annotated[
        bool, typer.Option("--once", help="Look at what is new, and end: for cron.")
    ] = False,
    since: SinceOption = None,
    cluster: ClusterOption = None,
    known_good: KnownGoodOption = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            "--notify",
            metavar="NAME|URL",
            help="Send new findings to this target (repeatable).",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on",
            metavar="[new:]LEVEL",
            help="Exit with 1 in the end if a new finding has this level or above.",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="Save in this file what was looked at. [default: a file in the store or below "
            "~/.local/state]",
            show_default=False,
        ),
    ] = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: Annotated[
        Output | None,
        typer.Option(
            "--output",
            "-o",
            metavar="table|jsonl",
            help="Print new findings as lines of text or JSON. [default: text on a terminal]",
            show_default=False,
        ),
    ] = None,
    metrics: MetricsOption = None,
    log_format: LogFormatOption = LogFormat.TEXT,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run hunts over new events as they are stored, each finding once."""
    from k8sidx.cli.telemetry.server import telemetry
    from k8sidx.hunt.watch.checkpoint import CheckpointFile
    from k8sidx.hunt.watch.watcher import Watcher
    from k8sidx.query.durations import parse_span
    from k8sidx.shipping.signals import Stop

    if output not in (None, Output.TABLE, Output.JSONL):
        raise UsageError(f"watch has no output {output}.", remedy="Give -o table or -o jsonl.")
    bound = _level_of(fail_on)
    seconds = parse_span(every).total_seconds()
    rule_errors = RuleErrors(quiet=quiet, verbose=False)
    names = tuple(hunts or ())
    everything = not (names or tag or level)
    chosen = selected_hunts(
        Selection(names, everything, tuple(tag or ()), level, tuple(known_good or ())),
        rule_errors.unread,
    )
    rule_errors.settle(hunts=len(chosen))
    opened = open_chosen(store, create=not once)
    watching = Watching(
        opened, targets_of(notify or []), as_json=effective_format(output) is not Output.TABLE,
        quiet=quiet,
    )  # fmt: skip
    path = checkpoint or _default_checkpoint(opened)
    with CheckpointFile(path) as kept, Stop() as stop:
        watcher = Watcher(
            opened,
            chosen,
            kept,
            watching.report,
            options=answering(timeout, approximate=False, quiet=quiet),
            clusters=cluster or (),
            since=window(since, None, None).since,
        )
        watching.started(watcher, shown_location(store), path)
        if once:
            watching.step(watcher)
        else:
            with telemetry(watching.runs, metrics, quiet=quiet):
                watching.until_signal(watcher, seconds, stop)
    watching.ended()
    if bound and watching.reached(bound):
        raise typer.Exit(EXIT_FINDINGS)
    if watching.incomplete:
        raise typer.Exit(EXIT_STORE)
    if rule_errors.errors:
        raise typer.Exit(EXIT_USAGE)
    if not once and stop.signal is Signals.SIGINT:
        raise typer.Exit(128 + Signals.SIGINT)


class Watching:
    """Runs of one watching process, and what is printed about them.

    :ivar incomplete: whether messages wait for a target, or the last run failed.
    """

    def __init__(
        self, store: Store, targets: Sequence[Target], *, as_json: bool, quiet: bool
    ) -> None:
        from k8sidx.cli.telemetry.metrics import WatchRuns

        self.incomplete = False
        self.runs = WatchRuns()
        self._targets = targets
        self._folder = notify_folder(store, ())
        self._as_json = as_json
        self._quiet = quiet
        self._unjudged: dict[str, str] = {}

    def started(self, watcher: Watcher, location: str, checkpoint: Path) -> None:
        """Print what is watched."""
        number = sum(len(group.hunts) for group in watcher.groups)
        self._notice(f"watching {location} with {number:,} hunts; the checkpoint is {checkpoint}")

    def until_signal(self, watcher: Watcher, seconds: float, stop: Stop) -> None:
        """Run again and again; a store that fails is read again the next time."""
        failure = ""
        while stop.signal is None:
            began = time.monotonic()
            try:
                self.step(watcher, all_groups=False)
                failure = ""
            except StoreError as error:
                self.incomplete = True
                self.runs.ended(time.monotonic() - began, succeeded=False)
                if str(error) != failure:
                    failure = str(error)
                    print_message(f"k8sidx: {failure} Trying again every {seconds:g} s.")
            while stop.signal is None and time.monotonic() < began + seconds:
                time.sleep(min(0.1, seconds))

    def step(self, watcher: Watcher, *, all_groups: bool = True) -> None:
        """Run once, and send what waits for the targets.

        :raises StoreError: when the store cannot be read, or findings cannot be saved.
        """
        began = time.monotonic()
        step = watcher.step(all_groups=all_groups)
        self.runs.ended(time.monotonic() - began, succeeded=True)
        self._print(step)
        self.incomplete = not deliver_queued(self._targets, self._folder, quiet=self._is_idle(step))

    def report(self, results: Sequence[HuntResult]) -> None:
        """Queue the messages about new findings, and print these."""
        enqueue_findings(results, self._targets, self._folder)
        findings = [finding for result in results for finding in result.findings]
        for finding in findings:
            self.runs.levels[finding.level] = self.runs.levels.get(finding.level, 0) + 1
        write_text("".join(map(self._line, findings)))

    def ended(self) -> None:
        """Print the counts."""
        self._notice(self.runs.line()[0])

    def reached(self, level: Level) -> bool:
        """Whether a new finding has a level or a higher one."""
        from k8sidx.hunt.level import urgency

        return any(urgency(each) >= urgency(level) for each in self.runs.levels)

    def _print(self, step: Step) -> None:
        if step.restarted:
            print_message(f"all events of the store are looked at again: {step.restarted}.")
        if step.new or step.known:
            self._notice(f"{len(step.new):,} new findings; {step.known:,} are saved or silenced.")
        news = {hunt: why for hunt, why in step.unjudged.items() if hunt not in self._unjudged}
        self._unjudged |= news
        if news:
            hunt, why = next(iter(news.items()))
            print_message(
                f"{len(news):,} hunts cannot judge some events, for example {hunt}: {why} "
                "`k8sidx hunt --all -v` prints them all."
            )

    def _is_idle(self, step: Step) -> bool:
        return self._quiet or not step.new

    def _line(self, finding: Finding) -> str:
        from k8sidx.show.render.escape import json_line, visible
        from k8sidx.show.render.formats.json import finding_object

        if self._as_json:
            return json_line(finding_object(finding)) + "\n"
        seen = f"{finding.last_seen:%F %TZ}" if finding.last_seen else "no time"
        return visible(f"{seen} {finding.level} {finding.hunt}: {finding.reason}") + "\n"

    def _notice(self, line: str) -> None:
        print_message(line, quiet=self._quiet)


def _level_of(fail_on: str | None) -> Level | None:
    if fail_on is None:
        return None
    try:
        return Level(fail_on.removeprefix(_NEW))
    except ValueError:
        raise UsageError(
            f"--fail-on {fail_on!r} is not a level.", remedy=f"Give one of {LEVEL_NAMES}."
        ) from None


def _default_checkpoint(store: Store) -> Path:
    digest = hashlib.sha256("\n".join(store.state_key).encode()).hexdigest()
    return store.state_folder / f"watch-{digest[:16]}.json"
