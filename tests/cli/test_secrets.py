"""Secrets never appear in the output of a command, even with ``--debug``."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import socket
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.sink import ClusterSink
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.shipping.pool import WorkerPool
from k8sidx.shipping.worker import WorkerSettings
from tests.cli.conftest import k8sidx
from tests.servers.scripted import Last, Request, ScriptedServer, reply

WORD = "s3cr3t/+passw0rd"
ENCODED = b64encode(f"shipper:{WORD}".encode()).decode()
HELLO = reply(200, {"version": {"distribution": "opensearch", "number": "3.8.0"}})

WAYS = {
    "environment": ({"K8SIDX_USERNAME": "shipper", "K8SIDX_PASSWORD": WORD}, ""),
    "configuration": ({}, f'[connection]\nusername = "shipper"\npassword = "{WORD}"\n'),
    "file": ({"K8SIDX_USERNAME": "shipper", "K8SIDX_PASSWORD_FILE": "word"}, ""),
    "key": ({"K8SIDX_API_KEY": f"shipper:{WORD}"}, ""),
    "token": ({"K8SIDX_TOKEN": WORD}, ""),
    "proxy": ({"K8SIDX_PROXY": f"http://shipper:{ENCODED}@127.0.0.1:9"}, ""),
    "address": ({}, ""),
}


def opens(answer: bytes) -> ScriptedServer:
    """A cluster that is there, but answers so to all that is asked of it."""
    return ScriptedServer(lambda request: HELLO if request.target == "/" else answer)


def echoes(request: Request) -> bytes:
    return reply(500, {"error": {"type": "odd_exception", "reason": "no headers here"}})


SERVERS: dict[str, Callable[[], ScriptedServer | None]] = {
    "refused": lambda: None,
    "unauthorized": lambda: ScriptedServer(lambda _: reply(401, b"Unauthorized")),
    "forbidden": lambda: ScriptedServer(lambda _: reply(403, {"message": "no"})),
    "web page": lambda: ScriptedServer(lambda _: reply(200, b"<html>", content_type="text/html")),
    "cut off": lambda: ScriptedServer(lambda _: Last(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n")),
    "no HTTP": lambda: ScriptedServer(lambda _: Last(b"\x00\x01\x02\r\n\r\n")),
    "odd": lambda: ScriptedServer(echoes),
    "later unauthorized": lambda: opens(reply(401, b"token expired")),
    "later no JSON": lambda: opens(reply(200, b"{")),
    "later odd JSON": lambda: opens(reply(200, {"_shards": {"total": "x"}})),
}


@pytest.mark.parametrize("situation", SERVERS)
@pytest.mark.parametrize("way", WAYS)
def test_a_failing_command_prints_no_secret(
    situation: str,
    way: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    environment, configured = WAYS[way]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (here / "word").write_text(WORD)
    (here / "k8sidx.toml").write_text(configured)
    (here / "k8sidx.toml").chmod(0o600)
    caplog.set_level(logging.DEBUG)
    server = SERVERS[situation]()
    if server is None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        printed = ended(f"127.0.0.1:{port}", way)
    else:
        with server:
            printed = ended(f"127.0.0.1:{server.port}", way)
            if way not in ("proxy",) and situation not in ("refused",):
                assert any("authorization" in request.headers for request in server.requests)
    for text in (printed, caplog.text):
        for secret in (WORD, ENCODED, "s3cr3t"):
            assert secret not in text


def ended(address: str, way: str) -> str:
    userinfo = "shipper:s3cr3t%2F+passw0rd@" if way == "address" else ""
    store = f"http://{userinfo}{address}"
    done = k8sidx("hunt", "topn_user_agent", "--store", store, "--debug")
    assert done.exit_code in (2, 3, 70), done.stderr
    assert "Traceback" in done.stderr, "--debug shows it"
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"K8SIDX_STORE": f"https://shipper:{WORD}@search"},
        {"K8SIDX_STORE": "https://shipper:s3cr3t@search:99999"},
        {"K8SIDX_STORE": "https://shipper:s3cr3t@[search"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_PROXY": "socks5://shipper:s3cr3t@proxy"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_PROXY": "http://shipper:s3cr3t@[proxy"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_TOKEN": "s3cr3t\n"[:-1] + "\u00e9"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_API_KEY": '{"api_key": "s3cr3t"'},
        {"K8SIDX_STORE": "https://a", "K8SIDX_API_KEY": "s3cr3t", "K8SIDX_TOKEN": "s3cr3t"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_USERNAME": "a:b", "K8SIDX_PASSWORD": "s3cr3t"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_READ_TIMEOUT": "s3cr3t"},
        {"K8SIDX_STORE": "https://a", "K8SIDX_AWS_SERVICE": "s3cr3t"},
    ],
)
def test_settings_errors_repeat_no_secret(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = k8sidx("hunt", "topn_user_agent", "--debug")
    assert done.exit_code == 2, done.stderr
    assert "Traceback" in done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["report", "doctor"])
def test_commands_print_addresses_without_credentials(command: str) -> None:
    done = k8sidx(command, "--store", "http://shipper:s3cr3t@127.0.0.1:9", "--debug")
    assert done.exit_code == 3
    assert "http://127.0.0.1:9" in done.stdout + done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_worker_processes_receive_no_secret(opensearch: Cluster, prefix: str) -> None:
    """What a worker of a shipper gets, and what ``ps`` shows of it. (A server without security
    takes any password.)"""
    settings = ConnectionSettings(username="shipper", password=SecretStr(WORD))
    store = ClusterStore(opensearch.url, parse_target(prefix), settings)
    with contextlib.closing(ClusterSink(store, give_up_after=10, on_wait=None)) as sink:
        given = WorkerSettings(sink.spec)
        assert WORD.encode() not in pickle.dumps(given)
        pool = WorkerPool(given, 1)
        try:
            texts = [whole(pid) for pid in family(os.getpid()) if pid != os.getpid()]
        finally:
            pool.stop()
    assert any("spawn_main" in text for text in texts)
    assert not any("s3cr3t" in text for text in texts)


def family(pid: int) -> list[int]:
    """The process and those that it started."""
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has ended
                found += [int(child) for child in path.read_text().split()]
    return found


def whole(pid: int) -> str:
    """Command line and environment of a process."""
    folder = Path(f"/proc/{pid}")
    return "".join((folder / name).read_text("utf-8", "replace") for name in ("cmdline", "environ"))
