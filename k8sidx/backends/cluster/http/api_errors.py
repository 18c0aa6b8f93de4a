"""API errors of a cluster, explained, with a remedy.

Use :func:`refusal` for an answer whose status is an error, and :func:`explain` for an error
object inside an answer (an item of a bulk answer, a shard's failure). Both products write
``{"error": {"type", "reason", "root_cause", "caused_by", "failed_shards"}, "status"}``; AWS and
proxies write something of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from k8sidx.backends.cluster.http.response import Answer
from k8sidx.errors import StoreError

_LONGEST = 400
_WRAPPERS = frozenset({"search_phase_execution_exception", "exception"})
"""Errors that only wrap another error."""


class ClusterRefused(StoreError):
    """The cluster returned an error.

    :ivar status: HTTP status.
    :ivar kind: the cluster's name of the error, for example ``index_not_found_exception``; empty
        when it gave none.
    """

    def __init__(self, message: str, *, remedy: str = "", status: int = 0, kind: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.kind = kind


class Explained(NamedTuple):
    """An explained error.

    :param kind: the cluster's name of the error.
    :param message: without a full stop.
    :param remedy: suggested fix; may be empty.
    """

    kind: str
    message: str
    remedy: str


def refusal(answer: Answer, about: str) -> ClusterRefused:
    """Return the error for a response with an error status.

    :param about: subject of the request, begins the message: ``"the template k8s-audit"``.
    """
    error = _error(answer)
    explained = explain(error, answer.status) if error else _by_status(answer.status, _text(answer))
    return ClusterRefused(
        f"{about}: {explained.message}.",
        remedy=explained.remedy,
        status=answer.status,
        kind=explained.kind,
    )


def explain(error: Any, status: int = 0) -> Explained:
    """Explain an error object of a cluster.

    :param error: ``{"type", "reason", …}`` decoded, or a text.
    :param status: HTTP status of the response or the item; 0 without one.
    """
    causes = list(_causes(error))
    for kind, reason, index in causes:
        words = _known(kind, reason, index, status)
        if words is not None:
            return Explained(kind, *words)
    telling = [cause for cause in causes if cause.reason and cause.kind not in _WRAPPERS]
    if not telling:
        return _by_status(status, causes[0].kind if causes else str(error))
    first, last = telling[0], telling[-1]
    inner = "" if last.reason in first.reason else f": {last.reason}"
    named = f" ({first.kind})" if first.kind else ""
    return Explained(first.kind, f"{_cut(first.reason + inner)}{named}", "")


class _Cause(NamedTuple):
    kind: str
    reason: str
    where: str


def _causes(error: Any) -> Iterator[_Cause]:
    """Return the error and the errors that it wraps, outermost first."""
    if isinstance(error, str):
        yield _Cause("", error, "")
    if not isinstance(error, dict):
        return
    index = error.get("index") or error.get("resource.id") or ""
    yield _Cause(str(error.get("type") or ""), str(error.get("reason") or ""), str(index))
    for name in ("root_cause", "failed_shards"):
        inner = error.get(name)
        for cause in inner if isinstance(inner, list) else ():
            reason = cause.get("reason") if isinstance(cause, dict) else None
            yield from _causes(reason if isinstance(reason, dict) else cause)
    yield from _causes(error.get("caused_by"))


def _known(kind: str, reason: str, index: str, status: int) -> tuple[str, str] | None:
    if kind == "security_exception" or (not kind and status in (401, 403)):
        return _security(reason, status)
    if kind == "cluster_block_exception":
        return _block(reason)
    if kind == "index_not_found_exception":
        return (
            f"there is no index {index or reason}",
            "Ship events first, or name other indices with --index.",
        )
    if kind == "illegal_argument_exception":
        return _argument(reason)
    if kind == "search_phase_execution_exception" and "missing shards" in reason:
        # Continues: "… due to missing shards [[k8s-audit-2026.11.23][0]]. Consider using …"
        return _PLAIN["no_shard_available_action_exception"]
    if kind == "validation_exception" and "maximum" in reason and "shards open" in reason:
        return (
            f"the cluster has as many shards as it allows: {_cut(reason)}",
            "Delete old indices (a shorter --retention), or raise cluster.max_shards_per_node.",
        )
    return _PLAIN.get(kind.removeprefix("es_").removeprefix("opensearch_"))


_PLAIN: dict[str, tuple[str, str]] = {
    "index_closed_exception": (
        "an index is closed",
        "Open it, or leave it out of --index with a pattern such as k8s-audit-*,-NAME.",
    ),
    "too_many_buckets_exception": (
        "the answer has more groups than the cluster allows (search.max_buckets)",
        "Look at less time with --since and --until, or raise search.max_buckets.",
    ),
    "circuit_breaking_exception": (
        "the cluster lacks the memory for it now",
        "Retry later or query less time with --since and --until; give the nodes more heap.",
    ),
    "rejected_execution_exception": (
        "the cluster is overloaded",
        "Retry later; ship with less at once.",
    ),
    "search_context_missing_exception": (
        "the cluster has closed the search before its end",
        "Run it again; query less time with --since and --until.",
    ),
    "no_shard_available_action_exception": (
        "a part of the indices is on no running node (red)",
        "See which with GET _cluster/allocation/explain; bring the missing nodes back.",
    ),
    "master_not_discovered_exception": (
        "the cluster has no elected manager",
        "Bring the missing nodes back.",
    ),
    "cluster_manager_not_discovered_exception": (
        "the cluster has no elected manager",
        "Bring the missing nodes back.",
    ),
    "task_cancelled_exception": ("the search was cancelled", ""),
    "strict_dynamic_mapping_exception": (
        "the index takes no fields that its mapping does not name",
        "Give --index a prefix of k8sidx's own, made by k8sidx setup.",
    ),
}


def _security(reason: str, status: int) -> tuple[str, str]:
    if denied := _OPENSEARCH_DENIED.search(reason):
        actions, user = denied["actions"], denied["user"]
        return (
            f"user {user} lacks the permission {actions}",
            "Add it to a role that is mapped to this user.",
        )
    if denied := _ELASTICSEARCH_DENIED.search(reason):
        on = f" on {denied['indices']}" if denied["indices"] else ""
        privileges = denied["privileges"]
        return (
            f"{denied['who']} may not {denied['action']}{on}",
            f"Grant it one of the privileges {privileges}." if privileges else "",
        )
    if "expired" in reason.lower():
        return f"the credentials have expired: {_cut(reason)}", "Get new ones."
    if status == 401 or "authenticat" in reason:
        return (
            f"the cluster does not accept the credentials{_detail(reason)}",
            "Set K8SIDX_USERNAME and K8SIDX_PASSWORD, or K8SIDX_API_KEY_FILE.",
        )
    return f"the cluster forbids it{_detail(reason)}", "Ask for a role that allows it."


_OPENSEARCH_DENIED = re.compile(
    r"no permissions for \[(?P<actions>[^\]]*(?:\[\w+\][^\]]*)*)\] "
    r"and User \[name=(?P<user>[^,\]]+)"
)
_ELASTICSEARCH_DENIED = re.compile(
    r"action \[(?P<action>\S+)\] is unauthorized for (?P<who>.+?)"
    r"(?: with effective roles \[[^\]]*\])?(?: on indices \[(?P<indices>[^\]]*)\])?"
    r"(?:, this action is granted by the \w+ privileges \[(?P<privileges>[^\]]*)\])?$"
)


def _block(reason: str) -> tuple[str, str]:
    if "watermark" in reason or "disk usage" in reason or "create-index blocked" in reason:
        return (
            "the cluster is read-only, since its disks are nearly full",
            "Free or add disk space (a shorter --retention); the block then goes by itself.",
        )
    if "read-only" in reason or "index write" in reason:
        return (
            f"the index is set read-only: {_cut(reason)}",
            "Remove the setting index.blocks.write or index.blocks.read_only.",
        )
    if "state not recovered" in reason or "no master" in reason or "no cluster manager" in reason:
        return "the cluster is not ready", "Wait until its nodes have joined."
    return f"the cluster blocks it: {_cut(reason)}", ""


def _argument(reason: str) -> tuple[str, str] | None:
    if "Fielddata is disabled" in reason or "Text fields are not optimised" in reason:
        field = re.search(r"\[([\w.@/-]+)\]", reason)
        return (
            f"the field {field[1] if field else ''} is full text, which cannot be grouped",
            "Map it as keyword; for new events k8sidx setup does so.",
        )
    if "Limit of total fields" in reason:
        return (
            "the index has as many fields as it allows",
            "Give --index a prefix of k8sidx's own, made by k8sidx setup.",
        )
    if "Trying to create too many buckets" in reason:
        return _PLAIN["too_many_buckets_exception"]
    return None


def _by_status(status: int, text: str) -> Explained:
    detail = _detail(text)
    match status:
        case 401:
            return Explained("", *_security(text, status))
        case 403:
            return Explained(
                "",
                f"access is refused{detail}",
                "On AWS: does the access policy name this role? Else ask for a role.",
            )
        case 404:
            return Explained("", f"not found{detail}", "")
        case 413:
            return Explained("", "the request is larger than the cluster takes", "")
        case 429:
            return Explained("", f"the cluster is overloaded{detail}", "Retry later.")
        case 502 | 503 | 504:
            return Explained(
                "",
                f"the cluster is unavailable behind its proxy (status {status}){detail}",
                "Retry later.",
            )
    return Explained("", f"the cluster returned status {status}{detail}", "")


def _error(answer: Answer) -> Any:
    """Return the error in a body of either product; ``None`` for other bodies."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return body.get("error") if isinstance(body, dict) else None


def _text(answer: Answer) -> str:
    """Return other text in a body: AWS's ``message``, or a short text."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        text = answer.body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
    if isinstance(body, dict):
        return str(body.get("message") or body.get("Message") or "")
    return ""


def _detail(text: str) -> str:
    return f": {_cut(text)}" if text else ""


def _cut(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
