"""HTTP server of the audit webhook: a thread with uvicorn, TLS that is reloaded, bearer tokens."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from k8sidx.errors import UsageError
from k8sidx.shipping.webhook.app import AsgiApp

RELOAD_SECONDS = 2.0
"""Interval at which the certificate, the client CAs and the tokens are looked at for changes."""
KEEP_ALIVE_SECONDS = 120
"""Longer than the API server keeps an idle connection, so that it is the one to close it."""
GRACE_SECONDS = 10
_BACKLOG = 1024
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files of a server's TLS.

    :param client_ca: CAs of the clients' certificates, which are required then.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return a context with them.

        :raises UsageError: when they cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load(context)
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Load them into a context; connections from now on use them.

        :raises UsageError: when they cannot be used.
        """
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the certificate {self.certificate} with {self.key} cannot be used: {error}.",
                remedy="Give PEM files that belong together.",
            ) from error

    def paths(self) -> list[Path]:
        """Return the files."""
        return [path for path in (self.certificate, self.key, self.client_ca) if path]


class TokenFile:
    """Bearer tokens, one a line, read again when the file changes.

    :raises UsageError: when it cannot be read or is empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tokens = self._read()

    def __call__(self) -> list[bytes]:
        """Return the tokens."""
        return self._tokens

    def paths(self) -> list[Path]:
        """Return the file."""
        return [self._path]

    def reload(self) -> None:
        """Read the file again.

        :raises UsageError: when it cannot be read or is empty; the tokens of before stay.
        """
        self._tokens = self._read()

    def _read(self) -> list[bytes]:
        try:
            tokens = [line.strip() for line in self._path.read_bytes().splitlines()]
        except OSError as error:
            raise UsageError(
                f"the token file {self._path} cannot be read: {error.strerror}.",
                remedy="Check --token-file.",
            ) from error
        if not any(tokens):
            raise UsageError(
                f"the token file {self._path} is empty.", remedy="Write a token into it."
            )
        return [token for token in tokens if token]


class WebhookServer:
    """Serves applications in a thread of its own; a context manager.

    :param watched: files, each with what to call when it changes.
    :ivar ports: of the listeners, in their order.
    """

    def __init__(
        self,
        listeners: Sequence[tuple[socket.socket, AsgiApp, ssl.SSLContext | None]],
        watched: Sequence[tuple[Sequence[Path], Callable[[], None]]],
        on_message: Callable[[str], None],
    ) -> None:
        self.ports = [listener.getsockname()[1] for listener, _, _ in listeners]
        self._listeners = listeners
        self._servers = [_server(app, context) for _, app, context in listeners]
        self._watched = [(paths, call, _stamp(paths)) for paths, call in watched]
        self._on_message = on_message
        self._thread = threading.Thread(target=self._run, name="k8sidx-webhook", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> WebhookServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def has_failed(self) -> bool:
        """Whether it ended without being stopped."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Accept no more requests, and wait for those that are being answered."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(GRACE_SECONDS + 5)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        reloading = asyncio.create_task(self._reload())
        sockets = [listener for listener, _, _ in self._listeners]
        serving = [
            server.serve([listener])
            for server, listener in zip(self._servers, sockets, strict=True)
        ]
        await asyncio.gather(*serving)
        reloading.cancel()

    async def _reload(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            for number, (paths, call, before) in enumerate(self._watched):
                now = _stamp(paths)
                if now == before:
                    continue
                try:
                    call()
                except UsageError as error:  # half written, perhaps: tried again
                    self._on_message(f"{error} What was loaded before stays in use.")
                else:
                    self._on_message(f"reloaded {', '.join(map(str, paths))}")
                    self._watched[number] = paths, call, now


def listen(address: str) -> socket.socket:
    """Return a listening socket.

    :param address: ``HOST:PORT``, ``[IPv6]:PORT`` or ``:PORT``.
    :raises UsageError: when it is not an address, or cannot be listened on.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(
            f"{address!r} is not an address to listen on.", remedy="Give HOST:PORT, or :PORT."
        )
    host = host.removeprefix("[").removesuffix("]")
    try:
        family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
        listener = socket.create_server(
            (host or "::", int(port)),
            family=family,
            dualstack_ipv6=family is socket.AF_INET6 and not host,
            backlog=_BACKLOG,
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"{address} cannot be listened on: {reason}.",
            remedy="Give --listen another address, or end what is listening there.",
        ) from error
    listener.setblocking(False)
    return listener


def _server(app: AsgiApp, context: ssl.SSLContext | None) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http="h11",
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    config.ssl = context  # one that is reloaded, which it has no option for
    return uvicorn.Server(config)


def _stamp(paths: Sequence[Path]) -> list[tuple[int, int, int] | None]:
    """Return what changes with the content of files, also behind links (Kubernetes' secrets)."""
    stamps: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((about.st_ino, about.st_mtime_ns, about.st_size))
    return stamps
