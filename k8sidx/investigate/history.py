"""History of an object: its changes, each with the difference that it made.

A difference needs bodies: the whole object after the change, from the response, or from the
request of an ``update``. Of a patch without a response the patch itself is the change. Where
the audit policy kept no body, the history says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from k8sidx.backends.protocol import Engine
from k8sidx.investigate.requests import (
    COLUMNS,
    OPENING,
    Request,
    count_events,
    read_rows,
    request_of,
)
from k8sidx.investigate.scope import Period
from k8sidx.investigate.selectors import ObjectReference, by_object
from k8sidx.query.algebra import And, Condition, Not, OneOf

_IGNORED = frozenset({
    "metadata.managedFields", "metadata.resourceVersion", "metadata.generation",
    "metadata.selfLink", "apiVersion", "kind",
})  # fmt: skip
"""Parts that change with every request or say nothing."""
_OTHERS = frozenset({"exec", "attach", "portforward", "proxy", "log", "token", "eviction"})
"""Subresources whose bodies are not the object."""
MAX_VALUE = 300
"""Characters of a value in a difference."""


@dataclass(frozen=True, slots=True)
class Change:
    """A request that changed the object, or tried to.

    :param lines: its difference: ``~ path: before → after``, ``+ path: value``, ``- path``.
    :param note: why there is none, or what it is compared with.
    """

    request: Request
    lines: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Changes of an object in order of time.

    :param events: events about changes of the object; ``read`` how many of them were read.
    :param quiet: requests about its status that are left out, since they changed nothing else.
    """

    changes: tuple[Change, ...]
    events: int
    read: int
    quiet: int = 0


def history_of(
    engine: Engine,
    reference: ObjectReference,
    period: Period,
    *,
    limit: int,
    with_status: bool = False,
) -> History:
    """Return the changes of an object.

    :param limit: events to read at most: the latest ones.
    :param with_status: differences of ``status``, too.
    :raises StoreError: when the store cannot be read.
    """
    writes: Condition = And(
        (
            by_object(reference),
            Not(OneOf("verb", ("get", "list", "watch"))),
            Not(OneOf("stage", tuple(sorted(OPENING)))),
        )
    )
    columns = (*COLUMNS, "requestObject", "responseObject", "request.json_patch")
    rows = read_rows(engine, writes, period, columns, limit=limit)
    events = len(rows) if len(rows) < limit else count_events(engine, writes, period)
    changes = tuple(_changes(rows[::-1], with_status=with_status))
    shown = tuple(change for change in changes if with_status or not _is_quiet(change))
    return History(shown, events, len(rows), len(changes) - len(shown))


def _is_quiet(change: Change) -> bool:
    """Whether a request is about the status alone, or tried to be."""
    return change.request.resource.endswith("/status") and not change.lines


def _changes(rows: list[dict[str, Any]], *, with_status: bool) -> Iterator[Change]:
    """Yield the changes of rows in order of time; objects of one kind are told apart by name."""
    states: dict[tuple[str, str, str], dict[str, Any]] = {}
    unseen: dict[tuple[str, str, str], int] = {}
    for row in rows:
        request = request_of(row)
        key = (request.cluster, request.namespace, request.name)
        subresource = request.resource.partition("/")[2]
        if request.outcome != "success" or row.get("request.dry_run") or subresource in _OTHERS:
            yield Change(request, ())
            continue
        if request.verb in ("delete", "deletecollection"):
            states.pop(key, None)
            yield Change(request, ())
            continue
        after = _whole(row, request.verb)
        if after is None:
            unseen[key] = unseen.get(key, 0) + 1
            yield Change(request, tuple(_patch(row)), _without_body(row))
            continue
        after = dict(_flat(_relevant(after, with_status=with_status)))
        before = states.get(key)
        states[key] = after
        hidden = unseen.pop(key, 0)
        if request.verb == "create":
            yield Change(request, tuple(f"+ {path}: {_text(after[path])}" for path in after))
        elif before is None:
            yield Change(request, tuple(_patch(row)), "no earlier body to compare with")
        else:
            note = f"together with {hidden} change(s) whose bodies were not logged"
            yield Change(request, tuple(_difference(before, after)), note if hidden else "")


def _without_body(row: Mapping[str, Any]) -> str:
    if row.get("requestObject") is not None:
        return "the request's own patch: the object after it was not logged"
    return f"no body was logged (level {row.get('level') or 'unknown'})"


def _whole(row: Mapping[str, Any], verb: str) -> dict[str, Any] | None:
    """Return the object after the request."""
    subresource = row.get("objectRef.subresource")
    bodies = [row.get("responseObject")]
    if verb in ("create", "update") and not subresource:
        bodies.append(row.get("requestObject"))
    for body in bodies:
        value = _decoded(body)
        if isinstance(value, dict) and value.get("kind") != "Status" and "metadata" in value:
            return value
    return None


def _decoded(body: Any) -> Any:
    return msgspec.json.decode(body) if isinstance(body, str | bytes) else body


def _patch(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a patch as the client sent it."""
    if row.get("verb") != "patch":
        return
    value = _decoded(row.get("requestObject"))
    if isinstance(value, list):
        for operation in value:
            yield f"~ {_text(operation)}"
    elif isinstance(value, dict):
        for path, item in _flat(_relevant(value, with_status=True)):
            yield f"- {path}" if item is None else f"~ {path}: → {_text(item)}"


def _relevant(value: dict[str, Any], *, with_status: bool) -> dict[str, Any]:
    kept = {key: item for key, item in value.items() if key not in _IGNORED}
    if not with_status:
        kept.pop("status", None)
    metadata = kept.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {
            key: item for key, item in metadata.items() if f"metadata.{key}" not in _IGNORED
        }
    return kept


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a JSON value by path; elements with a name are found by it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}[{_element(item, index)}]")
    else:
        yield path, value


def _element(item: Any, index: int) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else str(index)


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            yield f"- {path}: {_text(before[path])}"
        elif path not in before:
            yield f"+ {path}: {_text(after[path])}"
        elif before[path] != after[path]:
            yield f"~ {path}: {_text(before[path])} → {_text(after[path])}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
