"""Watched hunts: what is new in a store, each finding once, and none missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.storage.compaction import merge_small_parts
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.protocol import EXACT
from k8sidx.errors import UsageError
from k8sidx.hunt.findings.lifecycle import decide, live_findings
from k8sidx.hunt.findings.record import finding_id
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.run import run_hunts
from k8sidx.hunt.watch import watcher as module
from k8sidx.hunt.watch.checkpoint import CheckpointFile
from k8sidx.hunt.watch.groups import MAX_SPANS, groups_of
from k8sidx.hunt.watch.watcher import Watcher
from tests.building import START, event, normalized
from tests.hunt.findings.test_saving import NOW
from tests.stores import put, put_normalized

HUNTS = load_hunts(["pod_portforward", "secret_read_burst"])
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """Ends a run as a signal that nothing can catch would."""


class Watched:
    """A store, and processes that watch it one after the other."""

    def __init__(self, folder: Path) -> None:
        self.store = EmbeddedStore(folder / "store")
        self.path = folder / "checkpoint.json"
        self.reported: list[Finding] = []

    def report(self, results: Sequence[HuntResult]) -> None:
        self.reported += [finding for result in results for finding in result.findings]

    def run(self) -> list[Finding]:
        """Run a process once; return what it reports."""
        before = len(self.reported)
        with CheckpointFile(self.path) as checkpoints:
            watcher = Watcher(self.store, HUNTS, checkpoints, self.report, options=EXACT)
            watcher.step(all_groups=True)
        return self.reported[before:]

    def put(self, *events: dict[str, Any]) -> None:
        put(self.store, events)

    def merge(self) -> None:
        writer = self.store.writer()
        assert merge_small_parts(writer, enough=2)
        writer.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    watched.put(event(seconds=-3600))
    assert watched.run() == []
    yield watched
    # Whatever happened, every finding of the store was reported.
    ids = {item.id for item in live_findings(watched.store, NOW)}
    assert ids <= {finding_id(finding) for finding in watched.reported}


def forwarded(user: str, seconds: float = 0) -> dict[str, Any]:
    return event("get", subresource="portforward", user=user, name="db", seconds=seconds, code=101)


def reads(user: str, start: int, number: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        event("get", "secrets", user=user, name=f"s{first + n}", seconds=start + n)
        for n in range(number)
    ]


def users(findings: Sequence[Finding]) -> list[str]:
    return [str(finding.key["user.effective.name"]) for finding in findings]


def test_a_finding_is_reported_once_and_the_next_one_by_itself(watched: Watched) -> None:
    watched.put(forwarded("mallory"))
    assert users(watched.run()) == ["mallory"]
    assert watched.run() == []
    watched.put(forwarded("mallory", 60), forwarded("trudy", 60))
    assert users(watched.run()) == ["trudy"]


def test_an_event_that_is_days_late_is_found(watched: Watched) -> None:
    watched.put(forwarded("late", -3 * 86_400), event(seconds=30))
    assert users(watched.run()) == ["late"]


def test_an_event_without_any_time_is_found(watched: Watched) -> None:
    undated = forwarded("undated")
    del undated["stageTimestamp"], undated["requestReceivedTimestamp"]
    watched.put(undated)
    assert users(watched.run()) == ["undated"]


def test_a_burst_over_the_boundary_of_two_runs_is_found_once(watched: Watched) -> None:
    hunt = next(hunt for hunt in HUNTS if hunt.id == "secret_read_burst")
    needed: int = hunt.at_least  # type: ignore[attr-defined]
    watched.put(*reads("reader", 0, needed // 2))
    assert watched.run() == []
    watched.put(*reads("reader", needed // 2, needed, needed // 2))
    assert users(watched.run()) == ["reader"]
    watched.put(*reads("reader", 2 * needed, needed, 2 * needed))
    assert watched.run() == []


def test_a_burst_that_goes_on_over_midnight_is_one_finding(watched: Watched) -> None:
    midnight = 12 * 3600
    for start in range(midnight - 300, midnight + 600, 300):
        watched.put(*reads("reader", start, 300, start)[::10])
        watched.run()
    assert users(watched.reported) == ["reader"]
    [saved] = live_findings(watched.store, NOW)
    assert saved.finding.last_seen and saved.finding.last_seen > START + timedelta(hours=12)


def test_merging_meanwhile_hides_and_repeats_nothing(watched: Watched) -> None:
    watched.put(forwarded("one"))
    assert users(watched.run()) == ["one"]
    watched.put(forwarded("two", 60))
    watched.merge()
    assert users(watched.run()) == ["two"]
    assert watched.run() == []


def test_a_clock_that_is_set_back_hides_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.put(forwarded("one"))
    watched.run()
    monkeypatch.setattr("time.time_ns", lambda: 1)
    monkeypatch.setattr("time.time", lambda: 1.0)
    watched.put(forwarded("two", -7200))
    assert users(watched.run()) == ["two"]


@pytest.mark.parametrize("step", ["save", "report", "keep"])
def test_a_killed_run_is_made_up_for_by_the_next(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Killed before it reports, before it saves, and before it keeps the checkpoint."""
    watched.put(forwarded("mallory"))

    def killed(*_: object, **__: object) -> None:
        raise Killed

    owner: Any = {"save": module, "report": watched, "keep": CheckpointFile}[step]
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(owner, step, killed)
        watched.run()
    watched.run()
    assert 1 <= len(watched.reported) <= 2
    assert set(users(watched.reported)) == {"mallory"}
    assert watched.run() == []


def test_clusters_are_told_apart_however_the_events_come(watched: Watched) -> None:
    def of(cluster: str, *events: dict[str, Any]) -> None:
        put_normalized(watched.store, [normalized(each, cluster=cluster) for each in events])

    for number in range(4):
        of(f"c{number}", forwarded("mallory", number))
        watched.run()
    assert users(watched.reported) == ["mallory"] * 4
    of("c3", forwarded("mallory", 20))
    of("c2", forwarded("mallory", 21))
    watched.put(forwarded("mallory", 22))
    assert [f.key.get("orchestrator.cluster.name") for f in watched.run()] == ["(unnamed)"]
    watched.put(forwarded("mallory", 3600))
    assert watched.run() == []


def test_a_closed_finding_with_later_requests_is_reported_again(watched: Watched) -> None:
    watched.put(forwarded("mallory"))
    watched.run()
    decide(watched.store, live_findings(watched.store, NOW), "close", by="ana", now=NOW)
    watched.put(forwarded("mallory", 60))
    assert users(watched.run()) == ["mallory"]
    assert watched.run() == []


def test_a_run_reads_the_time_around_the_new_events_alone(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[Window] = []
    real = run_hunts

    def spied(hunts: Any, engine: Any, window: Window, **more: Any) -> Any:
        windows.append(window)
        return real(hunts, engine, window, **more)

    monkeypatch.setattr("k8sidx.hunt.watch.watcher.run_hunts", spied)
    watched.run()
    assert windows == []  # nothing new: nothing is read
    watched.put(event(seconds=5))
    watched.run()
    assert windows == [
        Window(since=START - group.look_back, until=START + MINUTE + group.look_back)
        for group in groups_of(HUNTS)
    ]


def test_many_late_events_make_few_windows() -> None:
    group = groups_of(HUNTS)[0]
    hours = tuple((START + n * 60 * MINUTE, START + (n * 60 + 1) * MINUTE) for n in range(40))
    windows = group.windows(hours)
    assert len(windows) == MAX_SPANS
    assert all(any(a <= since and until <= b for a, b in windows) for since, until in hours)


def test_groups_have_every_hunt_of_the_library_that_makes_findings() -> None:
    library = load_library()
    grouped = [hunt.id for group in groups_of(library) for hunt in group.hunts]
    assert sorted(grouped) == sorted(hunt.id for hunt in library if hunt.kind != "top")


def test_two_processes_do_not_share_a_checkpoint(watched: Watched) -> None:
    with CheckpointFile(watched.path), pytest.raises(UsageError, match="another k8sidx watch"):
        CheckpointFile(watched.path)


def test_a_damaged_checkpoint_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"format": "k8sidx-watch", "version": 2}', '{"format": "x"}'):
        (tmp_path / "c.json").write_text(text)
        with pytest.raises(UsageError, match="not a valid checkpoint file"):
            CheckpointFile(tmp_path / "c.json")
