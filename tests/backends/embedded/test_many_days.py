"""A store has a bounded number of parts, whatever dates its events have."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from k8sidx.backends.embedded.storage.manifest import manifest_path, read_manifest
from k8sidx.backends.embedded.storage.part_builder import PartBuilder
from k8sidx.backends.embedded.storage.parts import FAR, TEMPORARY, StagedPart
from k8sidx.backends.embedded.storage.rebuild import rebuild
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.embedded.summaries import EmbeddedSummaries
from k8sidx.events.normalize.event import Normalized
from tests.building import event, normalized
from tests.stores import put_normalized

UNDATED = {"stageTimestamp": None, "requestReceivedTimestamp": None}


def days_of(store: EmbeddedStore) -> list[str]:
    return [part.day for part in read_manifest(store.path).parts]


@pytest.fixture(scope="module")
def dates() -> list[Normalized]:
    """Two thousand events of as many days, before and after 1970, in random order."""
    events = [normalized(event(seconds=day * -86_400 * 11, name=f"d{day}")) for day in range(2000)]
    random.Random(1).shuffle(events)  # noqa: S311 - repeatable
    return events


@pytest.mark.parametrize("chunk", [7, 500])
def test_few_events_of_very_many_days_share_parts(
    tmp_path: Path, dates: list[Normalized], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("k8sidx.backends.embedded.storage.part_builder.DAYS", 20)
    bulk = [normalized(event(seconds=n / 1000, name=f"n{n}")) for n in range(1100)]
    store = EmbeddedStore(tmp_path / "s")
    writer = store.writer()
    builder = PartBuilder(writer.staging, TEMPORARY)
    owed: Counter[int] = Counter()
    parts: list[StagedPart] = []
    events = [*dates, *bulk, *dates[:50]]
    duplicates = 0
    for number, start in enumerate(range(0, len(events), chunk)):
        duplicates += builder.add(events[start : start + chunk], number)
        owed[number] = builder.holding(number)
        parts += builder.full()
    parts += builder.finish()
    assert len(parts) <= 23
    assert owed == sum((Counter(part.chunks) for part in parts), Counter())
    tally = writer.commit(parts)
    assert (tally.indexed, tally.duplicates + duplicates) == (3100, 50)
    assert FAR in days_of(store)
    again = put_normalized(store, [*dates, *bulk])  # in other parts than the first time
    writer.close()
    assert (again.indexed, again.duplicates) == (0, 3100)


def test_days_with_few_events_are_merged_when_a_store_has_too_many(
    tmp_path: Path, dates: list[Normalized], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.embedded.storage.compaction.DAYS", 20)
    store = EmbeddedStore(tmp_path / "s")
    put_normalized(store, [*dates[:30], normalized(event(**UNDATED))])
    states = EmbeddedSummaries(store.path, read_manifest(store.path)).days()
    assert len(set(days_of(store))) == 31
    put_normalized(store, [], merge=True)
    assert sorted(days_of(store)) == [FAR, "undated"]
    assert EmbeddedSummaries(store.path, read_manifest(store.path)).days() == states
    again = put_normalized(store, dates[:31])
    assert (again.indexed, again.duplicates) == (1, 30)
    manifest_path(store.path).unlink()
    assert rebuild(store.path).events == 32
