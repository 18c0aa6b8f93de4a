"""``k8sidx serve`` as a process, and requests to it as the API server makes them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from k8sidx.backends.embedded.storage.manifest import is_store
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Metric, Query
from tests.building import event

COUNTS = Query(metrics=(Metric("n", "count"), Metric("ids", "count_distinct", "event.id")))


def body(first: int, count: int, padding: str = "") -> bytes:
    """An ``EventList`` as the API server sends it: its items have no kind."""
    items = []
    for number in range(first, first + count):
        item = event("create", seconds=number / 100, name=f"n{number}", requestObject=padding)
        items.append({key: value for key, value in item.items() if key not in _TYPE})
    content = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items}
    return json.dumps(content).encode() + b"\n"


_TYPE = ("kind", "apiVersion")


class Serving:
    """A running ``k8sidx serve``.

    :ivar port: where it listens.
    """

    def __init__(self, folder: Path, *options: Any, store: Any = None, port: int = 0) -> None:
        self.store = Path(store or folder / "store")
        command = [sys.executable, "-m", "k8sidx", "serve", "--listen", f"127.0.0.1:{port}"]
        command += ["--store", str(store or self.store), *map(str, options), "-o", "json"]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "XDG_STATE_HOME": str(folder / "home")},
        )
        assert self.process.stderr is not None
        started = self.process.stderr.readline().decode()
        assert "receiving audit events on" in started, started + self.ended()[2]
        self.port = int(started.split("://")[1].split("/")[0].rpartition(":")[2])

    def connect(self, context: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
        if context is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def post(
        self,
        data: bytes,
        path: str = "/",
        context: ssl.SSLContext | None = None,
        **headers: str,
    ) -> http.client.HTTPResponse:
        """Send one body over a connection of its own."""
        connection = self.connect(context)
        try:
            connection.request("POST", f"{path}?timeout=30s", data, headers)
            response = connection.getresponse()
            response.read()
            return response
        finally:
            connection.close()

    def ready(self) -> tuple[int, dict[str, Any]]:
        connection = self.connect()
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        content = json.loads(response.read())
        connection.close()
        return response.status, content

    def stored(self) -> tuple[int, int]:
        """Events in the embedded store, and how many different ones."""
        if not is_store(self.store):
            return 0, 0
        with EmbeddedStore(self.store).engine() as engine:
            rows: Any = engine.run(COUNTS).rows
        return tuple(rows[0])

    def ended(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, dict[str, Any], str]:
        """End it; its exit code, the counts and the messages."""
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, json.loads(out) if out else {}, err.decode()


@contextmanager
def serving(folder: Path, *options: Any, **more: Any) -> Iterator[Serving]:
    started = Serving(folder, *options, **more)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()
