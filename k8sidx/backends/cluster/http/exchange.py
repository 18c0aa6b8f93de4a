"""HTTP transport: one request and its complete response, as bytes, within a time limit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
)

from k8sidx.backends.cluster.http.response import Answer

_PIECE = 1 << 18
RESPONSE_BYTES = 256 * 1024 * 1024
"""Longest response that is read, after decompression: decoded it takes several times as much."""
NOT_SENT = (NewConnectionError, ConnectTimeoutError, SSLError, ProxyError)
"""Errors before a request is sent: while connecting."""


class TooSlow(HTTPError):
    """The response was not complete in time, though some of it may have arrived."""


class TooLong(HTTPError):
    """The response is longer than any that is expected; reading it would cost too much memory."""


class Limits(NamedTuple):
    """Timeouts in seconds: until the connection is open, and until the response is complete."""

    connect: float
    answer: float


def exchange(
    pool: urllib3.HTTPConnectionPool,
    method: str,
    target: str,
    body: bytes | None,
    headers: Mapping[str, str],
    limits: Limits,
) -> Answer:
    """Send a request and read the response, without retries and redirects.

    :param target: path and query, as sent.
    :raises HTTPError: of urllib3, without a complete response. One of ``NOT_SENT`` when it
        failed before the request was written.
    """
    end = time.monotonic() + limits.answer
    response = pool.urlopen(
        method,
        target,
        body=body,
        headers=headers,
        timeout=urllib3.Timeout(connect=limits.connect, read=limits.answer),
        retries=False,
        redirect=False,
        assert_same_host=False,
        preload_content=False,
    )
    pieces: list[bytes] = []
    try:
        if not _has_end(method, response):
            raise ProtocolError("the response ends in its headers")
        # One read at a time: a server that sends a byte now and then must not block us.
        size = 0
        while piece := response.read1(_PIECE):
            size += len(piece)
            if size > RESPONSE_BYTES:
                raise TooLong(f"the response has more than {RESPONSE_BYTES >> 20} MiB")
            pieces.append(piece)
            if time.monotonic() > end:
                raise TooSlow("the answer came too slowly")
    except BaseException:
        response.close()
        raise
    response.release_conn()
    lowered = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, lowered, b"".join(pieces))


def _has_end(method: str, response: urllib3.BaseHTTPResponse) -> bool:
    """Whether the headers are complete: cut off, they would seem to be of an empty response."""
    if method == "HEAD" or response.status in (204, 304) or response.version < 11:
        return True
    headers = response.headers
    ends_with_connection = "close" in headers.get("connection", "").lower()
    return "content-length" in headers or "transfer-encoding" in headers or ends_with_connection
