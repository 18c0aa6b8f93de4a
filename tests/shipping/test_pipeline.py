"""Given these files, so many events are stored, skipped and rejected, and none is lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.errors import UsageError
from k8sidx.events.audit_policy import parse_policy
from k8sidx.query.algebra import Metric, Query
from k8sidx.shipping.pipeline import ShipOptions, ShipProgress, ShipReport, ship
from tests.building import SHARED, event, write_log

ENVELOPES = SHARED / "data" / "envelopes"
API_SERVER = SHARED / "data" / "apiserver"
NAMES = Query(select=("objectRef.name",))


def names(store: EmbeddedStore) -> list[Any]:
    with store.engine() as engine:
        return sorted(str(row[0]) for row in engine.run(NAMES).rows)


def shipped(store: Path, *inputs: Path, **options: Any) -> ShipReport:
    report = ship([str(one) for one in inputs], EmbeddedStore(store), ShipOptions(**options))
    assert report.read == report.indexed + report.duplicates + report.rejected
    return report


def good(number: int) -> bytes:
    return json.dumps(event(name=f"good-{number}", seconds=number)).encode()


def test_a_log_is_stored_and_the_second_time_all_are_duplicates(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", [event(seconds=n) for n in range(100)])
    first = shipped(tmp_path / "s", log)
    again = shipped(tmp_path / "s", log)
    assert (first.indexed, first.duplicates, first.rejected) == (100, 0, 0)
    assert (again.indexed, again.duplicates, again.rejected) == (0, 100, 0)


def test_the_same_events_in_another_wrapping_are_duplicates(tmp_path: Path) -> None:
    events = [event(seconds=n) for n in range(10)]
    shipped(tmp_path / "s", write_log(tmp_path / "a.log", events))
    items = [{k: v for k, v in one.items() if k not in ("kind", "apiVersion")} for one in events]
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps({"kind": "EventList", "items": items}, indent=2))
    assert shipped(tmp_path / "s", batch).duplicates == 10


def test_workers_in_processes_of_their_own_give_the_same_as_one(tmp_path: Path) -> None:
    padding = {"spec": {"text": "x" * 20_000}}
    events = [event("create", seconds=n, requestObject=padding) for n in range(1500)]
    log = write_log(tmp_path / "a.log", events)
    log.write_bytes(log.read_bytes() + b'{"auditID": "cut\n')
    alone = shipped(tmp_path / "one", log, processes=1)
    pooled = shipped(tmp_path / "two", log, processes=2)
    assert (alone.indexed, alone.rejected) == (pooled.indexed, pooled.rejected) == (1500, 1)
    with (
        EmbeddedStore(tmp_path / "one").engine() as one,
        EmbeddedStore(tmp_path / "two").engine() as two,
    ):
        everything = Query(select=("event.id", "@timestamp", "requestObject"))
        assert one.run(everything).rows == two.run(everything).rows


def test_large_answers_of_workers_do_not_block_their_feeding(tmp_path: Path) -> None:
    # 130,000 events fill a part, whose ids alone are more than a pipe holds.
    small = [json.dumps(event(seconds=n / 100, name=f"n{n}")).encode() for n in range(300)]
    log = tmp_path / "a.log"
    with log.open("wb") as file:
        for hour in range(900):
            day = f"{hour // 24 + 1:02d}T{hour % 24:02d}:".encode()
            file.writelines(line.replace(b"23T12:", day) + b"\n" for line in small)
    assert shipped(tmp_path / "s", log, processes=2).indexed == 270_000


def test_progress_ends_with_all_bytes_and_all_events(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", [event(seconds=n) for n in range(100)])
    seen: list[tuple[int, int, int | None]] = []

    def note(progress: ShipProgress) -> None:
        seen.append((progress.events, progress.bytes_done, progress.bytes_total))

    ship([str(log)], EmbeddedStore(tmp_path / "s"), on_progress=note)
    assert seen[-1] == (100, log.stat().st_size, log.stat().st_size)


DEEP = b'{"a":' * 40 + b"1" + b"}" * 40
ODD: dict[str, dict[str, Any]] = {
    "an Audit-ID of 600 bytes": {"auditID": "a" * 600},
    "words for addresses": {"sourceIPs": ["unknown", "not an address", "10.0.0.1"]},
    "no answer": {"responseObject": None},
    "numbers beyond 64 bits": {"requestObject": {"n": 2**80, "m": -(2**80)}},
    "the year 1": {"stageTimestamp": "0001-01-01T00:00:00Z", "requestReceivedTimestamp": None},
    "no time zone": {"stageTimestamp": "2026-11-23T12:00:00"},
    "a key that is a dot": {"requestObject": {".": {}, "": 1, "a.b": {"c": 1}, "a": {"b": 2}}},
    "40 levels": {"requestObject": json.loads(DEEP)},
    "NUL": {"userAgent": "a\0b", "requestObject": {"a\0b": "\0"}},
    "control characters": {"userAgent": "\x1b[31m\r\n\x9b"},
    "a verb that is a number": {"verb": 5},
    "a user that is a text": {"user": "alice"},
    "no objectRef but a list": {"objectRef": []},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_events_are_stored_and_their_neighbours_too(
    tmp_path: Path, odd: dict[str, Any]
) -> None:
    strange = {**event(name="odd", seconds=5), **odd}
    log = write_log(tmp_path / "a.log", [event(name="a"), strange, event(name="z", seconds=9)])
    report = shipped(tmp_path / "s", log)
    assert (report.indexed, report.rejected) == (3, 0)
    assert {"a", "z"} <= set(names(EmbeddedStore(tmp_path / "s")))


BAD = {
    "cut": (b'{"kind":"Event","auditID":"x","stage":"Resp', "rejected"),
    "[Truncated...]": (b'{"kind":"Event","auditID":"x","user":{"userna[Truncated...]', "rejected"),
    "a klog line": (b"I1123 12:00:00.000000       1 controller.go:42] hello", "skipped"),
    "JSON of another kind": (b'{"level":"info","msg":"hello"}', "skipped"),
    "plain text": (b"hello world", "skipped"),
    "zeros that a power cut left": (b"\0" * 100, "blank"),
    "absurd nesting": (
        b'{"kind":"Event","auditID":"x","stage":"s","requestObject":' + b"[" * 100_000,
        "rejected",
    ),
}


@pytest.mark.parametrize(("line", "fate"), BAD.values(), ids=BAD)
def test_bad_lines_are_accounted_for_and_their_neighbours_kept(
    tmp_path: Path, line: bytes, fate: str
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"\n".join([good(1), line, good(2)]) + b"\n")
    report = shipped(tmp_path / "s", log)
    assert names(EmbeddedStore(tmp_path / "s")) == ["good-1", "good-2"]
    assert report.rejected == (fate == "rejected")
    assert sum(report.skipped.values()) == (fate == "skipped")
    if fate == "rejected":
        assert (report.rejects[0].where.source, report.rejects[0].where.record) == (str(log), 2)


@pytest.mark.parametrize("line", [b'{"userAgent":"\xff\xfe"}', rb'{"userAgent":"\ud800"}'])
def test_bytes_that_are_no_text_become_replacement_characters(tmp_path: Path, line: bytes) -> None:
    whole = good(3).replace(b"}", b"}", 1)[:-1] + b"," + line[1:]
    log = tmp_path / "a.log"
    log.write_bytes(b"\n".join([good(1), whole, good(2)]) + b"\n")
    assert shipped(tmp_path / "s", log).indexed == 3
    with EmbeddedStore(tmp_path / "s").engine() as engine:
        agents = engine.run(Query(select=("userAgent",))).rows
    assert any("\ufffd" in str(row[0]) for row in agents)


def test_a_line_of_50_mb_does_not_take_the_rest_down(tmp_path: Path) -> None:
    long = b'{"kind":"Event","auditID":"x","stage":"s","x":"' + b"y" * 50_000_000 + b'"}'
    log = tmp_path / "a.log"
    log.write_bytes(b"\n".join([good(1), long, good(2)]) + b"\n")
    report = shipped(tmp_path / "s", log)
    assert (report.indexed, report.rejected) == (2, 1)
    assert "--max-record-size" in report.rejects[0].reason
    raised = shipped(tmp_path / "t", log, record_limit=64 * 1024 * 1024)
    assert (raised.indexed, raised.rejected) == (3, 0)


def test_of_a_cut_gzip_file_what_came_before_is_kept(tmp_path: Path) -> None:
    lines = b"".join(good(number) + b"\n" for number in range(5000))
    log = tmp_path / "a.log.gz"
    packed = gzip.compress(lines)
    log.write_bytes(packed[: len(packed) // 2])
    report = shipped(tmp_path / "s", log)
    assert report.indexed > 1000
    assert report.rejected >= 1
    assert any("ends early" in one.reason for one in report.rejects)


def test_an_empty_file_has_no_events(tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    assert shipped(tmp_path / "s", tmp_path / "empty.log").read == 0


def test_a_binary_file_is_skipped_as_one(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(bytes(range(256)) * 1000)
    report = shipped(tmp_path / "s", path)
    assert report.indexed == 0
    assert report.rejected + sum(report.skipped.values()) == 1


def test_a_folder_without_files_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty"):
        shipped(tmp_path / "s", tmp_path / "empty")


def test_the_dead_letter_file_can_be_shipped_again(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    long = json.dumps(event(name="long", requestObject={"text": "x" * 5000})).encode()
    log.write_bytes(b"\n".join([good(1), long, b'{"auditID": \xff cut']) + b"\n")
    report = shipped(tmp_path / "s", log, record_limit=4096)
    assert (report.indexed, report.rejected) == (1, 2)
    letters = report.dead_letter
    assert letters is not None
    assert letters.stat().st_mode & 0o077 == 0
    reasons = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [one["record"] for one in reasons] == [2, 3]
    again = shipped(tmp_path / "s", letters)
    assert (again.indexed, again.rejected) == (1, 1)
    assert names(EmbeddedStore(tmp_path / "s")) == ["good-1", "long"]


def test_a_dead_letter_file_is_not_shipped_into_itself(tmp_path: Path) -> None:
    letters = write_log(tmp_path / "dead.jsonl", [event()])
    with pytest.raises(UsageError, match="both input and dead-letter"):
        shipped(tmp_path / "s", letters, dead_letter=letters)


def test_the_cluster_is_named(tmp_path: Path) -> None:
    shipped(tmp_path / "s", write_log(tmp_path / "a", [event()]), cluster="prod-eu")
    with EmbeddedStore(tmp_path / "s").engine() as engine:
        assert engine.run(Query(select=("orchestrator.cluster.name",))).rows == [("prod-eu",)]


@pytest.mark.skipif(not ENVELOPES.is_dir(), reason="no ../shared/data/envelopes")
@pytest.mark.parametrize(
    "expected",
    json.loads((ENVELOPES / "index.json").read_text())["files"] if ENVELOPES.is_dir() else [],
    ids=lambda one: str(one["file"]),
)
def test_every_envelope_gives_its_audit_ids(tmp_path: Path, expected: dict[str, Any]) -> None:
    report = shipped(tmp_path / "s", ENVELOPES / expected["file"])
    with EmbeddedStore(tmp_path / "s").engine() as engine:
        found = [row[0] for row in engine.run(Query(select=("auditID",))).rows]
    assert sorted(map(str, found)) == sorted(set(map(str, expected["expect_audit_ids"])))
    assert report.indexed + report.duplicates == expected["expect_events"]


@pytest.mark.skipif(not API_SERVER.is_dir(), reason="no ../shared/data/apiserver")
@pytest.mark.parametrize("name", ["everything", "attacks", "setup"])
def test_every_event_of_a_real_api_server_is_stored(tmp_path: Path, name: str) -> None:
    path = API_SERVER / f"{name}.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).count(b"\n")
    report = shipped(tmp_path / "s", path)
    assert (report.read, report.rejected) == (lines, 0)
    with EmbeddedStore(tmp_path / "s").engine() as engine:
        rows: Any = engine.run(
            Query(metrics=(Metric("n", "count"), Metric("ids", "count_distinct", "event.id")))
        ).rows
    assert rows == [(report.indexed, report.indexed)]


@pytest.mark.skipif(not API_SERVER.is_dir(), reason="no ../shared/data/apiserver")
def test_webhook_batches_and_the_log_are_one_set_of_events(tmp_path: Path) -> None:
    batches = sorted((API_SERVER / "webhook").glob("*.json.gz"))
    first = shipped(tmp_path / "s", *batches)
    again = shipped(tmp_path / "s", *batches)
    assert first.indexed > 500
    assert (again.indexed, first.rejected) == (0, 0)


def test_an_unknown_format_is_refused_before_a_store_is_made(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", [event()])
    with pytest.raises(UsageError, match="nonsense"):
        shipped(tmp_path / "s", log, format="nonsense")
    assert not (tmp_path / "s").exists()


def test_ranchers_own_api_audit_log_is_skipped(tmp_path: Path) -> None:
    record = {
        "auditID": "a",
        "stage": "ResponseComplete",
        "verb": "GET",
        "requestURI": "/v3/clusters",
        "sourceIPs": ["10.0.0.1"],
        "user": {"name": "user-x", "group": ["system:authenticated"]},
        "stageTimestamp": "2026-11-23T12:00:00Z",
    }
    log = write_log(tmp_path / "a.log", [record, event()])
    report = shipped(tmp_path / "s", log)
    assert (report.indexed, sum(report.skipped.values())) == (1, 1)


def test_events_that_a_policy_does_not_log_are_dropped_and_counted(tmp_path: Path) -> None:
    policy = parse_policy(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [ResponseStarted]\nrules:\n"
        "- {level: None, users: [bob]}\n"
        "- {level: Metadata, resources: [{group: '', resources: [pods]}]}\n"
    )
    events = [
        event(user="alice"),
        event(user="bob"),
        event(user="alice", resource="secrets"),  # no rule matches it
        event(user="alice", stage="ResponseStarted", seconds=1),
        {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "user": []},
    ]
    log = tmp_path / "audit.log"
    log.write_text("".join(json.dumps(body) + "\n" for body in events) + "{broken\n")
    report = ship([str(log)], EmbeddedStore(tmp_path / "s"), ShipOptions(drop=policy))
    assert (report.indexed, report.dropped, report.rejected) == (1, 4, 1)
    assert report.read == report.indexed + report.duplicates + report.rejected
    # Nothing that was dropped is lost: the whole log adds it.
    again = ship([str(log)], EmbeddedStore(tmp_path / "s"))
    assert (again.indexed, again.duplicates, again.dropped) == (4, 1, None)
