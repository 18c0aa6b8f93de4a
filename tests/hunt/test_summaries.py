"""Summaries and events give the same answer; what a summary cannot know is asked again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.storage.compaction import merge_small_parts
from k8sidx.backends.embedded.storage.manifest import VERSION, read_manifest
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.embedded.summaries import FOLDER, EmbeddedSummaries
from k8sidx.backends.result import Result
from k8sidx.backends.summaries import SummaryEngine, completed_days
from k8sidx.backends.summary_key import digest_of
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.query.algebra import DateHistogram, Metric, Query, Terms
from tests.building import START, event
from tests.stores import put, stored

DAY = 86_400
DAYS = 12
COMPARING = [hunt for hunt in load_library() if hunt.kind in {"new", "top", "spike", "silent"}]
OF_EACH_SHAPE = list(
    {
        (
            type(hunt),
            *(
                (*(type(key) for key in one.group_by), *(metric.kind for metric in one.metrics))
                for one in hunt.baseline_queries()
            ),
        ): hunt
        for hunt in COMPARING
    }.values()
)
"""A hunt of each kind for each shape of what it asks: groups and metrics. Which days have a
summary that counts does not depend on more."""
WINDOWS = {
    "since": Window(since=START + timedelta(days=10, hours=3), baseline=timedelta(days=9)),
    "until": Window(until=START + timedelta(days=9), baseline=timedelta(days=30)),
    "all": Window(baseline=timedelta(days=30)),
    "without a baseline": Window(since=START + timedelta(days=7)),
}


def some_events(seed: int, count: int = 600) -> list[dict[str, Any]]:
    """Events at random over the days, some of users and clients that come late."""
    chosen = random.Random(seed)  # noqa: S311
    made = []
    for number in range(count):
        day = chosen.randrange(DAYS)
        known = 3 + day // 4
        user = chosen.choice(
            ["alice", "system:node:worker-1", "system:serviceaccount:shop:web", "bob", "eve", ""]
            [:known]
        )  # fmt: skip
        made.append(
            event(
                chosen.choice(["get", "list", "create", "delete"]),
                chosen.choice(["pods", "secrets", "deployments", "configmaps"]),
                user=user,
                code=chosen.choice([200, 200, 403]),
                source=f"10.0.0.{chosen.randrange(known)}",
                agent=chosen.choice(["kubectl/v1.37.2", "curl/8.5.0", "python/3"][: known - 2]),
                seconds=day * DAY + chosen.randrange(DAY // 2),
                name=f"n{number}",
            )
        )
    return made


def judged(
    store: EmbeddedStore, window: Window, hunts: Sequence[Hunt] = COMPARING
) -> list[HuntResult]:
    """What the hunts say with summaries, after it was the same without them."""
    with store.engine() as engine:
        scanned = run_hunts(hunts, engine, window)
        summed = run_hunts(hunts, engine, window, summaries=engine.summaries())
    assert summed == scanned
    return summed


def summary_files(store: EmbeddedStore) -> set[str]:
    return {path.name for path in (store.path / FOLDER).rglob("*") if path.is_file()}


@pytest.mark.parametrize("window", WINDOWS)
def test_with_summaries_and_without_them_hunts_say_the_same(window: str, tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(1))
    first = judged(store, WINDOWS[window])
    assert summary_files(store), "the first run made summaries"
    assert judged(store, WINDOWS[window]) == first
    assert any(result.rows for result in first)


@pytest.mark.parametrize("seed", range(3))
def test_events_that_come_late_count(seed: int, tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(seed))
    for late in range(3):
        judged(store, WINDOWS["since"], OF_EACH_SHAPE)
        put(store, some_events(100 + 10 * seed + late, 20))
    judged(store, WINDOWS["since"], OF_EACH_SHAPE)


def test_merging_parts_leaves_summaries_valid(tmp_path: Path) -> None:
    events = some_events(4)
    store = EmbeddedStore(tmp_path / "store")
    for at in range(0, len(events), 60):
        put(store, events[at : at + 60])
    judged(store, WINDOWS["all"], OF_EACH_SHAPE)
    before = summary_files(store)
    writer = store.writer()
    assert merge_small_parts(writer) > 0
    writer.close()
    judged(store, WINDOWS["all"], OF_EACH_SHAPE)
    assert summary_files(store) == before


class Counting:
    """An engine that remembers what it was asked."""

    def __init__(self, engine: Any) -> None:
        self.name = engine.name
        self.asked: list[Query] = []
        self._engine = engine

    def run(self, query: Query) -> Result:
        self.asked.append(query)
        result: Result = self._engine.run(query)
        return result


QUESTION = next(hunt for hunt in COMPARING if hunt.id == "new_user_agent").baseline_queries()[-1]


def ask(
    store: EmbeddedStore, query: Query, question: Query = QUESTION
) -> tuple[Result, list[Query]]:
    """The answer with summaries, and what was asked of the events for it."""
    with store.engine() as engine:
        summaries = engine.summaries()
        assert summaries is not None
        counting = Counting(engine)
        result = SummaryEngine(counting, summaries, [question]).run(query)
        assert result == engine.run(query)
    return result, counting.asked


def test_only_the_edges_are_asked_of_the_events_again(tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(5))
    query = QUESTION.replace(since=START - timedelta(hours=1), until=START + timedelta(days=8))
    _, first = ask(store, query)
    _, again = ask(store, query)
    assert len(again) == 2
    assert [one.since for one in again] == [query.since, START + timedelta(days=7, hours=12)]
    assert len(first) > len(again)


def test_only_the_day_that_changed_is_counted_again(tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(6))
    query = QUESTION.replace(since=START - timedelta(days=1), until=START + timedelta(days=8.5))
    ask(store, query)
    put(store, [event(user="mallory", seconds=5 * DAY)])
    _, asked = ask(store, query)
    counted = [one for one in asked if len(one.group_by) > len(QUESTION.group_by)]
    (day,) = counted
    assert day.since is not None
    assert day.since.date() == (START + timedelta(days=5)).date()
    assert day.until == day.since + timedelta(days=1)
    files = [name for name in summary_files(store) if name.startswith(str(day.since.date()))]
    assert len(files) == 1, "the one before is gone"


def test_a_damaged_summary_is_made_again(tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(7))
    query = QUESTION.replace(since=START - timedelta(days=1), until=START + timedelta(days=8.5))
    ask(store, query)
    files = sorted((store.path / FOLDER).rglob("*.zst"))
    whole = files[3].read_bytes()
    files[3].write_bytes(whole[: len(whole) // 2])
    files[4].write_bytes(b"")
    ask(store, query)
    assert files[3].read_bytes() == whole


def test_a_writer_killed_before_the_rename_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path / "store", some_events(8))
    query = QUESTION.replace(since=START - timedelta(days=1), until=START + timedelta(days=8.5))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            ask(store, query)
    assert [Path(name).suffix for name in summary_files(store)] == [".tmp"]
    ask(store, query)
    put(store, [event(seconds=DAY)])  # the writer takes the summaries for its own folder


UNDATED = {"stageTimestamp": None, "requestReceivedTimestamp": None}
LAST = Metric("last", "max", "@timestamp")


@pytest.mark.parametrize(
    "question",
    [
        Query(group_by=(Terms("user.username"),), metrics=(LAST,)),
        Query(group_by=(DateHistogram(timedelta(hours=6), keep_missing=True),), metrics=(LAST,)),
        Query(metrics=(LAST, Metric("with", "present", "userAgent"))),
        Query(group_by=(Terms("verb"),), metrics=(Metric("l", "last_values", "auditID", 2),)),
    ],
)
def test_what_summaries_cannot_tell_is_asked_of_the_events(question: Query, tmp_path: Path) -> None:
    """Undated events have no day, but they are a group; single events are in no summary."""
    undated = [{**event(user="nobody knows when", name="n"), **UNDATED}]
    store = stored(tmp_path / "store", [*some_events(6), *undated])
    _, asked = ask(store, question, question)
    assert asked == [question]
    ask(store, question.replace(since=START, until=START + timedelta(days=8)), question)


def test_a_store_that_cannot_be_written_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path / "store", some_events(9))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    judged(store, WINDOWS["all"], OF_EACH_SHAPE)
    assert not summary_files(store)


def test_the_newest_day_has_no_summary_yet(tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(10))
    with store.engine() as engine:
        summaries = engine.summaries()
        assert summaries is not None
        days = completed_days(summaries)
        assert SummaryEngine(engine, summaries, ()).make(QUESTION, days) == len(days)
        assert SummaryEngine(engine, summaries, ()).make(QUESTION, days) == 0
        assert summaries.kept(digest_of(QUESTION)) == frozenset(days)
    assert date(2026, 12, 4) == days[-1] + timedelta(days=1)


def test_a_store_that_is_temporary_has_no_summaries(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store", columns=frozenset({"verb"}), temporary=True)
    put(store, [event()])
    with store.engine() as engine:
        assert engine.summaries() is None


def test_a_migrated_store_counts_its_days_again(tmp_path: Path) -> None:
    """A migration makes columns anew, though a day has as many events as before."""
    store = stored(tmp_path / "store", some_events(11))
    judged(store, WINDOWS["all"])
    with store.engine() as engine:
        summaries = engine.summaries()
        assert summaries is not None
        states = dict(summaries.days())
        assert summaries.kept(digest_of(QUESTION))
    manifest = read_manifest(store.path)
    older = EmbeddedSummaries(store.path, replace(manifest, version=VERSION - 1))
    assert older.days().keys() == states.keys()
    assert not set(older.days().values()) & set(states.values())
    assert older.kept(digest_of(QUESTION)) == frozenset()


def test_all_kinds_run_together_say_the_same_with_summaries(tmp_path: Path) -> None:
    store = stored(tmp_path / "store", some_events(12))
    judged(store, Window(since=START + timedelta(days=8)), load_library())
