"""A store that was damaged, robbed of its manifest or given a forged one: nothing is lost in
silence, nothing outside of it is touched."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.durable import checksum_of
from k8sidx.backends.embedded.storage.compaction import MANY_SMALL_PARTS
from k8sidx.backends.embedded.storage.integrity import find_fault
from k8sidx.backends.embedded.storage.manifest import manifest_path, read_manifest
from k8sidx.backends.embedded.storage.rebuild import rebuild
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.errors import StoreError, UsageError
from k8sidx.query.algebra import Metric, Query
from tests.building import event
from tests.stores import put, stored


def bodies(start: int, stop: int) -> list[dict[str, Any]]:
    return [event(seconds=number * 60, name=f"n{number}") for number in range(start, stop)]


def count(store: EmbeddedStore) -> Any:
    with store.engine() as engine:
        return engine.run(Query(metrics=(Metric("n", "count"),))).rows[0][0]


def parquet_files(store: EmbeddedStore) -> set[str]:
    return {path.name for path in store.path.glob("events/*/*.parquet")}


def test_a_store_without_its_manifest_is_refused_and_keeps_its_events(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", bodies(0, 50))
    files = parquet_files(store)
    manifest_path(store.path).unlink()
    for use in (lambda: put(store, bodies(50, 60)), lambda: count(store)):
        with pytest.raises(StoreError, match="lost its manifest") as error:
            use()
        assert "doctor --rebuild" in error.value.remedy
    assert parquet_files(store) == files


def test_a_rebuilt_store_holds_each_event_once(tmp_path: Path) -> None:
    """Merged parts lie beside what they were merged from until nobody reads those."""
    store = EmbeddedStore(tmp_path / "s")
    with_readers = []
    for number in range(MANY_SMALL_PARTS):
        put(store, bodies(number * 10, number * 10 + 10), merge=number == MANY_SMALL_PARTS - 1)
        with_readers.append(store.engine())
    put(store, [event(seconds=200_000), event(stageTimestamp=None, requestReceivedTimestamp=None)])
    for engine in with_readers:
        engine.close()
    before = read_manifest(store.path)
    assert before.garbage
    manifest_path(store.path).unlink()
    result = rebuild(store.path)
    assert (result.events, result.unreadable) == (MANY_SMALL_PARTS * 10 + 2, [])
    assert count(store) == MANY_SMALL_PARTS * 10 + 2
    again = put(store, bodies(0, MANY_SMALL_PARTS * 10 + 1))
    assert (again.indexed, again.duplicates) == (1, MANY_SMALL_PARTS * 10)


def test_a_rebuild_takes_only_the_new_events_of_a_part_that_was_copied_in(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", bodies(0, 50))
    other = stored(tmp_path / "other", bodies(40, 60))
    for path in other.path.glob("events/*/*.parquet"):
        shutil.copy(path, store.path / "events" / path.parent.name / path.name)
    manifest_path(store.path).unlink()
    result = rebuild(store.path)
    assert (result.events, result.duplicates) == (60, 10)
    assert count(store) == 60


def test_a_rebuild_names_the_files_that_it_cannot_read(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", bodies(0, 50))
    put(store, bodies(50, 60))
    (first, *_) = sorted(
        store.path.glob("events/*/*.parquet"), key=lambda path: path.stat().st_size
    )
    first.write_bytes(first.read_bytes()[:-100])
    manifest_path(store.path).write_text("{torn")
    result = rebuild(store.path)
    assert result.events == 50
    assert [first.name in text for text in result.unreadable] == [True]
    assert first.exists()
    assert count(store) == 50
    assert list(store.path.glob("dead-letter/manifest-*.json"))


def test_a_whole_manifest_is_not_rebuilt(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", bodies(0, 5))
    with pytest.raises(UsageError, match="is whole"):
        rebuild(store.path)


def test_files_that_no_journal_names_are_never_deleted(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", bodies(0, 5))
    copied = store.path / "events" / "2026-11-23" / "feed.parquet"
    copied.write_bytes(b"somebody's")
    put(store, bodies(5, 10), merge=True)
    put(store, bodies(10, 12))
    assert copied.read_bytes() == b"somebody's"


OUTSIDE = (
    "../outside.parquet",
    "events/../../outside.parquet",
    "/var/x.parquet",
    "events/a.parquet",
    "events/2026-11-23/../../manifest.json",
    "events/2026-11-23/x/y.parquet",
    7,
    None,
)


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("key", ["garbage", "parts"])
def test_a_manifest_that_names_other_paths_is_refused(
    key: str, path: object, tmp_path: Path
) -> None:
    store = stored(tmp_path / "s", bodies(0, 5))
    outside = tmp_path / "outside.parquet"
    outside.write_bytes(b"not ours")
    manifest = json.loads(manifest_path(store.path).read_text())
    entry = path if key == "garbage" else {**manifest["parts"][0], "path": path}
    manifest[key].append(entry)
    manifest_path(store.path).write_text(json.dumps(manifest))
    for use in (lambda: put(store, bodies(5, 6)), lambda: count(store)):
        with pytest.raises(StoreError, match="manifest"):
            use()
    assert outside.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("parts"),
        lambda manifest: manifest.update(parts={}),
        lambda manifest: manifest["parts"].append(3),
        lambda manifest: manifest["parts"][0].pop("rows"),
        lambda manifest: manifest["parts"][0].update(rows="many"),
        lambda manifest: manifest["parts"][0].update(first="yesterday"),
        lambda manifest: manifest.update(columns=[1]),
        lambda manifest: manifest.update(checksums={manifest["parts"][0]["path"]: ["x"]}),
        lambda manifest: manifest.update(version="2"),
        lambda manifest: manifest.update(format="other"),
    ],
)
def test_a_damaged_manifest_is_a_store_error(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    store = stored(tmp_path / "s", bodies(0, 5))
    manifest = json.loads(manifest_path(store.path).read_text())
    change(manifest)
    manifest_path(store.path).write_text(json.dumps(manifest))
    with pytest.raises(StoreError) as error:
        count(store)
    assert error.value.exit_code == 3


@pytest.mark.parametrize("left", ["manifest.4711.tmp", "manifest.json.4711.tmp"])
def test_a_half_made_store_is_begun_again(left: str, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / left).write_text("{")
    (folder / "writer.lock").touch()
    store = EmbeddedStore(folder)
    assert put(store, bodies(0, 5)).indexed == 5
    assert not (folder / left).exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "longer"])
def test_a_damaged_part_is_named_instead_of_read(damage: str, tmp_path: Path) -> None:
    store = stored(tmp_path / "s", bodies(0, 700))
    (path,) = store.path.glob("events/*/*.parquet")
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "longer":
        path.write_bytes(data + b"x")
    else:
        middle = len(data) // 3
        data[middle : middle + 4096] = bytes(255 - byte for byte in data[middle : middle + 4096])
        path.write_bytes(data)
    with pytest.raises(StoreError, match=path.name) as error:
        count(store)
    assert error.value.exit_code == 3
    (part,) = read_manifest(store.path).parts
    assert find_fault(store.path, part)


def test_a_part_with_another_time_is_compared_byte_by_byte(tmp_path: Path) -> None:
    """A restored store has other modification times, and is whole."""
    store = stored(tmp_path / "s", bodies(0, 30))
    (path,) = store.path.glob("events/*/*.parquet")
    os.utime(path, (1, 1))
    assert count(store) == 30
    (part,) = read_manifest(store.path).parts
    assert part.checksum == checksum_of(path)


def test_an_uncommitted_part_is_removed_when_the_manifest_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path / "s", bodies(0, 5))
    files = parquet_files(store)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("k8sidx.backends.embedded.storage.manifest.write_durably", full)
        with pytest.raises(OSError, match="No space"):
            put(store, bodies(5, 10))
    assert parquet_files(store) == files
    assert count(store) == 5


def test_everything_in_a_new_store_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = stored(tmp_path / "s", bodies(0, 5))
        put(store, bodies(5, 10), merge=True)
        store.engine().close()
    finally:
        os.umask(before)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for path in [store.path, *store.path.rglob("*")]
    }
    wrong = {
        path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)
    }
    assert not wrong
