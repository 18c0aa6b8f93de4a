"""Each event once, whatever is shipped again, by whomever, and whatever is killed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from k8sidx.backends.embedded.storage.compaction import MANY_SMALL_PARTS, merge_small_parts
from k8sidx.backends.embedded.storage.manifest import manifest_path, read_manifest
from k8sidx.backends.embedded.storage.part_builder import PartBuilder
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.open import open_store, temporary_store
from k8sidx.errors import StoreError, StoreVersion, UnsupportedQuery
from k8sidx.events.decode.event_model import from_object
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.records import Context
from k8sidx.query.algebra import Metric, Query
from tests.building import event, normalized
from tests.stores import put, put_normalized, stored

UNDATED: dict[str, Any] = {"stageTimestamp": None, "requestReceivedTimestamp": None}


def count(store: EmbeddedStore) -> Any:
    with store.engine() as engine:
        query = Query(metrics=(Metric("n", "count"), Metric("d", "count_distinct", "event.id")))
        rows, distinct = engine.run(query).rows[0]
    assert rows == distinct
    return rows


def some(start: int, stop: int) -> list[dict[str, Any]]:
    return [event(seconds=number * 60, name=f"n{number}") for number in range(start, stop)]


def test_the_same_events_again_are_duplicates(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", some(0, 100))
    again = put(store, some(0, 100))
    assert (again.indexed, again.duplicates) == (0, 100)
    assert count(store) == 100


def test_an_overlap_is_stored_once(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", some(0, 100))
    more = put(store, some(50, 150))
    assert (more.indexed, more.duplicates) == (50, 50)
    assert count(store) == 150


def test_doubles_within_one_commit_are_stored_once(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    result = put(store, some(0, 10) * 3)
    assert (result.indexed, result.duplicates) == (10, 20)


def test_events_of_several_days_lie_by_date(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", [*some(0, 3), event(seconds=90_000), event(**UNDATED)])
    days = sorted(path.name for path in (tmp_path / "s" / "events").iterdir())
    assert days == ["2026-11-23", "2026-11-24", "undated"]
    assert count(store) == 5


def test_undated_events_are_stored_once_too(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", [event(**UNDATED), event(name="b", **UNDATED)])
    again = put(store, [event(**UNDATED)])
    assert (again.indexed, again.duplicates) == (0, 1)


def test_one_audit_id_on_different_events_hides_none(tmp_path: Path) -> None:
    same: dict[str, Any] = {"auditID": "chosen-by-the-client"}
    bodies = [event(requestObject={"spec": number}, **same) for number in range(5)]
    assert count(stored(tmp_path / "s", bodies)) == 5


def test_small_parts_are_merged(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    for number in range(MANY_SMALL_PARTS):
        put(store, some(number * 10, number * 10 + 10), merge=True)
    manifest = read_manifest(store.path)
    assert (len(manifest.parts), manifest.rows) == (1, 10 * MANY_SMALL_PARTS)
    assert len(list((tmp_path / "s" / "events").glob("*/*.parquet"))) == 1
    assert count(store) == 10 * MANY_SMALL_PARTS
    assert put(store, some(0, 80)).duplicates == 80


def test_a_merge_keeps_the_files_that_a_reader_has_open(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    for number in range(MANY_SMALL_PARTS - 1):
        put(store, some(number, number + 1))
    with store.engine() as engine:
        put(store, some(50, 51), merge=True)
        assert engine.run(Query(metrics=(Metric("n", "count"),))).rows == [(MANY_SMALL_PARTS - 1,)]
        assert len(read_manifest(store.path).garbage) == MANY_SMALL_PARTS
    put(store, [])
    assert read_manifest(store.path).garbage == ()
    assert len(list((tmp_path / "s" / "events").glob("*/*.parquet"))) == 1


def test_what_a_killed_writer_left_is_swept_up_and_never_seen(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", some(0, 5))
    orphan = tmp_path / "s" / "events" / "2026-11-23" / "0123456789abcdef.parquet"
    orphan.write_bytes(b"half a file")
    left = tmp_path / "s" / "staging" / "dead"
    left.mkdir(parents=True)
    (left / "lease").touch()
    (left / "half.parquet").write_bytes(b"PAR1")
    (left / "journal").write_text(f"{orphan.relative_to(tmp_path / 's')}\n")
    assert count(store) == 5
    put(store, some(5, 6))
    assert not orphan.exists()
    assert not left.exists()
    assert count(store) == 6


def test_staging_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    writer = store.writer()
    put(store, some(0, 1))
    assert writer.staging.is_dir()
    writer.close()
    assert not writer.staging.exists()


def ship_in_small_commits(folder: str, start: int) -> None:
    store = EmbeddedStore(Path(folder))
    for number in range(start, start + 10):
        put(store, some(number * 5, number * 5 + 5), merge=True)


def test_writers_at_the_same_time_take_turns(tmp_path: Path) -> None:
    context = get_context("spawn")
    folder = str(tmp_path / "s")
    writers = [
        context.Process(target=ship_in_small_commits, args=(folder, start)) for start in (0, 5, 0)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert count(EmbeddedStore(Path(folder))) == 75


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(StoreError, match=r"not a k8sidx store and is not empty.*thesis"):
        stored(tmp_path, [])


def test_no_store_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Ship into it first"):
        open_store(str(tmp_path / "none"))
    store = stored(tmp_path / "s", some(0, 1))
    manifest_path(store.path).write_text("{half")
    with pytest.raises(StoreError, match="cannot be read"):
        store.info()


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", some(0, 1))
    path = manifest_path(store.path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(StoreVersion, match="Upgrade k8sidx"):
        store.writer()


def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be written.*another --store"):
        EmbeddedStore(tmp_path / "file" / "s").writer()


def test_a_temporary_store_answers_for_its_columns_only() -> None:
    with temporary_store(frozenset({"event.id", "requestObject.kind"})) as store:
        put(store, [event("create", requestObject={"kind": "Pod"})])
        part = next((store.path / "events").glob("*/*.parquet"))
        assert (
            {"requestObject.kind"}
            < set(pq.read_schema(part).names)
            < {
                "requestObject.kind",
                "event.id",
                "@timestamp",
                "requestReceivedTimestamp",
                "stageTimestamp",
                "and no more",
            }
        )
        with store.engine() as engine:
            assert engine.run(Query(select=("requestObject.kind",))).rows == [("Pod",)]
            with pytest.raises(UnsupportedQuery, match="does not have verb"):
                engine.run(Query(select=("verb",)))
        folder = store.path
    assert not folder.exists()


def test_a_temporary_store_can_keep_whole_events() -> None:
    with temporary_store(None) as store:
        put(store, [event("create", requestObject={"kind": "Pod", "spec": {"a": 1}})])
        with store.engine() as engine:
            [(verb, body)] = engine.run(Query(select=("verb", "requestObject"))).rows
            assert (verb, json.loads(str(body))["spec"]) == ("create", {"a": 1})
            assert engine.summaries() is None
        folder = store.path
    assert not folder.exists()


def test_summary(tmp_path: Path) -> None:
    summary = stored(tmp_path / "s", some(0, 3)).info()
    assert summary.events == 3
    assert summary.first is not None
    assert summary.last is not None
    assert (summary.last - summary.first).total_seconds() == 120


def test_parts_of_a_growing_day_are_merged_by_size(tmp_path: Path) -> None:
    """Many small commits: few files, and few rewritings of each event."""
    store = EmbeddedStore(tmp_path / "store")
    writer = store.writer()
    rewritten = 0
    for number in range(80):
        builder = PartBuilder(writer.staging)
        builder.add([normalized(one) for one in some(number * 3, number * 3 + 3)])
        writer.commit(builder.finish())
        before = {part.path: part.rows for part in read_manifest(store.path).parts}
        if number % MANY_SMALL_PARTS == MANY_SMALL_PARTS - 1:
            merge_small_parts(writer, growing=True)
        after = {part.path: part.rows for part in read_manifest(store.path).parts}
        rewritten += sum(rows for path, rows in after.items() if path not in before)
        assert len(after) < 4 * MANY_SMALL_PARTS
    writer.close()
    assert sum(after.values()) == 240
    assert rewritten < 3 * 240


def test_an_event_without_times_is_stored_once_whatever_time_a_shipper_gives(
    tmp_path: Path,
) -> None:
    """And is found by the time that was given first."""
    bare = event(name="bare", stageTimestamp=None, requestReceivedTimestamp=None)
    plain, rest, size = from_object(bare)
    days = ("2026-11-20T10:00:00Z", "2026-11-23T10:00:00Z")
    events = [Normalizer().normalize(plain, rest, Context(time=time), size) for time in days]
    store = EmbeddedStore(tmp_path / "s")
    assert put_normalized(store, [events[0], normalized(event())]).indexed == 2
    assert put_normalized(store, [events[1]]).duplicates == 1
    query = Query(
        since=datetime(2026, 11, 20, tzinfo=UTC),
        until=datetime(2026, 11, 21, tzinfo=UTC),
        metrics=(Metric("n", "count"),),
    )
    with store.engine() as engine:
        assert engine.run(query).rows == [(1,)]
