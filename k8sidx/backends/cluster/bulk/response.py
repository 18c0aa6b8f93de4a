"""What a cluster answered to a bulk request: the fate of each document, or of all of them.

The names of errors are those of OpenSearch and Elasticsearch (``error.type`` in answers of
the bulk API).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from k8sidx.backends.cluster.http.response import Answer, retry_after

PARAMETERS = "require_alias=true&filter_path=errors,items.*.status,items.*.error.type," + (
    "items.*.error.reason,items.*.error.caused_by.reason"
)
"""No index is made up by the server (:mod:`k8sidx.backends.cluster.index.template`); of the answer
only what is read here."""

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


class Fate(Enum):
    """What became of a whole request."""

    ANSWERED = "every document has its own outcome"
    BUSY = "the cluster took nothing for now"
    UNKNOWN = "the cluster may have taken some of it"
    TOO_LARGE = "the request is larger than the cluster takes"
    MALFORMED = "one of the documents spoils the request for all"
    DENIED = "the cluster does not let us"


@dataclass(slots=True)
class Verdict:
    """What a bulk answer says.

    :ivar why: in the server's words, where not all is well.
    :ivar wait: seconds that the server asks to be left alone.
    :ivar created: how many documents are stored now.
    :ivar duplicates: how many were there already.
    :ivar again: places of documents that the cluster was too busy for.
    :ivar missing: places of documents whose index is not there.
    :ivar refused: places of documents that it does not take, and why.
    """

    fate: Fate
    why: str = ""
    wait: float = 0.0
    created: int = 0
    duplicates: int = 0
    again: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


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


def judge(answer: Answer, sent: int) -> Verdict:
    """Read the answer to a bulk request of so many documents."""
    status = answer.status
    if status == 200:
        return _items(answer, sent)
    why = f"HTTP {status}: {_said(answer.body)}"
    if status in _BUSY:
        return Verdict(Fate.BUSY, why, retry_after(answer))
    if status == 413:
        return Verdict(Fate.TOO_LARGE, why)
    if status == 400:
        return Verdict(Fate.MALFORMED, why)
    if status >= 500 or status == 408:
        return Verdict(Fate.UNKNOWN, why, retry_after(answer))
    return Verdict(Fate.DENIED, why)


def _items(answer: Answer, sent: int) -> Verdict:
    body = answer.body
    # Inside a JSON text these would have backslashes: they can only be the answer's own.
    if (
        b'"errors":false' in body
        and body.count(b'"status":201') == body.count(b'"status":') == sent
        and body.rstrip().endswith(b"}")
    ):
        return Verdict(Fate.ANSWERED, created=sent)
    try:
        items = _decode(body).items
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Verdict(Fate.UNKNOWN, f"the answer cannot be read: {_said(body)}")
    if len(items) != sent or any(len(one) != 1 for one in items):
        why = f"the answer has {len(items):,} outcomes for {sent:,} documents"
        return Verdict(Fate.UNKNOWN, why)
    verdict = Verdict(Fate.ANSWERED)
    for place, one in enumerate(items):
        [item] = one.values()
        _item(place, item, verdict)
    return verdict


def _item(place: int, item: _Item, verdict: Verdict) -> None:
    status, error = item.status, item.error or _Error()
    if status in (200, 201):
        verdict.created += 1
    elif status == 409:
        verdict.duplicates += 1
    elif error.type == _MISSING:
        verdict.missing.append(place)
    elif status in _BUSY or status >= 500 or error.type in _BUSY_TYPES:
        verdict.again.append(place)
        verdict.why = _reason(error)
    elif status == 401 or error.type == _UNAUTHORIZED_TYPE:
        verdict.fate = Fate.DENIED
        verdict.why = _reason(error)
    else:
        verdict.refused.append((place, _reason(error)))


def _reason(error: _Error) -> str:
    reason = f"{error.type}: {error.reason}" if error.reason else error.type or "no reason given"
    if error.caused_by is not None and error.caused_by.reason:
        reason += f" ({error.caused_by.reason})"
    return reason[:_REASON_LENGTH]


def _said(body: bytes) -> str:
    """The reason in an error's body, or the start of the body, on one line."""
    try:
        found: Any = msgspec.json.decode(body)
        error = found["error"]
        text = f"{error['type']}: {error['reason']}" if isinstance(error, dict) else str(error)
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        text = body[:200].decode("utf-8", "replace")
    return " ".join(text.split())[:_REASON_LENGTH] or "no words"
