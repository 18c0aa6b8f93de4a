"""A server that answers as a test says: for what no real cluster does on demand."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

import orjson


class Request(NamedTuple):
    """What a client sent; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Last(bytes):
    """Raw bytes after which the connection is closed; they may be no whole answer, or none."""


_TLS_HANDSHAKE = b"\x16"

Script = Callable[[Request], bytes]
"""Makes the raw bytes of an answer."""


def reply(status: int, body: Any = b"", **headers: str) -> bytes:
    """A whole HTTP answer; ``content_type="text/html"`` becomes a header."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if not isinstance(body, bytes):
        named.setdefault("content-type", "application/json")
    lines = [f"HTTP/1.1 {status} Scripted", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


class ScriptedServer:
    """Listens on the loopback while it is used as a context manager.

    :param context: to speak TLS.
    :ivar requests: all that came, over so many ``connections``.
    """

    def __init__(
        self, script: Script, context: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while (request := _read(self.rfile)) is not None:
                    server.requests.append(request)
                    answer = server.script(request)
                    self.wfile.write(answer)
                    if isinstance(answer, Last):
                        return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def get_request(self) -> Any:
                connection, address = super().get_request()
                server.connections += 1
                if context is not None:
                    connection = context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                return connection, address

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is part of the test."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> ScriptedServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _read(stream: Any) -> Request | None:
    try:
        if stream.peek(1)[:1] == _TLS_HANDSHAKE:
            return None  # a hello need not have a line that ends
        first = stream.readline()
    except OSError:
        return None
    if not first:
        return None
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)
