"""Faults of answers and connections: a script in front of a real OpenSearch."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.connection import ConnectionSettings
from tests.building import SHARED
from tests.servers.faulty_proxy import Fault, Script, faulty
from tests.shipping.clusters import rows, shipped
from tests.shipping.faults.whole import EVENTS, assert_whole, ids, log_of

REAL = SHARED / "data" / "apiserver" / "everything.ndjson.gz"
SOME = (1, 2, 4)
"""Numbers of the bulk requests that go wrong."""


def at_some(fault: Fault) -> Script:
    return lambda number, _: fault if number in SOME else None


FAULTS = {
    "429 on the whole request": Fault(status=429),
    "429 with Retry-After": Fault(status=429, headers=(("Retry-After", "1"),)),
    "429 on some items": Fault(busy_items=3),
    "503": Fault(status=503),
    "500": Fault(status=500),
    "502 after the server accepted": Fault(status=502, accepted=True),
    "504 after the server accepted": Fault(status=504, accepted=True),
    "connection reset before the server accepted": Fault(reset=True),
    "connection reset after the server accepted": Fault(reset=True, accepted=True),
    "a truncated answer": Fault(cut=0.5),
    "an answer with a wrong item count": Fault(drop_items=1),
    "an answer that is no JSON": Fault(status=200, accepted=True, body=b"<html>proxy</html>"),
    "a slow trickle": Fault(trickle=0.002),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_event_is_stored_once_after(
    name: str, opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    with faulty(opensearch.url, at_some(FAULTS[name])) as proxy:
        report = shipped(proxy.url, prefix, log_of(tmp_path), folder=tmp_path)
    assert proxy.faults == len(SOME)
    assert_whole(report, opensearch, prefix, tmp_path)
    # What was accepted in an attempt whose answer was lost is no duplicate in the next.
    assert (report.indexed, report.duplicates) == (EVENTS, 0)


def test_an_answer_slower_than_the_timeout(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    settings = ConnectionSettings(read_timeout=1.0)
    with faulty(opensearch.url, at_some(Fault(trickle=1.5))) as proxy:
        report = shipped(proxy.url, prefix, log_of(tmp_path), folder=tmp_path, settings=settings)
    assert_whole(report, opensearch, prefix, tmp_path)
    assert report.duplicates == 0


def test_413_splits_until_the_requests_are_small_enough(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    def script(_: int, body: bytes) -> Fault | None:
        return Fault(status=413) if len(body) > 300_000 else None

    with faulty(opensearch.url, script) as proxy:
        report = shipped(proxy.url, prefix, log_of(tmp_path), folder=tmp_path)
    assert_whole(report, opensearch, prefix, tmp_path)
    assert proxy.faults < 20  # later batches are cut in advance


def test_a_single_event_that_is_too_large_is_rejected_with_the_reason(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    def script(_: int, body: bytes) -> Fault | None:
        return Fault(status=413) if b'"n7"' in body else None

    with faulty(opensearch.url, script) as proxy:
        report = shipped(proxy.url, prefix, log_of(tmp_path), folder=tmp_path)
    assert_whole(report, opensearch, prefix, tmp_path, rejected=1)
    assert "413" in report.rejects[0].reason


@pytest.mark.parametrize(
    "fault", [Fault(status=429), Fault(reset=True), Fault(status=504, accepted=True)]
)
def test_a_cluster_that_stays_away_is_given_up_and_nothing_is_lost(
    fault: Fault, opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = log_of(tmp_path)
    started = time.monotonic()
    with faulty(opensearch.url, lambda number, _: fault if number > 2 else None) as proxy:
        report = shipped(proxy.url, prefix, log, folder=tmp_path, give_up_after=2.0)
    assert 2 <= time.monotonic() - started < 15
    assert report.failure is not None
    assert "not delivered" in str(report.failure)
    assert "Run the same command again" in str(report.failure)
    assert report.failure.exit_code == 3
    assert 0 < report.read < EVENTS
    if not fault.accepted:
        assert len(rows(opensearch, prefix)) == report.indexed
    again = shipped(opensearch.url, prefix, log, folder=tmp_path)
    assert_whole(again, opensearch, prefix, tmp_path)
    assert again.duplicates >= report.indexed


def test_expired_credentials_half_way(opensearch: Cluster, prefix: str, tmp_path: Path) -> None:
    log = log_of(tmp_path)
    expired = Fault(status=401, body=b'{"error":{"type":"security","reason":"token expired"}}')
    with faulty(opensearch.url, lambda number, _: expired if number > 2 else None) as proxy:
        report = shipped(proxy.url, prefix, log, folder=tmp_path)
    assert report.failure is not None
    assert "token expired" in str(report.failure)
    assert len(rows(opensearch, prefix)) == report.indexed == report.read < EVENTS
    again = shipped(opensearch.url, prefix, log, folder=tmp_path)
    assert_whole(again, opensearch, prefix, tmp_path)
    assert again.duplicates == report.indexed
    assert rows(opensearch, prefix).keys() == ids()


@pytest.mark.skipif(not REAL.exists(), reason="no ../shared/data/apiserver")
def test_every_event_of_a_real_api_server_is_stored_once_under_429s(
    opensearch: Cluster, prefix: str, tmp_path: Path
) -> None:
    lines = set(gzip.decompress(REAL.read_bytes()).splitlines())

    def script(number: int, _: bytes) -> Fault | None:
        if number > 6:
            return None
        return Fault(status=429) if number % 2 else Fault(busy_items=5)

    with faulty(opensearch.url, script) as proxy:
        report = shipped(proxy.url, prefix, REAL, folder=tmp_path)
    assert proxy.faults == 6
    assert (report.indexed, report.rejected, report.failure) == (len(lines), 0, None)
    assert len(rows(opensearch, prefix)) == len(lines)
