"""A store has a bounded number of parts, whatever dates its events have."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.storage.manifest import manifest_path, read_manifest
from k8sidx.backends.embedded.storage.part_builder import PartBuilder
from k8sidx.backends.embedded.storage.parts import FAR, TEMPORARY, StagedPart
from k8sidx.backends.embedded.storage.rebuild import rebuild
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.embedded.summaries import EmbeddedSummaries
from k8sidx.events.core import CoreReader
from k8sidx.events.fields.moment import to_moment
from k8sidx.events.normalize.event import Normalized
from k8sidx.events.records import Context
from k8sidx.query.algebra import Query
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.building import event, normalized, write_log
from tests.events.test_core import needs_core
from tests.stores import put_normalized

UNDATED: dict[str, Any] = {"stageTimestamp": None, "requestReceivedTimestamp": None}


def days_of(store: EmbeddedStore) -> list[str]:
    return [part.day for part in read_manifest(store.path).parts]


@pytest.fixture(scope="module")
def dates() -> list[Normalized]:
    """Eight hundred events of as many days, before and after 1970, in random order."""
    events = [normalized(event(seconds=day * -86_400 * 27, name=f"d{day}")) for day in range(800)]
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
    assert (tally.indexed, tally.duplicates + duplicates) == (1900, 50)
    assert FAR in days_of(store)
    again = put_normalized(store, [*dates, *bulk])  # in other parts than the first time
    writer.close()
    assert (again.indexed, again.duplicates) == (0, 1900)


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


def test_a_shared_part_that_is_opened_last_keeps_what_days_move_into_it(
    tmp_path: Path, dates: list[Normalized], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.embedded.storage.part_builder.DAYS", 20)
    builder = PartBuilder(tmp_path, TEMPORARY)
    for number in range(20):
        builder.add(dates[number : number + 1], number)
    builder.add(dates[20:80], 20)
    builder.add(dates[80:90], 21)
    assert sum(part.rows for part in builder.finish()) == 90


def test_open_days_hold_no_more_than_a_part_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.embedded.storage.parts.PART_ROWS", 100)
    days = [
        [normalized(event(seconds=day * 86_400 + n / 1000, name=f"{day}-{n}")) for n in range(60)]
        for day in range(12)
    ]
    builder = PartBuilder(tmp_path, TEMPORARY)
    stored = 0
    for number, chunk in enumerate(zip(*days, strict=True)):
        builder.add(chunk, number)
        stored += sum(part.rows for part in builder.full())
        assert 12 * (number + 1) - stored < 100
    assert stored + sum(part.rows for part in builder.finish()) == 720


@needs_core
@pytest.mark.parametrize("chunk", [7, 200])
def test_events_of_the_core_share_parts_as_those_of_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("k8sidx.backends.embedded.storage.part_builder.DAYS", 20)
    monkeypatch.setattr("k8sidx.events.core.PARTS_KEPT", 150)  # numbers of parts begin anew
    bodies = [dated(day) for day in range(600)]
    random.Random(2).shuffle(bodies)  # noqa: S311 - repeatable
    lines = [json.dumps(body).encode() for body in [*bodies, *bodies[:9]]]
    store = EmbeddedStore(tmp_path / "core")
    writer, reader = store.writer(), CoreReader()
    builder = PartBuilder(writer.staging, TEMPORARY)
    owed: Counter[int] = Counter()
    duplicates = 0
    for number, start in enumerate(range(0, len(lines), chunk)):
        rows = reader.read_lines(b"\n".join(lines[start : start + chunk]), Context())
        assert not rows.odd
        duplicates += builder.add_rows(rows, number)
        owed[number] = builder.holding(number)
    parts = builder.finish()
    assert owed == sum((Counter(part.chunks) for part in parts), Counter())
    assert len(parts) <= 21
    tally = writer.commit(parts)
    writer.close()
    assert (tally.indexed, tally.duplicates + duplicates) == (600, 9)
    expected = EmbeddedStore(tmp_path / "reference")
    put_normalized(expected, list(map(normalized, bodies)))
    assert values_of(store) == values_of(expected)


def dated(day: int) -> dict[str, Any]:
    """An event of a day, each third with fields that are promoted from its body."""
    if day % 3:
        return event(seconds=day * -86_400 * 27, name=f"d{day}", user=f"user-{day % 50}")
    pod = {"kind": "Pod", "spec": {"hostNetwork": True, "containers": [{"image": f"web:{day}"}]}}
    return event("create", seconds=day * -86_400 * 27, name=f"d{day}", requestObject=pod)


def values_of(store: EmbeddedStore) -> dict[Any, dict[str, Any]]:
    """The values of each event, by its id."""
    return {
        stored.row["event.id"]: {
            name: value
            for name, value in stored.row.items()
            if value is not None and name != "event.bytes"
        }
        for stored in store.stored_events()
    }


def test_shared_parts_are_searched_by_time_and_relabelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.embedded.storage.compaction.DAYS", 20)
    bodies = [dated(day) for day in range(40)]
    store = EmbeddedStore(tmp_path / "s")
    put_normalized(store, list(map(normalized, bodies)), merge=True)
    assert days_of(store) == [FAR]
    moment = to_moment(normalized(bodies[7]).own_time or 0)
    with store.engine() as engine:
        window = Query(select=("objectRef.name",), since=moment, until=moment + timedelta(days=1))
        assert engine.run(window).rows == [("d7",)]
    log = write_log(tmp_path / "audit.log", bodies[5:8])
    report = ship([str(log)], store, ShipOptions(cluster="prod", relabel=True))
    assert (report.indexed, report.duplicates, report.relabelled) == (0, 3, 3)
    named = [
        stored.row["objectRef.name"]
        for stored in store.stored_events()
        if stored.row.get("orchestrator.cluster.name") == "prod"
    ]
    assert sorted(named) == ["d5", "d6", "d7"]
