"""A store of an older format version becomes what a new store would be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from k8sidx.backends.embedded.storage.columns import ID, SCHEMA, TIME
from k8sidx.backends.embedded.storage.compaction import MANY_SMALL_PARTS
from k8sidx.backends.embedded.storage.manifest import (
    VERSION,
    manifest_path,
    read_manifest,
    write_manifest,
)
from k8sidx.backends.embedded.storage.rebuild import rebuild
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.errors import StoreVersion
from k8sidx.events.fields.table import FIELDS
from k8sidx.query.algebra import Query
from tests.building import event
from tests.stores import put, stored

EVENTS = [
    event(name="a"),
    event("create", "secrets", requestObject={"kind": "Secret", "data": {"p": "x"}}),
    event("get", subresource="exec", requestURI="/x?command=id", seconds=90_000),
    {**event(name="odd", verb="odd"), "level": 5, "tag": "shipper", "stageTimestamp": "0001"},
    event(stageTimestamp=None, requestReceivedTimestamp=None),
]
EVERYTHING = Query(select=tuple(field.name for field in FIELDS))


def made_old(store: EmbeddedStore) -> None:
    """Turn the store into one of version 0, which lacked some derived columns."""
    manifest = read_manifest(store.path)
    gone = {"user.kind", "exec.command", "target.resource", "source.ip"}
    parts = []
    for part in manifest.parts:
        path = store.path / part.path
        table = pq.read_table(path)
        pq.write_table(table.select([n for n in table.column_names if n not in gone]), path)
        size = path.stat().st_size
        parts.append(replace(part, bytes=size, checksum="", normalized=(0, 0)))
    columns = tuple(name for name in manifest.columns if name not in gone)
    write_manifest(store.path, replace(manifest, parts=tuple(parts), version=0, columns=columns))


def with_all_columns(store: EmbeddedStore) -> None:
    """Turn the store into one of version 2, whose parts have all columns in small row groups."""
    manifest = read_manifest(store.path)
    parts = []
    for part in manifest.parts:
        path = store.path / part.path
        table = pq.read_table(path)
        full = pa.concat_tables([SCHEMA.empty_table(), table], promote_options="default")
        pq.write_table(full.select(SCHEMA.names), path, row_group_size=2, store_schema=False)
        parts.append(replace(part, bytes=path.stat().st_size, checksum=""))
    write_manifest(store.path, replace(manifest, parts=tuple(parts)))
    content = json.loads(manifest_path(store.path).read_text())
    manifest_path(store.path).write_text(json.dumps({**content, "version": 2}))


def columns_of(store: EmbeddedStore) -> list[set[str]]:
    parts = read_manifest(store.path).parts
    return [set(pq.ParquetFile(store.path / part.path).schema_arrow.names) for part in parts]


def rows(store: EmbeddedStore) -> Any:
    with store.engine() as engine:
        return engine.run(EVERYTHING).rows


def test_a_migrated_store_is_what_a_new_one_would_be(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", EVENTS)
    expected = rows(store)
    made_old(store)
    with pytest.raises(StoreVersion, match="next k8sidx ship into it migrates it"):
        rows(store)
    store.writer().close()
    assert json.loads(manifest_path(store.path).read_text())["version"] == VERSION
    assert rows(store) == expected
    assert put(store, EVENTS).duplicates == len(EVENTS)


def test_a_part_has_only_the_columns_with_values(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", [event(name="a"), event("get", subresource="exec", seconds=9e4)])
    first, second = columns_of(store)
    assert {ID, TIME} <= first & second
    assert "objectRef.subresource" not in first
    assert "objectRef.subresource" in second
    undated = stored(tmp_path / "u", [event(stageTimestamp=None, requestReceivedTimestamp=None)])
    assert {ID, TIME} <= columns_of(undated)[0]


def test_a_store_of_version_2_is_read_and_added_to_as_it_is(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", EVENTS)
    expected = rows(store)
    with_all_columns(store)
    before = read_manifest(store.path).parts
    assert rows(store) == expected
    assert put(store, [*EVENTS, event(name="new")]).duplicates == len(EVENTS)
    assert set(before) <= set(read_manifest(store.path).parts)
    assert json.loads(manifest_path(store.path).read_text())["version"] == VERSION
    assert len(rows(store)) == len(expected) + 1


def test_merging_gives_parts_of_version_2_the_columns_of_a_new_one(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s")
    for number in range(MANY_SMALL_PARTS - 1):
        put(store, [event(name=f"n{number}", seconds=number)])
    with_all_columns(store)
    put(store, [event("get", subresource="exec", requestURI="/x?command=id", seconds=60)])
    expected = rows(store)
    put(store, [], merge=True)
    assert rows(store) == expected
    (merged,) = columns_of(store)
    assert {"exec.command", "objectRef.subresource"} <= merged
    assert "csr.subject" not in merged


def test_a_rebuilt_store_of_parts_with_different_columns_needs_no_migration(tmp_path: Path) -> None:
    store = stored(tmp_path / "s", EVENTS)
    expected = rows(store)
    manifest_path(store.path).unlink()
    rebuild(store.path)
    assert rows(store) == expected
