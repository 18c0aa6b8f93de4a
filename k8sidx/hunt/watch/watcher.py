"""Watcher: runs hunts over what is new in a store, and reports each finding once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from k8sidx.backends.changes import Changes
from k8sidx.backends.protocol import QueryOptions, StoreEngine
from k8sidx.backends.scoped import scoped_store_engine
from k8sidx.backends.store import Store
from k8sidx.errors import UsageError
from k8sidx.hunt.clusters import over_clusters
from k8sidx.hunt.definition import LOOK_BACK, Hunt
from k8sidx.hunt.findings.lifecycle import live_findings
from k8sidx.hunt.findings.record import finding_id
from k8sidx.hunt.findings.saving import save
from k8sidx.hunt.findings.unsaved import continued, unsaved_findings
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.run import run_hunts
from k8sidx.hunt.watch.checkpoint import CheckpointFile
from k8sidx.hunt.watch.groups import Group, groups_of
from k8sidx.query.algebra import Not, Present

SHARE = 0.05
"""Share of the time in which groups run that look far back, or compare with a baseline."""


@dataclass(slots=True)
class Step:
    """Outcome of one run.

    :ivar groups: how many groups had something new to look at.
    :ivar new: the findings that are reported for the first time.
    :ivar known: how many findings were saved or silenced before.
    :ivar unjudged: by hunt, the first reason why it cannot judge some events.
    :ivar restarted: why all events were looked at again.
    """

    groups: int = 0
    new: list[Finding] = field(default_factory=list)
    known: int = 0
    unjudged: dict[str, str] = field(default_factory=dict)
    restarted: str = ""


@dataclass(slots=True)
class _Turn:
    """When a group ran last, and how long it took, in seconds."""

    ended: float
    took: float

    def is_over(self, now: float) -> bool:
        return now - self.ended >= self.took / SHARE


class Watcher:
    """Runs hunts over what is new in a store.

    :param on_new: receives the new findings before they are saved: a process that is killed
        reports them twice, not never.
    :param clusters: only events of these.
    :param since: only events from here on, when a group runs for the first time.
    """

    def __init__(
        self,
        store: Store,
        hunts: Sequence[Hunt],
        checkpoints: CheckpointFile,
        on_new: Callable[[Sequence[HuntResult]], None],
        *,
        options: QueryOptions,
        clusters: Sequence[str] = (),
        since: datetime | None = None,
    ) -> None:
        self.groups = groups_of(hunts)
        self._store = store
        self._checkpoints = checkpoints
        self._on_new = on_new
        self._options = options
        self._clusters = clusters
        self._since = since
        self._turns: dict[str, _Turn] = {}

    def step(self, *, all_groups: bool = False) -> Step:
        """Run each group that has new events and whose turn it is.

        :param all_groups: also groups that wait for their turn.
        :raises StoreError: when the store cannot be read, or findings cannot be saved. What was
            looked at before stays so; the rest is looked at by the next run.
        """
        step = Step()
        for group in self.groups:
            turn = self._turns.get(group.name)
            is_cheap = not group.compares and group.look_back <= LOOK_BACK
            if is_cheap or all_groups or turn is None or turn.is_over(time.monotonic()):
                started, cpu = time.monotonic(), time.process_time()
                if self._run(group, step):
                    ended = time.monotonic()
                    took = max(ended - started, time.process_time() - cpu)
                    self._turns[group.name] = _Turn(ended, took)
        return step

    def _run(self, group: Group, step: Step) -> bool:
        """Run a group; return whether it had new events."""
        before = self._checkpoints.of(group.name)
        changes = self._store.changes(before)
        if not changes:
            self._checkpoints.keep(group.name, changes.checkpoint)
            return False
        step.groups += 1
        step.restarted = step.restarted or changes.restarted
        results = self._results(group, changes, is_first=before is None)
        for result in results:
            for unjudged in result.cannot_judge:
                step.unjudged.setdefault(result.hunt, unjudged.reason)
        self._report(group, results, step)
        self._checkpoints.keep(group.name, changes.checkpoint)
        return True

    def _report(self, group: Group, results: Sequence[HuntResult], step: Step) -> None:
        if not any(result.findings for result in results):
            return
        now = datetime.now(UTC)
        saved = live_findings(self._store, now)
        look_back = {hunt.id: hunt.look_back for hunt in group.hunts}
        everything = continued(results, saved, look_back)
        new, left_out = unsaved_findings(_each_once(everything), saved, repeated=False)
        step.known += left_out
        findings = [finding for result in new for finding in result.findings]
        if findings:
            self._on_new(new)
            step.new += findings
        save(self._store, group.hunts, everything, now)

    def _results(self, group: Group, changes: Changes, *, is_first: bool) -> list[HuntResult]:
        results: list[HuntResult] = []
        with self._engine() as engine:
            if is_first:
                # The same as a run of `hunt`: baselines are those of each kind.
                return _run_group(group, engine, Window(since=self._since))
            for since, until in group.windows(changes.spans):
                results += _run_group(group, engine, Window(since=since, until=until))
            if changes.untimed:
                untimed = scoped_store_engine(engine, Not(Present("@timestamp")))
                results += _run_group(group, untimed, Window())
        return results

    @contextmanager
    def _engine(self) -> Iterator[StoreEngine]:
        with self._store.engine(self._options) as engine:
            yield over_clusters(engine, self._clusters)


def _run_group(group: Group, engine: StoreEngine, window: Window) -> list[HuntResult]:
    def not_run(hunt: Hunt, error: UsageError) -> None:
        """Leave it to the result, which has the reason."""

    return run_hunts(group.hunts, engine, window, on_error=not_run, summaries=engine.summaries())


def _each_once(results: Sequence[HuntResult]) -> list[HuntResult]:
    """Return results of several times with one finding of each id."""
    seen: set[str] = set()
    kept = []
    for result in results:
        findings = []
        for finding in result.findings:
            identifier = finding_id(finding)
            if identifier not in seen:
                seen.add(identifier)
                findings.append(finding)
        kept.append(replace(result, findings=findings))
    return kept
