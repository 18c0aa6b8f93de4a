"""Following into a cluster that is away for a while: each event is in it once."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from tests.shipping.clusters import rows
from tests.shipping.test_follow import ApiServer, Start, ended, start, wait

__all__ = ["start"]  # a fixture


class Gate:
    """A port before a server that can be closed: nothing listens there then, and what was
    connected is cut."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self._server = (split.hostname or "", split.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._open += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with suppress(OSError):  # The other side may be gone.
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def reopen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._serve()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, target):
            one.close()


@contextmanager
def gate(cluster: Cluster) -> Iterator[Gate]:
    opened = Gate(cluster.url)
    yield opened
    opened.close()


def stored(cluster: Cluster, prefix: str) -> Any:
    """Count the documents; the cluster answers 503 while the shard of a new index starts."""
    cluster.request("POST", f"/{prefix}-*/_refresh")
    counted = cluster.request("GET", f"/{prefix}-*/_count")
    return 0 if counted.status == 503 else counted.json()["count"]


def names(cluster: Cluster, prefix: str) -> list[Any]:
    return sorted(row["objectRef.name"] for row in rows(cluster, prefix).values())


@pytest.mark.parametrize("killed", [False, True])
def test_a_cluster_that_is_away_while_the_log_is_rotated(
    start: Start,
    opensearch: Cluster,
    prefix: str,
    tmp_path: Path,
    killed: bool,
) -> None:
    log, count = tmp_path / "audit.log", 1500
    log.touch()
    state = tmp_path / "state.json"
    with gate(opensearch) as way:
        options = ("-q", "--store", way.url, "--index", prefix, "--state", state, log)
        process = start(*options)
        wait(state.exists, process)
        writer = ApiServer(log, count, truncates=False, pace=0.15)
        writer.start()
        time.sleep(1.5)
        way.close()
        time.sleep(4)
        if killed:
            process.kill()
            process.communicate()
            way.reopen()
            process = start(*options)
        else:
            way.reopen()
        wait(lambda: not writer.is_alive() and stored(opensearch, prefix) >= count, process)
        code, out, err = ended(process, signal.SIGTERM)
        assert (code, out, err) == (0, "", ""), err
        assert names(opensearch, prefix) == sorted(f"n{number}" for number in range(count))
        files = json.loads(state.read_text())["files"]
        read = sum(file["record"] for file in files)
        # Of a file that nothing was read of before the kill it cannot be said which it was.
        assert read == count or (killed and read > count)
