"""Given these files, so many events are in the cluster's indices; whatever is in them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.sink import ClusterSink, is_local
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import SHARED, event, normalized, write_log
from tests.events.normalize.test_reconstruct import without_empty
from tests.servers.faulty_proxy import faulty
from tests.shipping.clusters import dead_letters, rows, shipped
from tests.shipping.test_pipeline import ODD

API_SERVER = SHARED / "data" / "apiserver"


def nested(levels: int) -> Any:
    return json.loads('{"a":' * levels + "1" + "}" * levels)


def made_of(body: dict[str, Any]) -> Fields:
    """The event's stored fields, but for its size."""
    row = normalized(body).row
    del row["event.bytes"]
    return row


HOSTILE: dict[str, dict[str, Any]] = {
    **ODD,
    "900 levels": {"requestObject": nested(900)},
    "1,500 digits": {"requestObject": {"n": 10**1500}},
    "a key of 60,000 characters": {"requestObject": {"k" * 60_000: 1}},
    "a text of 40,000 characters": {"requestObject": {"k": "v" * 40_000}},
    "a URI of 100,000 characters": {"requestURI": "/x?" + "a" * 100_000},
    "keys that are dots": {"requestObject": {".": 1, "..": 2, ".a": 3, "a.": 4, "a..b": 5}},
    "the same path as value and object": {"annotations": {"app": "x", "app.kubernetes.io/n": "y"}},
    "keys of ours": {"audit": {"x": 1}, "epoch_us": "x", "position": [1], "event.order": "x"},
    "emoji beyond the BMP": {"userAgent": "\U0001f600" * 9000},
    "a status that is an object": {"responseObject": {"status": {"reason": "Evicted"}}},
    "a status that is a text": {"responseObject": {"status": "Failure"}},
    "a JSON patch": {"requestObject": [{"op": "add", "path": "/x", "value": 1}]},
    "a number for a body": {"requestObject": 5, "responseObject": 1e300},
    "line separators": {"userAgent": "a\u2028b\u2029c\x85d", "requestObject": {"x": "a\nb\r"}},
}


def test_a_log_is_stored_and_the_second_time_all_are_duplicates(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    events = [event(seconds=n * 10_000, name=f"n{n}") for n in range(100)]
    log = write_log(tmp_path / "a.log", events)
    first = shipped(cluster.url, prefix, log, folder=tmp_path)
    again = shipped(cluster.url, prefix, log, folder=tmp_path)
    assert (first.read, first.indexed, first.duplicates, first.rejected) == (100, 100, 0, 0)
    assert (again.read, again.indexed, again.duplicates, again.rejected) == (100, 0, 100, 0)
    stored = rows(cluster, prefix)
    assert stored == {row["event.id"]: row for row in map(made_of, events)}


def test_events_go_to_the_index_of_their_day(cluster: Cluster, prefix: str, tmp_path: Path) -> None:
    undated = event(name="u", stageTimestamp=None, requestReceivedTimestamp=None)
    log = write_log(tmp_path / "a.log", [event(), event(seconds=86_400), undated])
    assert shipped(cluster.url, prefix, log, folder=tmp_path).indexed == 3
    answer = cluster.request("GET", f"/_cat/indices/{prefix}-*?h=index&s=index&format=json")
    names = [one["index"] for one in answer.json()]
    assert names == [f"{prefix}-2026.11.23", f"{prefix}-2026.11.24", f"{prefix}-undated"]


def test_days_beyond_a_limit_share_the_indices_of_months_and_then_one(
    cluster: Cluster, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, limit in (("DAYS", 2), ("SPARSE_DAYS", 1), ("MONTHS", 2)):
        monkeypatch.setattr(f"k8sidx.backends.cluster.index.cache.{name}", limit)
    far = [event(seconds=day * -86_400, name=f"d{day}") for day in range(1000, 1300)]
    bulk = [event(seconds=-1400 * 86_400 + n, name=f"n{n}") for n in range(20)]
    recent = event(name="now", stageTimestamp=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    log = write_log(tmp_path / "a.log", [*far, *bulk, recent])
    report = shipped(cluster.url, prefix, log, folder=tmp_path)
    assert (report.indexed, report.rejected) == (321, 0)
    indices = cluster.request("GET", f"/_cat/indices/{prefix}-*?h=index&s=index&format=json").json()
    assert [index["index"].removeprefix(f"{prefix}-") for index in indices] == sorted(
        ["2023.01.23", "2023.05", "2023.06", f"{datetime.now(UTC):%Y.%m.%d}", "undated"]
    )
    monkeypatch.undo()  # another run, with other limits, writes to where the events are
    again = shipped(cluster.url, prefix, log, folder=tmp_path)
    assert (again.indexed, again.duplicates) == (0, 321)
    assert len(rows(cluster, prefix)) == 321


def test_hostile_events_are_all_stored_whole(
    every_cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    bodies = [{**event(name=f"n{n}", seconds=n), **odd} for n, odd in enumerate(HOSTILE.values())]
    log = write_log(tmp_path / "a.log", bodies)
    report = shipped(every_cluster.url, prefix, log, folder=tmp_path)
    assert dead_letters(tmp_path) == []
    assert report.indexed == len(HOSTILE)
    stored = rows(every_cluster, prefix)
    for name, body in zip(HOSTILE, bodies, strict=True):
        made = made_of(body)
        assert stored[made["event.id"]] == made, name
        assert whole_event(made).keys() <= {*without_empty(body), "objectRef", "user"}, name


def test_what_is_rejected_when_read_is_in_the_dead_letter_file(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = write_log(tmp_path / "a.log", [event(), event(name="b")])
    log.write_bytes(log.read_bytes() + b'{"kind":"Event","auditID":"cut')
    report = shipped(cluster.url, prefix, log, folder=tmp_path)
    assert (report.read, report.indexed, report.rejected) == (3, 2, 1)
    assert [one["raw"] for one in dead_letters(tmp_path)] == ['{"kind":"Event","auditID":"cut']


def test_worker_processes_give_the_same_as_one(
    opensearch: Cluster, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClusterSink, "is_idle", True)
    padding = {"spec": {"text": "x" * 20_000}}
    events = [event("create", seconds=n, requestObject=padding) for n in range(1500)]
    log = write_log(tmp_path / "a.log", events)
    pooled = shipped(opensearch.url, prefix, log, folder=tmp_path, processes=2)
    again = shipped(opensearch.url, prefix, log, folder=tmp_path, processes=1)
    assert (pooled.indexed, again.duplicates) == (1500, 1500)


@pytest.mark.skipif(not API_SERVER.is_dir(), reason="no ../shared/data/apiserver")
def test_every_event_of_a_real_api_server_is_stored_in_the_cluster(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    path = API_SERVER / "attacks.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()
    report = shipped(cluster.url, prefix, path, folder=tmp_path)
    assert (report.read, report.indexed + report.duplicates) == (len(lines), len(lines))
    assert len(rows(cluster, prefix)) == report.indexed


def test_requests_to_another_machine_are_packed(
    cluster: Cluster, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_local("http://127.0.0.1:9200,http://[::1]:9200,http://localhost")
    assert not is_local("http://127.0.0.1:9200,https://search.example.com")
    monkeypatch.setattr("k8sidx.backends.cluster.sink.is_local", lambda _: False)
    events = [event(seconds=n, name=f"n{n}") for n in range(100)]
    log = write_log(tmp_path / "a.log", events)
    seen: list[bytes] = []
    with faulty(cluster.url, lambda _, body: seen.append(body)) as proxy:
        report = shipped(proxy.url, prefix, log, folder=tmp_path)
    assert report.indexed == 100
    assert all(one.startswith(b"\x1f\x8b") for one in seen)
    assert len(rows(cluster, prefix)) == 100
