"""Requests: bytes in and bytes out, several nodes, no retries, what is said when none answers."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from k8sidx.backends.cluster.http import exchange
from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.connection import ConnectionSettings
from tests.servers.node import free_port
from tests.servers.scripted import Last, Request, ScriptedServer, reply

HELLO = reply(200, {"version": {"distribution": "opensearch", "number": "3.8.0"}})


def fine(request: Request) -> bytes:
    return HELLO if request.target == "/" else reply(200, {"fine": True})


def connected(url: str, **settings: float) -> Cluster:
    return Cluster(parse_location(url), ConnectionSettings(**settings))  # type: ignore[arg-type]


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address that refuses connections."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{one.getsockname()[1]}"


def test_a_product_is_told_by_every_server(every_cluster: Cluster) -> None:
    again = open_cluster(every_cluster.url)
    assert again.product == every_cluster.product
    assert again.version[0] in {"opensearch": (2, 3), "elasticsearch": (8, 9)}[again.product]
    assert again.flavor == "server"
    again.close()


def test_a_compressed_body_goes_as_it_is(every_cluster: Cluster, prefix: str) -> None:
    lines = b'{"create":{"_id":"a"}}\n{"name":"\xc3\xa9"}\n'
    answer = every_cluster.request(
        "POST",
        f"/{prefix}-x/_bulk",
        params={"refresh": "true", "filter_path": "items.*.status,errors"},
        body=gzip.compress(lines, 1),
        headers={"content-encoding": "gzip", "content-type": "application/x-ndjson"},
    )
    assert answer.json() == {"errors": False, "items": [{"create": {"status": 201}}]}
    found = every_cluster.request("GET", f"/{prefix}-x/_doc/a", params={"_source": "true"})
    assert found.json()["_source"] == {"name": "é"}


def test_an_error_status_is_an_answer(every_cluster: Cluster, prefix: str) -> None:
    answer = every_cluster.request("GET", f"/{prefix}-none/_search", body={"size": 0})
    assert answer.status == 404
    assert answer.json()["error"]["type"] == "index_not_found_exception"


def test_requests_go_out_at_the_same_time(every_cluster: Cluster) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: every_cluster.request("GET", "/_cluster/health"), range(200))
        )
    assert {answer.status for answer in answers} == {200}


def test_the_bytes_on_the_wire() -> None:
    body = bytes(range(256))
    with ScriptedServer(lambda request: reply(200, request.body)) as server:
        cluster = connected(f"{server.url}/es/")
        answer = cluster.request(
            "POST", "/a%2Fb/_bulk?x=1", params={"filter_path": "a.*,b c"}, body=body
        )
        cluster.close()
    [request] = server.requests
    assert answer.body == body == request.body
    assert request.target == "/es/a%2Fb/_bulk?x=1&filter_path=a.%2A%2Cb%20c"
    assert request.headers["user-agent"].startswith("k8sidx/")
    assert "authorization" not in request.headers


def test_connections_are_kept() -> None:
    """Four requests in flight, a hundred times: no more connections than requests at once."""
    with ScriptedServer(fine) as server:
        cluster = connected(server.url)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: cluster.request("GET", "/x"), range(400)))
        cluster.close()
    assert len(server.requests) == 400
    assert server.connections <= 4


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"\x15\x03\x03\x00\x02\x02\x50",
    ],
)
def test_without_a_whole_answer_the_outcome_is_unknown(answer: bytes) -> None:
    with ScriptedServer(lambda _: Last(answer)) as server:
        cluster = connected(server.url)
        with pytest.raises(ClusterUnreachable, match="broke the connection off") as raised:
            cluster.request("POST", "/_bulk", body=b"{}")
        cluster.close()
    assert raised.value.sent
    assert len(server.requests) == 1, "nothing is sent again"


def test_a_trickle_does_not_hold_us() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"

    def trickle() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(head)
            while True:
                connection.sendall(b"x")
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle)
        thread.start()
        cluster = connected(f"http://127.0.0.1:{listening.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(ClusterUnreachable, match=r"has not answered within 0.3 s") as raised:
            cluster.request("GET", "/", timeout=0.3)
        assert time.monotonic() - started < 2
        assert raised.value.sent
        cluster.close()
        thread.join()


def test_response_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "RESPONSE_BYTES", 1 << 20)
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 9000000000\r\n\r\n" + bytes(3 << 20)
    with ScriptedServer(lambda _: Last(endless)) as server:
        cluster = connected(server.url)
        with pytest.raises(ClusterUnreachable, match="a response of more than") as raised:
            cluster.request("GET", "/")
        assert "Narrow" in str(raised.value) or "narrow" in str(raised.value)
        cluster.close()


def test_a_refused_connection_is_known_not_to_be_sent(refusing: str) -> None:
    cluster = connected(refusing)
    with pytest.raises(ClusterUnreachable, match=r"Connection refused\. Is it running") as raised:
        cluster.request("GET", "/")
    assert not raised.value.sent
    assert raised.value.exit_code == 3


def test_an_unknown_host_is_said_to_be_one() -> None:
    with pytest.raises(ClusterUnreachable, match=r"no-such-host\.invalid:9200 is no known host"):
        open_cluster("http://no-such-host.invalid:9200")


@pytest.mark.parametrize("product", ["opensearch", "elasticsearch"])
def test_a_node_that_is_away_is_passed_over_and_left_aside(refusing: str, product: str) -> None:
    with ScriptedServer(fine) as one, ScriptedServer(fine) as two:
        cluster = connected(f"{refusing},{one.url},{two.url}", connect_timeout=0.5)
        cluster.became(product, (9, 0, 0), "server")  # type: ignore[arg-type]
        for _ in range(30):
            assert cluster.request("GET", "/x").json() == {"fine": True}
        cluster.close()
    assert len(one.requests) + len(two.requests) == 30
    assert min(len(one.requests), len(two.requests)) > 5, "the others take turns"


@pytest.mark.parametrize("product", ["opensearch", "elasticsearch"])
def test_a_node_that_comes_back_is_used_again(
    product: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("k8sidx.backends.cluster.http.nodes.LEFT_ASIDE", 0.05)
    port = free_port()
    with ScriptedServer(fine) as always:
        cluster = connected(f"http://127.0.0.1:{port},{always.url}")
        cluster.became(product, (9, 0, 0), "server")  # type: ignore[arg-type]
        for _ in range(4):
            cluster.request("GET", "/x")
        with ScriptedServer(fine, port=port) as back:
            end = time.monotonic() + 5
            while not back.requests and time.monotonic() < end:
                time.sleep(0.02)
                cluster.request("GET", "/x")
            assert back.requests
        cluster.close()


def test_a_request_that_a_node_may_have_got_goes_to_no_other() -> None:
    with ScriptedServer(lambda _: Last()) as one, ScriptedServer(lambda _: Last()) as two:
        cluster = connected(f"{one.url},{two.url}")
        with pytest.raises(ClusterUnreachable) as raised:
            cluster.request("POST", "/_bulk", body=b"x")
        assert raised.value.sent
        assert len(one.requests) + len(two.requests) == 1
        cluster.close()


def test_an_answer_that_is_no_json_is_an_error() -> None:
    with ScriptedServer(lambda _: reply(200, b"<html>")) as server:
        cluster = connected(server.url)
        answer = cluster.request("GET", "/")
        with pytest.raises(Exception, match="not valid JSON"):
            answer.json()
        cluster.close()
