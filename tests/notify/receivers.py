"""Receivers of notifications on this machine: HTTP, syslog, SMTP."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """What a receiver got.

    :ivar answers: status codes of the next answers; 200 when there are no more.
    """

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def http_receiver() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.bodies.append(body)
            received.headers.append(dict(self.headers))
            received.paths.append(self.path)
            self.send_response(received.answers.pop(0) if received.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    received.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def udp_receiver() -> Iterator[tuple[str, socket.socket]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield f"syslog://127.0.0.1:{listening.getsockname()[1]}", listening


@contextmanager
def smtp_receiver() -> Iterator[Received]:
    """A mail server that takes everything (RFC 5321)."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            lines: list[bytes] = []
            in_data = False
            for line in self.rfile:
                if in_data:
                    if line == b".\r\n":
                        received.bodies.append(b"".join(lines))
                        in_data = False
                        self.wfile.write(b"250 taken\r\n")
                    else:
                        lines.append(line)
                elif line.upper().startswith(b"DATA"):
                    in_data = True
                    self.wfile.write(b"354 go on\r\n")
                elif line.upper().startswith(b"QUIT"):
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    received.url = (
        f"smtp://127.0.0.1:{server.server_address[1]}?from=k8sidx@example.com&to=soc@example.com"
    )
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
