"""Bulk response parser: the outcome of each document, or of the whole request.

The names of errors are those of OpenSearch and Elasticsearch (``error.type`` in answers of
the bulk API).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from k8sidx.backends.cluster.http.response import Answer, retry_after
from k8sidx.backends.sink import Tally

PARAMETERS = "require_alias=true&filter_path=errors,items.*.status,items.*.error.type," + (
    "items.*.error.reason,items.*.error.caused_by.reason"
)
"""The server must not create an index by itself
(:mod:`k8sidx.backends.cluster.index.template`), and returns only the members that are read here."""

_REASON_LENGTH = 1000
_BUSY = frozenset({429, 503})
_BUSY_TYPES = frozenset(
    {
        "es_rejected_execution_exception",
        "opensearch_rejected_execution_exception",
        "rejected_execution_exception",
        "circuit_breaking_exception",
        # Read-only, by the disk watermark or by hand; or no cluster manager for the moment.
        "cluster_block_exception",
        "process_cluster_event_timeout_exception",
        "unavailable_shards_exception",
        "index_closed_exception",
    }
)
_MISSING = "index_not_found_exception"
_UNAUTHORIZED_TYPE = "security_exception"
_INDEX_TYPES = frozenset({"invalid_index_name_exception", "alias_not_found_exception"})
_INDEX_REASON = re.compile(
    r"^(no write index is defined for alias|"
    r"alias \[[^\]]*\] has more than one ind|"
    r"pipeline with id \[[^\]]*\] does not exist)",
    re.IGNORECASE,
)
"""Errors of type ``illegal_argument_exception`` that are not of a document: the alias that events
are written to leads to several indices, or the index has an ingest pipeline that is missing."""


class BulkStatus(Enum):
    """Outcome of a whole bulk request."""

    ANSWERED = "every document has its own outcome"
    BUSY = "the cluster accepted nothing for now"
    UNKNOWN = "the cluster may have accepted some of it"
    TOO_LARGE = "the request is larger than the cluster accepts"
    MALFORMED = "one of the documents makes the whole request invalid"
    DENIED = "the cluster denies access"


@dataclass(slots=True)
class BulkResult:
    """Parsed bulk response.

    :ivar reason: in the server's words, unless every document was stored.
    :ivar wait: seconds until the server accepts the next request (``Retry-After``).
    :ivar tally: documents that are stored.
    :ivar existing: positions of documents that were stored before, which are duplicates.
    :ivar retry: positions of documents that the cluster was too busy for.
    :ivar missing: positions of documents whose index does not exist.
    :ivar rejections: positions of documents that it does not accept, with the reason.
    """

    status: BulkStatus
    reason: str = ""
    wait: float = 0.0
    tally: Tally = field(default_factory=Tally)
    existing: list[int] = field(default_factory=list)
    retry: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    rejections: list[tuple[int, str]] = field(default_factory=list)


class _Cause(msgspec.Struct, gc=False):
    reason: str | None = None


class _Error(msgspec.Struct, gc=False):
    type: str | None = None
    reason: str | None = None
    caused_by: _Cause | None = None


class _Item(msgspec.Struct, gc=False):
    status: int
    error: _Error | None = None


class _Answer(msgspec.Struct, gc=False):
    errors: bool
    items: list[dict[str, _Item]]


_decode = msgspec.json.Decoder(_Answer).decode


def parse_bulk_response(answer: Answer, sent: int) -> BulkResult:
    """Parse the response to a bulk request.

    :param sent: number of documents in the request.
    """
    status = answer.status
    if status == 200:
        return _parse_items(answer, sent)
    reason = f"HTTP {status}: {_error_text(answer.body)}"
    if status in _BUSY:
        return BulkResult(BulkStatus.BUSY, reason, retry_after(answer))
    if status == 413:
        return BulkResult(BulkStatus.TOO_LARGE, reason)
    if status == 400:
        return BulkResult(BulkStatus.MALFORMED, reason)
    if status >= 500 or status == 408:
        return BulkResult(BulkStatus.UNKNOWN, reason, retry_after(answer))
    return BulkResult(BulkStatus.DENIED, reason)


def _parse_items(answer: Answer, sent: int) -> BulkResult:
    body = answer.body
    # Inside a JSON text these would have backslashes: they can only be the response's own.
    if (
        b'"errors":false' in body
        and body.count(b'"status":201') == body.count(b'"status":') == sent
        and body.rstrip().endswith(b"}")
    ):
        return BulkResult(BulkStatus.ANSWERED, tally=Tally(indexed=sent))
    try:
        items = _decode(body).items
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return BulkResult(BulkStatus.UNKNOWN, f"unreadable response: {_error_text(body)}")
    if len(items) != sent or any(len(item) != 1 for item in items):
        reason = f"the response has {len(items):,} outcomes for {sent:,} documents"
        return BulkResult(BulkStatus.UNKNOWN, reason)
    result = BulkResult(BulkStatus.ANSWERED)
    for position, item in enumerate(items):
        [outcome] = item.values()
        _add_outcome(position, outcome, result)
    return result


def _add_outcome(position: int, item: _Item, result: BulkResult) -> None:
    status, error = item.status, item.error or _Error()
    if status in (200, 201):
        result.tally.indexed += 1
    elif status == 409:
        result.tally.duplicates += 1
        result.existing.append(position)
    elif error.type == _MISSING:
        result.missing.append(position)
    elif status in _BUSY or status >= 500 or error.type in _BUSY_TYPES:
        result.retry.append(position)
        result.reason = _reason(error)
    elif status == 401 or error.type == _UNAUTHORIZED_TYPE or _is_of_index(error):
        result.status = BulkStatus.DENIED
        result.reason = _reason(error)
    else:
        result.rejections.append((position, _reason(error)))


def _is_of_index(error: _Error) -> bool:
    """Whether an index refuses every document, whatever is in it."""
    return error.type in _INDEX_TYPES or _INDEX_REASON.search(error.reason or "") is not None


def _reason(error: _Error) -> str:
    reason = f"{error.type}: {error.reason}" if error.reason else error.type or "no reason given"
    if error.caused_by is not None and error.caused_by.reason:
        reason += f" ({error.caused_by.reason})"
    return reason[:_REASON_LENGTH]


def _error_text(body: bytes) -> str:
    """Return the reason in an error's body, or the start of the body, on one line."""
    try:
        decoded: Any = msgspec.json.decode(body)
        error = decoded["error"]
        text = f"{error['type']}: {error['reason']}" if isinstance(error, dict) else str(error)
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        text = body[:200].decode("utf-8", "replace")
    return " ".join(text.split())[:_REASON_LENGTH] or "empty body"
