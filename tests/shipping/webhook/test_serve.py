"""``k8sidx serve``: a body that was acknowledged is in the store once, whatever happens."""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Metric, Query, Terms
from tests.servers.certificates import write_certificates
from tests.shipping.test_follow_cluster import gate, names
from tests.shipping.test_follow_cluster import stored as stored_in
from tests.shipping.webhook.serving import Serving, body, serving

UNREACHABLE = "http://127.0.0.1:9"
KILLS = int(os.environ.get("K8SIDX_TEST_KILLS", "3"))
"""Kills of each test of them; twenty show more, and take minutes."""


def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.1)


def test_bodies_are_stored_once_with_the_name_of_their_cluster(tmp_path: Path) -> None:
    with serving(tmp_path, "--cluster", "home") as server:
        assert server.post(body(0, 20)).status == 200
        assert server.post(body(0, 20)).status == 200  # an answer that came too late
        assert server.post(body(20, 20), "/cluster/prod").status == 200
        assert server.post(body(40, 20), "/cluster/team%20a/").status == 200
        code, counts, err = server.ended()
        assert code == 0, err
        assert (counts["read"], counts["indexed"], counts["duplicates"]) == (80, 60, 20)
        clusters = Query(
            group_by=(Terms("orchestrator.cluster.name"),), metrics=(Metric("n", "count"),)
        )
        with EmbeddedStore(server.store).engine() as engine:
            rows = {tuple(row) for row in engine.run(clusters).rows}
        assert rows == {("home", 20), ("prod", 20), ("team a", 20)}


def test_no_body_is_refused_for_its_content(tmp_path: Path) -> None:
    good = body(0, 5)
    with serving(tmp_path) as server:
        for data in (b"", b"{", b"\xff\xfe\0\0", b'{"kind": "EventList"}', b"[1, 2]", good[:-40]):
            response = server.post(data)
            assert (response.status, response.getheader("location")) == (200, None)
        assert server.post(good).status == 200
        code, counts, err = server.ended()
        assert code == 4, err
        assert server.stored() == (5, 5)
        assert counts["rejected"] >= 3
        letters = Path(counts["dead_letter"]).read_text()
        assert '"source":"webhook / from 127.0.0.1"' in letters


def test_only_posts_to_known_paths_are_accepted_and_nothing_is_redirected(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        statuses = {path: server.post(b"{}", path).status for path in ("/a", "//", "/cluster//")}
        connection = server.connect()
        connection.request("GET", "/")
        assert connection.getresponse().status == 405
        connection.close()
        assert set(statuses.values()) == {404}
        assert "where nothing is" in server.ended()[2]


def test_half_a_body_is_left_out_and_the_whole_one_is_taken_later(tmp_path: Path) -> None:
    data = body(0, 30)
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    with serving(tmp_path) as server:
        for length in (0, 1, len(data) // 2, len(data) - 1):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(head + data[:length])
        until(lambda: server.ready()[1]["incomplete"] == 4)
        assert server.ready()[1]["spool_entries"] == 0
        assert server.post(data).status == 200
        code, counts, err = server.ended()
        assert (code, counts["read"], counts["indexed"]) == (0, 30, 30), err


def test_fifty_connections_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as server, ThreadPoolExecutor(50) as pool:
        statuses = pool.map(lambda n: server.post(body(n * 40, 40)).status, range(150))
        assert set(statuses) == {200}
        until(lambda: server.stored() == (6000, 6000))
        assert server.ended()[0] == 0


def test_connection_is_kept_alive(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        connection = server.connect()
        ports = set()
        for number in range(5):
            connection.request("POST", "/", body(number, 1))
            assert connection.getresponse().read() == b""
            ports.add(connection.sock.getsockname()[1])
        assert len(ports) == 1
        connection.close()
        assert server.ended()[0] == 0


def test_long_body_is_streamed_to_disk(tmp_path: Path) -> None:
    data = body(0, 66, "x" * 1_000_000)
    assert len(data) > 64_000_000
    with serving(tmp_path) as server:
        assert server.post(data).status == 200
        until(lambda: server.stored() == (66, 66))
        assert server.ended()[0] == 0


def test_killed_at_any_moment_each_acknowledged_event_is_stored_once(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - moments to kill at
    bodies = 20 * KILLS
    done = threading.Event()

    def send() -> None:
        """Send each body until it is acknowledged, as the API server does for 90 seconds."""
        for number in range(bodies):
            while not done.is_set():
                try:
                    if server.post(body(number * 20, 20)).status == 200:
                        break
                except (OSError, http.client.HTTPException):
                    time.sleep(0.05)
            time.sleep(0.05)

    server = Serving(tmp_path)
    port = server.port
    sender = threading.Thread(target=send)
    sender.start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 3.0))
            server.process.kill()
            server.process.communicate()
            server = Serving(tmp_path, port=port)
        sender.join(300)
        assert not sender.is_alive()
        final = server
        until(lambda: final.stored() == (bodies * 20, bodies * 20))
        assert server.ended()[0] in (0, 4)
    finally:
        done.set()
        server.process.kill()
        server.process.communicate()


def test_full_spool_answers_503_with_retry_after_and_loses_nothing(tmp_path: Path) -> None:
    options = ("--spool", tmp_path / "spool", "--spool-size", "2MB")
    data = [body(number * 100, 100, "x" * 3000) for number in range(10)]
    with serving(tmp_path, *options, store=UNREACHABLE) as server:
        responses = [server.post(one) for one in data]
        accepted = [response.status for response in responses].count(200)
        assert 0 < accepted < len(data)
        refused = responses[accepted:]
        assert {response.status for response in refused} == {503}
        assert {response.getheader("retry-after") for response in refused} == {"10"}
        assert server.ready()[0] == 503
        code, _, err = server.ended()
        assert code == 3
        assert "refusing bodies with 503" in err
        assert f"{accepted} entries" in err
    with serving(tmp_path, *options) as server:
        until(lambda: server.stored() == (accepted * 100, accepted * 100))
        for one in data[accepted:]:
            assert server.post(one).status == 200
            until(lambda: server.ready()[0] == 200)
        until(lambda: server.stored() == (1000, 1000))
        assert server.ended()[0] == 0


def test_store_that_is_away_for_a_while(opensearch: Cluster, prefix: str, tmp_path: Path) -> None:
    with gate(opensearch) as way:
        options = ("--index", prefix, "--spool", tmp_path / "spool")
        with serving(tmp_path, *options, store=way.url) as server:
            assert server.post(body(0, 50)).status == 200
            until(lambda: stored_in(opensearch, prefix) == 50)
            way.close()
            began = time.monotonic()
            for number in range(1, 10):
                assert server.post(body(number * 50, 50)).status == 200
            assert time.monotonic() - began < 20  # nothing waits for the store
            way.reopen()
            until(lambda: stored_in(opensearch, prefix) == 500)
            assert server.ended()[0] == 0
            assert names(opensearch, prefix) == sorted(f"n{number}" for number in range(500))


def test_sigterm_while_the_store_is_away_keeps_the_spool(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with serving(tmp_path, "--spool", spool, store=UNREACHABLE) as server:
        assert server.post(body(0, 50)).status == 200
        code, counts, err = server.ended()
        assert code == 3, err
        assert counts["spooled"] == sum(one.stat().st_size for one in spool.glob("*.segment")) > 0
    with serving(tmp_path, "--spool", spool) as server:
        until(lambda: server.stored() == (50, 50))
        assert server.ended()[0] == 0
        assert not list(spool.glob("*.segment"))


def trusting(folder: Path, client: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if client is not None:
        context.load_cert_chain(folder / f"{client}.pem", folder / f"{client}-key.pem")
    return context


def test_certificate_and_token_are_reloaded_when_they_change(tmp_path: Path) -> None:
    tls, renewed, token = tmp_path / "tls", tmp_path / "renewed", tmp_path / "token"
    write_certificates(tls)
    write_certificates(renewed)
    token.write_text("first\n")
    options = ["--tls-cert", tls / "node.pem", "--tls-key", tls / "node-key.pem"]
    with serving(tmp_path, *options, "--token-file", token) as server:
        before, after = trusting(tls), trusting(renewed)
        first = {"Authorization": "Bearer first"}
        second = {"Authorization": "bearer second"}
        assert server.post(body(0, 1), "/", before, **first).status == 200
        assert server.post(body(1, 1), "/", before, **second).status == 401
        assert server.post(body(1, 1), "/", before).status == 401
        (renewed / "node-key.pem").replace(tls / "node-key.pem")
        (renewed / "node.pem").replace(tls / "node.pem")
        token.write_text("second\n")

        def is_renewed() -> bool:
            try:
                return server.post(body(2, 1), "/", after, **second).status == 200
            except ssl.SSLError:
                return False

        until(is_renewed)
        with pytest.raises(ssl.SSLError):
            server.post(body(3, 1), "/", before, **second)
        code, counts, err = server.ended()
        assert (code, counts["indexed"]) == (0, 2), err


def test_client_certificate_is_required_with_client_ca(tmp_path: Path) -> None:
    tls, others = tmp_path / "tls", tmp_path / "others"
    write_certificates(tls)
    write_certificates(others)
    options = ["--tls-cert", tls / "node.pem", "--tls-key", tls / "node-key.pem"]
    with serving(tmp_path, *options, "--client-ca", tls / "ca.pem") as server:
        assert server.post(body(0, 1), "/", trusting(tls, "admin")).status == 200
        with pytest.raises((OSError, http.client.HTTPException)):
            server.post(body(1, 1), "/", trusting(tls))
        stranger = trusting(tls)
        stranger.load_cert_chain(others / "admin.pem", others / "admin-key.pem")
        with pytest.raises((OSError, http.client.HTTPException)):
            server.post(body(1, 1), "/", stranger)
        code, counts, err = server.ended()
        assert (code, counts["indexed"]) == (0, 1), err


def test_health_is_served_without_tls_on_its_own_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving(tmp_path, "--health", f"127.0.0.1:{port}") as server:
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/", 404)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", path)
            response = connection.getresponse()
            assert response.status == status
            content = response.read()
            assert status == 404 or json.loads(content)["bodies"] == 0
            connection.close()
        assert server.ended()[0] == 0
