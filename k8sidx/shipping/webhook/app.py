"""ASGI application of the audit webhook: bodies to the spool, and an answer once they are durable.

The API server sends a body five times, and then drops all events in it; it treats every status
but 2xx alike, follows a redirect with a GET without the body, and waits 30 seconds for a response.
So a body is acknowledged when it is on disk, before it is decoded; what cannot be read of it
becomes a dead letter. The one response that makes it retry for longer is 503 with Retry-After.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from k8sidx.shipping.spool.segment import EntryAttributes, EntryKind
from k8sidx.shipping.spool.spool import Spool, SpoolEntry, SpoolError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

RETRY_AFTER_SECONDS = 10
"""The API server retries for 230 s with it, and for 90 s without."""
SILENCE_SECONDS = 60.0
"""A client that sends nothing for so long inside of a body is gone."""
NAME_LENGTH = 253
"""Longest name of a cluster, as of any object in Kubernetes."""
_WRITE_BYTES = 256 * 1024
_WRITERS = 8
_ROOM_FOR_A_BODY = 1024 * 1024
_HEALTH = ("/healthz", "/readyz")
_TYPE_JSON = [(b"content-type", b"application/json")]


@dataclass(slots=True)
class Counters:
    """Counts since the start.

    :ivar bodies: bodies that were acknowledged, with ``bytes``.
    :ivar refused: bodies that were answered with 503, since the spool is full or not writable.
    :ivar unauthorized: requests without a valid token.
    :ivar incomplete: bodies whose connection ended before they did.
    """

    bodies: int = 0
    bytes: int = 0
    refused: int = 0
    unauthorized: int = 0
    incomplete: int = 0


class _Incomplete(Exception):
    """The connection ended, or nothing more was sent."""


class WebhookApp:
    """Answers POST to ``/`` and ``/cluster/NAME``, and GET to ``/healthz`` and ``/readyz``.

    :param cluster: name of the cluster for bodies to ``/``.
    :param tokens: returns the accepted bearer tokens; ``None`` accepts everybody.
    :param on_message: called, in another thread, with what needs attention.
    """

    def __init__(
        self,
        spool: Spool,
        cluster: str = "",
        tokens: Callable[[], list[bytes]] | None = None,
        on_message: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.counters = Counters()
        self._spool = spool
        self._cluster = cluster
        self._tokens = tokens
        self._on_message = on_message
        self._writers = ThreadPoolExecutor(_WRITERS, "k8sidx-spool")
        self._refusing = ""
        self._unknown: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path in _HEALTH and scope["method"] in ("GET", "HEAD"):
            await self._health(path, send)
        elif self._tokens is not None and not self._is_authorized(scope):
            self.counters.unauthorized += 1
            await _discard(receive)
            await _answer(send, 401, b"", [(b"www-authenticate", b"Bearer")])
        elif (cluster := self._cluster_of(path)) is None:
            if path not in self._unknown and len(self._unknown) < _WRITERS:
                self._unknown.add(path)
                self._on_message(f"a request to {path!r}, where nothing is: use /cluster/NAME")
            await _discard(receive)
            await _answer(send, 404, b"use /cluster/NAME\n")
        elif scope["method"] != "POST":
            await _answer(send, 405, b"", [(b"allow", b"POST")])
        else:
            await self._body(cluster, scope, receive, send)

    async def health_only(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for ``/healthz`` or ``/readyz``, as another ASGI application."""
        if scope["type"] != "http":
            return
        if scope["path"] in _HEALTH:
            await self._health(scope["path"], send)
        else:
            await _discard(receive)
            await _answer(send, 404, b"")

    def close(self) -> None:
        """Wait for what is being written."""
        self._writers.shutdown()

    async def _health(self, path: str, send: Send) -> None:
        is_ready = path == "/healthz" or self._spool.free >= _ROOM_FOR_A_BODY
        oldest = self._spool.oldest()
        content = asdict(self.counters) | {
            "spool_entries": self._spool.segments,
            "spool_bytes": self._spool.used,
            "spool_limit": self._spool.size,
            "oldest_seconds": round(time.time() - oldest, 1) if oldest else 0,
        }
        await _answer(send, 200 if is_ready else 503, orjson.dumps(content), _TYPE_JSON)

    def _is_authorized(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        kind, _, token = given.partition(b" ")
        assert self._tokens is not None  # noqa: S101 - the caller made sure
        # Every token is compared, so that the time shows nothing about them.
        matches = [hmac.compare_digest(token.strip(), valid) for valid in self._tokens()]
        return kind.lower() == b"bearer" and any(matches)

    def _cluster_of(self, path: str) -> str | None:
        """Return the cluster that a path stands for; ``None`` for another path."""
        if path == "/":
            return self._cluster
        begin, _, name = unquote(path).rstrip("/").rpartition("/")
        is_name = name.isprintable() and 0 < len(name) <= NAME_LENGTH
        return name if begin == "/cluster" and is_name else None

    async def _body(self, cluster: str, scope: Scope, receive: Receive, send: Send) -> None:
        client = (scope.get("client") or ("",))[0]
        source = f"webhook {cluster or '/'} from {client}"
        attributes = EntryAttributes(EntryKind.BODY, source, 1, cluster)
        entry: SpoolEntry | None = None
        try:
            length = _length(scope)
            if length > self._spool.free:
                raise self._spool.full()
            entry = await self._write(self._spool.entry, attributes)
            size = await self._receive(receive, entry)
            await self._write(entry.commit)
        except SpoolError as error:
            if entry is not None:
                await self._write(entry.abort)
            self.counters.refused += 1
            self._report_refusal(error)
            await _discard(receive)
            retry = str(RETRY_AFTER_SECONDS).encode()
            await _answer(send, 503, b"the spool is full\n", [(b"retry-after", retry)])
        except (_Incomplete, asyncio.CancelledError) as error:
            self.counters.incomplete += 1
            if entry is not None:
                # Not awaited by what was cancelled.
                await asyncio.shield(self._write(entry.abort))
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self._refusing = ""
            self.counters.bodies += 1
            self.counters.bytes += size
            await _answer(send, 200, b"")

    async def _receive(self, receive: Receive, entry: SpoolEntry) -> int:
        """Write a body to the spool as it comes, and return its length."""
        blocks: list[bytes] = []
        size = waiting = 0
        while True:
            data, has_more = await _next(receive)
            blocks.append(data)
            size += len(data)
            waiting += len(data)
            if waiting and (waiting >= _WRITE_BYTES or not has_more):
                await self._write(entry.write, b"".join(blocks))
                blocks, waiting = [], 0
            if not has_more:
                return size

    def _write(self, call: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(self._writers, call, *arguments)

    def _report_refusal(self, error: SpoolError) -> None:
        if self._refusing != error.message:
            self._refusing = error.message
            self._on_message(f"refusing bodies with 503: {error}")


async def _next(receive: Receive) -> tuple[bytes, bool]:
    try:
        message = await asyncio.wait_for(receive(), SILENCE_SECONDS)
    except TimeoutError:
        raise _Incomplete from None
    if message["type"] != "http.request":
        raise _Incomplete
    return message.get("body", b""), bool(message.get("more_body"))


async def _discard(receive: Receive) -> None:
    """Read a body: a client that is still sending may not read an answer."""
    try:
        while (await _next(receive))[1]:
            pass
    except _Incomplete:
        return


async def _answer(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status, "headers": [length, *(headers or [])]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _length(scope: Scope) -> int:
    given = dict(scope["headers"]).get(b"content-length", b"0")
    return int(given) if given.isdigit() else 0
