"""Changes of a store: the times of events that were stored since a checkpoint."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest

from k8sidx.api import ship
from k8sidx.backends.changes import Spans
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.storage.compaction import merge_small_parts
from k8sidx.backends.embedded.storage.manifest import manifest_path
from k8sidx.backends.embedded.store import EmbeddedStore
from tests.building import START, event
from tests.stores import put, stored

MINUTE = timedelta(minutes=1)


def minutes(*numbers: int) -> Spans:
    return tuple((START + n * MINUTE, START + (n + 1) * MINUTE) for n in numbers)


def merge(store: EmbeddedStore) -> int:
    writer = store.writer()
    try:
        return merge_small_parts(writer, enough=2)
    finally:
        writer.close()


def test_changes_are_the_events_since_the_checkpoint_at_their_own_times(tmp_path: Path) -> None:
    store = stored(tmp_path, [event(seconds=0), event(seconds=600)])
    first = store.changes(None)
    assert first.spans == minutes(0, 10)
    assert not store.changes(first.checkpoint)
    put(store, [event(seconds=601), event(seconds=-3600)])
    second = store.changes(first.checkpoint)
    assert second.spans == minutes(-60, 10)
    assert not store.changes(json.loads(json.dumps(second.checkpoint)))


def test_duplicates_are_no_changes(tmp_path: Path) -> None:
    store = stored(tmp_path, [event()])
    first = store.changes(None)
    put(store, [event()])
    assert not store.changes(first.checkpoint)


def test_merging_makes_no_event_new_and_hides_none(tmp_path: Path) -> None:
    store = stored(tmp_path, [event(seconds=0)])
    put(store, [event(seconds=60)])
    first = store.changes(None)
    assert merge(store)
    assert not store.changes(first.checkpoint)
    put(store, [event(seconds=120)])
    assert merge(store)
    assert minutes(2)[0][1] == store.changes(first.checkpoint).spans[-1][1]


def test_events_of_a_clock_that_was_set_back_are_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(tmp_path, [event(seconds=0)])
    first = store.changes(None)
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    put(store, [event(seconds=60)])
    assert store.changes(first.checkpoint).spans == minutes(1)


def test_everything_is_new_in_another_store_of_the_same_path(tmp_path: Path) -> None:
    first = stored(tmp_path / "a", [event(seconds=0)]).changes(None)
    changes = stored(tmp_path / "b", [event(seconds=60)]).changes(first.checkpoint)
    assert changes.spans == minutes(1)
    assert changes.restarted


def test_a_store_whose_manifest_was_made_anew_has_its_later_events_as_changes(
    tmp_path: Path,
) -> None:
    store = stored(tmp_path, [event(seconds=0)])
    first = store.changes(None)
    manifest_path(tmp_path).unlink()
    store.rebuild()
    put(store, [event(seconds=60)])
    assert store.changes(first.checkpoint).spans[-1][1] == minutes(1)[0][1]


def test_events_without_any_time_are_changes(tmp_path: Path) -> None:
    store = stored(tmp_path, [event()])
    first = store.changes(None)
    undated = event(name="undated")
    del undated["stageTimestamp"], undated["requestReceivedTimestamp"]
    put(store, [undated])
    changes = store.changes(first.checkpoint)
    assert changes and changes.untimed and not changes.spans


def test_changes_of_a_cluster_are_documents_behind_the_checkpoint(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    store = ClusterStore(cluster.url, parse_target(prefix), ConnectionSettings())

    def shipped(*events: dict[str, object]) -> None:
        path = tmp_path / "log"
        path.write_text("".join(json.dumps(one) + "\n" for one in events))
        ship([str(path)], store)

    shipped(event(seconds=0), event(seconds=600))
    first = store.changes(None)
    assert first.spans == minutes(0, 10)
    assert not store.changes(first.checkpoint)
    shipped(event(seconds=0), event(seconds=601), event(seconds=-90_000))
    second = store.changes(json.loads(json.dumps(first.checkpoint)))
    assert second.spans == minutes(-1500, 10)
    assert not store.changes(second.checkpoint)
