"""A proxy in front of a real server that does what networks and servers do on bad days.

It forwards every request; only bulk requests are counted, and a script says for each of
them, by its number from 1, what goes wrong. So "the server accepted it and the answer was
lost" is real.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one bulk request.

    :param status: answer with this instead of the server's answer.
    :param headers: with these.
    :param accepted: the server gets the request all the same.
    :param reset: reset the connection instead of an answer.
    :param cut: leave out this much of the answer's end, as a share of it.
    :param drop_items: leave out so many outcomes.
    :param busy_items: every n-th document does not get to the server; its outcome is 429.
    :param trickle: seconds between two pieces of the answer.
    :param body: the answer.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    accepted: bool = False
    reset: bool = False
    cut: float = 0.0
    drop_items: int = 0
    busy_items: int = 0
    trickle: float = 0.0
    body: bytes = b'{"error":{"type":"test","reason":"a bad day"}}'


Script = Callable[[int, bytes], Fault | None]


@dataclass(slots=True)
class FaultyProxy:
    """A running proxy.

    :ivar url: its address.
    :ivar bulks: bulk requests so far.
    :ivar faults: how many of them went wrong.
    """

    server: str
    script: Script
    url: str = ""
    bulks: int = 0
    faults: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, body: bytes) -> Fault | None:
        """A bulk request came."""
        with self._lock:
            self.bulks += 1
            fault = self.script(self.bulks, body)
            self.faults += fault is not None
        return fault


@contextmanager
def faulty(server: str, script: Script) -> Iterator[FaultyProxy]:
    """A proxy in front of the server at that address."""
    proxy = FaultyProxy(server, script)

    class Handler(_Handler):
        pass

    Handler.proxy = proxy
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "_bulk" not in self.path:
            self._send(self._forward(body))
            return
        fault = self.proxy.begin(body)
        if fault is None:
            self._send(self._forward(body))
        else:
            self._fail(fault, body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815

    def _fail(self, fault: Fault, body: bytes) -> None:
        if fault.busy_items:
            self._send(self._some_busy(body, fault.busy_items))
            return
        reply: Reply = (fault.status, dict(fault.headers), fault.body)
        if fault.accepted or not (fault.status or fault.reset):
            got = self._forward(body)
            reply = reply if fault.status else got
        if fault.reset:
            # Linger of zero seconds: the kernel sends a reset.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        if fault.drop_items:
            answer = json.loads(reply[2])
            answer["items"] = answer["items"][: -fault.drop_items]
            reply = (reply[0], reply[1], json.dumps(answer, separators=(",", ":")).encode())
        self._send(reply, cut=fault.cut, trickle=fault.trickle)

    def _some_busy(self, body: bytes, every: int) -> Reply:
        """Let the server have only a part of the documents."""
        lines = body.splitlines(keepends=True)
        pairs = [lines[at] + lines[at + 1] for at in range(0, len(lines), 2)]
        kept = [pair for at, pair in enumerate(pairs) if at % every]
        status, headers, content = self._forward(b"".join(kept))
        items = iter(json.loads(content)["items"])
        busy = {"create": {"status": 429, "error": {
            "type": "es_rejected_execution_exception", "reason": "queue is full"}}}  # fmt: skip
        merged = [next(items) if at % every else busy for at in range(len(pairs))]
        return status, headers, json.dumps({"errors": True, "items": merged}).encode()

    def _forward(self, body: bytes) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.server).netloc, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_FORWARDED}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError:
            return 502, {}, b"the server is not there"
        finally:
            connection.close()
        kept = {k: v for k, v in answer.getheaders() if k.lower() in _KEPT}
        return answer.status, kept, content

    def _send(self, reply: Reply, *, cut: float = 0.0, trickle: float = 0.0) -> None:
        status, headers, content = reply
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut:
            self.wfile.write(content[: int(len(content) * (1 - cut))])
            self.close_connection = True
        elif trickle:
            try:
                for start in range(0, len(content), 256):
                    self.wfile.write(content[start : start + 256])
                    self.wfile.flush()
                    time.sleep(trickle)
            except OSError:
                self.close_connection = True
        else:
            self.wfile.write(content)


_NOT_FORWARDED = ("host", "connection", "content-length", "accept-encoding")
_KEPT = ("content-type", "retry-after", "x-elastic-product", "warning")
