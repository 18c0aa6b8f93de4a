"""A store of an older format version becomes what a new store would be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from k8sidx.backends.embedded.storage.manifest import (
    VERSION,
    manifest_path,
    read_manifest,
    write_manifest,
)
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
        pq.write_table(table.drop_columns(list(gone)), path)
        parts.append(replace(part, bytes=path.stat().st_size))
    columns = tuple(name for name in manifest.columns if name not in gone)
    write_manifest(store.path, replace(manifest, parts=tuple(parts), version=0, columns=columns))


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
