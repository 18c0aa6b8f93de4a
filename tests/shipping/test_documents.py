"""Import from indices that another program filled: each event once, resumable, credentials
nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8sidx.backends.cluster.documents import shards
from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.open import open_documents
from k8sidx.errors import StoreError, UsageError
from k8sidx.query.algebra import Query
from k8sidx.shipping.pipeline import ShipReport, ship
from k8sidx.shipping.state import State
from tests.backends.cluster.shippers import LAYOUTS, Event, fill
from tests.building import event


def run(cluster: Cluster, index: str, store: EmbeddedStore, state: Path) -> ShipReport:
    address = cluster.url.replace("://", "://reader:hunter2@")
    found = open_documents(f"{address}/{index}", ConnectionSettings())
    with State(state) as kept:
        return ship([], store, state=kept, documents={"index": found})


def put(cluster: Cluster, index: str, layout: str, events: list[Event]) -> None:
    shape = LAYOUTS[layout]
    fill(cluster, index, [shape.document(one) for one in events], shape)


def test_each_event_of_any_layout_is_stored_once_and_reading_resumes(
    cluster: Cluster, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "PAGE", 7)
    store, state = EmbeddedStore(tmp_path / "store"), tmp_path / "state.json"
    put(cluster, f"{prefix}-a", "Filebeat, under json", [event(seconds=n) for n in range(40)])
    put(cluster, f"{prefix}-b", "Fluent Bit, raw", [event(seconds=n) for n in range(30, 50)])
    first = run(cluster, f"{prefix}-*", store, state)
    assert (first.read, first.indexed, first.duplicates, first.rejected) == (60, 50, 10, 0)
    again = run(cluster, f"{prefix}-*", store, state)
    assert (again.read, again.not_understood) == (0, [])
    put(cluster, f"{prefix}-c", "Vector", [event(seconds=n) for n in range(50, 55)])
    later = run(cluster, f"{prefix}-*", store, state)
    assert (later.read, later.indexed) == (5, 5)
    with store.engine() as engine:
        assert len(engine.run(Query(select=("auditID",))).rows) == 55
    text = state.read_text("utf-8")
    assert "hunter2" not in text
    assert "reader" not in text
    assert len(json.loads(text)["files"]) == 6


def test_an_interrupted_import_loses_nothing(
    opensearch: Cluster, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "PAGE", 5)
    store, state = EmbeddedStore(tmp_path / "store"), tmp_path / "state.json"
    put(opensearch, f"{prefix}-a", "Vector", [event(seconds=n) for n in range(30)])
    read, pages = Session.search, 0

    def fails(self: Session, body: dict[str, object]) -> dict[str, object]:
        nonlocal pages
        pages += 1
        if pages == 3:
            raise StoreError("the cluster went away.")
        return read(self, body)

    monkeypatch.setattr(Session, "search", fails)
    with pytest.raises(StoreError, match="went away"):
        report = run(opensearch, f"{prefix}-a", store, state)
        if report.failure:
            raise report.failure
    run(opensearch, f"{prefix}-a", store, state)
    with store.engine() as engine:
        assert len(engine.run(Query(select=("auditID",))).rows) == 30


def test_an_address_without_an_index_is_refused_without_its_password() -> None:
    with pytest.raises(UsageError, match="names no index") as refused:
        open_documents("https://reader:hunter2@search.example.com:9200", ConnectionSettings())
    assert "hunter2" not in f"{refused.value}{refused.value.remedy}"
