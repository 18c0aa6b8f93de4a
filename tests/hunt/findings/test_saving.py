"""Given findings, this is kept, in both kinds of stores; and found again, it is updated."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import findings_index, parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.findings import findings_path, read_findings
from k8sidx.backends.finding_record import evidence_query
from k8sidx.errors import StoreError
from k8sidx.events.fields.findings import FINDING_ONLY, FROM_EVENTS
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.findings.saving import save
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.result import Finding, HuntResult
from tests.building import START, event
from tests.cli.conftest import k8sidx
from tests.servers.cleaning import remove_all
from tests.stores import stored

[HUNT] = load_hunts(["secret_read_burst"])
NOW = datetime(2026, 11, 24, tzinfo=UTC)
EVIL = 'x"} <script>\x1b[2J\u202e, {"index":{}}\n{}'


def finding(user: str = "erin", minutes: float = 0, count: int = 4, **more: Any) -> Finding:
    begin = START + timedelta(minutes=minutes)
    key = {"user.effective.name": user, "source.ip": "192.0.2.7"}
    said = {"reason": f"{user} read secrets", "audit_ids": ("a", "b")} | more
    return Finding(HUNT.id, HUNT.level, dict(key), count, begin, begin, **said)


def result(*findings: Finding, hunt: Hunt = HUNT) -> HuntResult:
    return HuntResult(hunt.id, hunt.title, hunt.level, "duckdb", True, (), [], list(findings))


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    return stored(tmp_path / "store", [event()])


def kept(store: Any, *findings: Finding, now: datetime = NOW) -> tuple[int, int]:
    saved = save(store, [HUNT], [result(*findings)], now)
    return saved.new, saved.updated


def test_a_finding_is_kept_with_ecs_names(folder: Any) -> None:
    assert kept(folder, finding()) == (1, 0)
    [record] = read_findings(folder.path).values()
    assert record["rule.id"] == "secret_read_burst"
    assert record["event.kind"] == "alert"
    assert record["event.severity"] == 50
    assert record["message"] == "erin read secrets"
    assert record["user.effective.name"] == "erin"
    assert record["threat.technique.id"] == ["T1552.007"]
    assert record["threat.tactic.name"] == ["credential-access"]
    assert record["event.start"] == START
    assert len(record["event.id"]) == 32
    assert set(pq.read_schema(findings_path(folder.path)).names) == {
        *FROM_EVENTS, *(field.name for field in FINDING_ONLY),
    }  # fmt: skip


def test_the_next_run_updates_instead_of_repeating(folder: Any) -> None:
    kept(folder, finding(count=4))
    later = finding(minutes=30, count=9, audit_ids=("b", "c"))
    assert kept(folder, later, finding("frank"), now=NOW + timedelta(days=1)) == (1, 1)
    records = read_findings(folder.path)
    [erin] = [one for one in records.values() if one["user.effective.name"] == "erin"]
    assert (erin["event.start"], erin["event.end"]) == (START, START + timedelta(minutes=30))
    assert erin["finding.count"] == 9
    assert erin["finding.audit_ids"] == ["a", "b", "c"]
    assert erin["event.created"] == NOW


def test_another_day_is_another_finding(folder: Any) -> None:
    kept(folder, finding())
    assert kept(folder, finding(minutes=24 * 60)) == (1, 0)


def test_hostile_text_is_kept_as_text(folder: Any) -> None:
    kept(folder, finding(EVIL))
    [record] = read_findings(folder.path).values()
    assert record["user.effective.name"] == EVIL


def test_a_damaged_file_is_told_and_kept(folder: Any) -> None:
    kept(folder, finding())
    findings_path(folder.path).write_bytes(b"no parquet")
    with pytest.raises(StoreError, match="cannot be read"):
        kept(folder, finding())
    assert findings_path(folder.path).read_bytes() == b"no parquet"


@pytest.fixture
def in_cluster(cluster: Cluster, prefix: str) -> Any:
    yield ClusterStore(cluster.url, parse_target(prefix), ConnectionSettings())
    remove_all(cluster, findings_index(prefix))
    cluster.request("DELETE", f"/{findings_index(prefix)}")


def found(store: Any) -> list[dict[str, Any]]:
    index = findings_index(store.target.name)
    answer = store.cluster.request("GET", f"/{index}/_search?size=100").json()
    return [hit["_source"] for hit in answer["hits"]["hits"]]


def test_a_cluster_keeps_and_updates_findings_too(in_cluster: Any) -> None:
    assert kept(in_cluster, finding(), finding(EVIL)) == (2, 0)
    later = finding(minutes=30, count=9, audit_ids=("c",))
    assert kept(in_cluster, later, now=NOW + timedelta(days=1)) == (0, 1)
    documents = {one["user.effective.name"]: one for one in found(in_cluster)}
    assert set(documents) == {"erin", EVIL}
    erin = documents["erin"]
    assert erin["event.start"] == "2026-11-23T12:00:00.000000Z"
    assert erin["event.end"] == "2026-11-23T12:30:00.000000Z"
    assert erin["event.created"] == "2026-11-24T00:00:00.000000Z"
    assert erin["finding.count"] == 9
    assert erin["finding.audit_ids"] == ["a", "b", "c"]
    assert erin["finding.key"] == {"source.ip": "192.0.2.7", "user.effective.name": "erin"}


def test_the_findings_of_a_cluster_are_mapped_for_dashboards(in_cluster: Any) -> None:
    kept(in_cluster, finding())
    index = findings_index(in_cluster.target.name)
    body = {
        "size": 0,
        "aggs": {
            name: {"terms": {"field": name}}
            for name in ("rule.id", "threat.tactic.name", "source.ip", "event.severity")
        },
    }
    answer = in_cluster.cluster.request("POST", f"/{index}/_search", body=body).json()
    buckets = {name: one["buckets"] for name, one in answer["aggregations"].items()}
    assert all(len(one) == 1 for one in buckets.values()), buckets


def test_an_index_that_is_not_ours_is_left_alone(in_cluster: Any) -> None:
    index = findings_index(in_cluster.target.name)
    in_cluster.cluster.request("PUT", f"/{index}", body={})
    with pytest.raises(StoreError, match="was not made by k8sidx"):
        kept(in_cluster, finding())


def test_the_command_saves_and_says_so(tmp_path: Path) -> None:
    reads = [
        event("get", "secrets", name=f"secret-{at}", seconds=at, user="erin") for at in range(6)
    ]
    store = stored(tmp_path / "store", reads)
    arguments = ("hunt", "secret_read_burst", "--store", store.path, "--save")
    first, second = k8sidx(*arguments), k8sidx(*arguments)
    assert "findings: 1 new, 0 updated" in first.stderr
    assert "findings: 0 new, 1 updated" in second.stderr
    refused = k8sidx("hunt", "secret_read_burst", "--input", tmp_path / "x.log", "--save")
    assert refused.exit_code == 2


def test_stories_come_in_every_format(tmp_path: Path) -> None:
    reads = [
        event("get", "secrets", name=f"secret-{at}", seconds=at, user="erin") for at in range(6)
    ]
    store = stored(tmp_path / "store", reads)
    arguments = ("hunt", "secret_read_burst", "--store", store.path, "--group", "actor")
    assert '"actor": "erin"' in k8sidx(*arguments, "-o", "json").stdout
    assert k8sidx(*arguments, "-o", "csv").stdout.splitlines()[0].startswith("actor,story,level")
    assert "1 finding" in k8sidx(*arguments, "-o", "table").stdout


def test_the_query_of_a_finding_matches_its_events_and_stays_within_a_link() -> None:
    """Clients choose auditIDs; ``!`` and ``'`` are what ends a text in RISON."""
    ids = ["86940068-c5dd", "x' or *),filters:!()", 'a"b\\c', "\u202e\n\ud83d\udca5", "\ud800"]
    query = evidence_query(ids)
    assert not {"'", "!", "\n"} & set(query)
    quoted = re.findall(r'"([^"]*)"', query)
    assert [json.loads(f'"{text}"') for text in quoted] == [
        text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") for text in ids
    ]
    assert query.startswith("auditID: (")
    assert evidence_query([]) == ""


def test_a_merged_finding_has_the_query_of_all_its_events(folder: Any) -> None:
    kept(folder, finding(audit_ids=("a",)))
    kept(folder, finding(audit_ids=("b",)))
    [record] = read_findings(folder.path).values()
    assert record["finding.query"] == 'auditID: ("a" or "b")'
