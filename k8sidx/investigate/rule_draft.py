"""Drafts of rules from an event.

The draft selects what the request did, not who did it: verb, resource, and what stands out in
its object. Values come from the log; wildcards of Sigma in them are escaped.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from k8sidx.backends.protocol import Engine
from k8sidx.errors import UsageError
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.hunt.sigma.loader import read_hunts
from k8sidx.investigate.requests import count_events, read_rows
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import And, Compare

DEFAULT_FIELDS = (
    "verb", "objectRef.apiGroup", "objectRef.resource", "objectRef.subresource", "url.path",
    "event.outcome", "rbac.role", "pod.privileged", "pod.host_pid", "pod.host_network",
    "pod.host_ipc", "pod.host_paths", "pod.capabilities", "csr.signer_name",
)  # fmt: skip
"""Fields that a draft selects by, where the event has them."""
_WILDCARD = re.compile(r"[\\*?]")


def draft(
    engine: Engine, event_id: str, title: str, level: str, fields: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a Sigma document whose rule matches an event.

    :param event_id: of an event in the store.
    :param fields: to select by, instead of :data:`DEFAULT_FIELDS`.
    :raises UsageError: when the event has none of the fields.
    :raises UnknownField: when there is no such field.
    """
    names = [resolve(name).field.name for name in fields] or list(DEFAULT_FIELDS)
    only = Compare("event.id", "=", event_id)
    row = read_rows(engine, only, Period(), names, limit=1)[0]
    missing = [name for name in names if fields and row[name] in (None, [])]
    selection = dict(_tests(row))
    if missing or not selection:
        raise UsageError(
            f"the event has no {', '.join(missing) or 'field to select by'}.",
            remedy="k8sidx show ID prints the event; docs/fields.md lists the fields.",
        )
    document = {
        "title": title,
        "id": str(uuid.uuid4()),
        "status": "experimental",
        "description": f"Requests like {event_id}.",
        "logsource": {"product": "kubernetes", "service": "audit"},
        "detection": {"selection": selection, "condition": "selection"},
        "falsepositives": ["Not known yet: run it over a quiet month."],
        "level": level,
    }
    _check(engine, only, document)
    return document


def _tests(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    tests: list[tuple[str, Any]] = []
    for name, value in row.items():
        values = value if isinstance(value, list) else [value]
        if value in (None, [], ""):
            continue
        is_address = resolve(name).field.kind is Kind.ADDRESS
        written = [item if isinstance(item, bool | int) else _escaped(item) for item in values]
        modifiers = f"{'|cidr' if is_address else ''}{'|all' if len(values) > 1 else ''}"
        tests.append((f"{name}{modifiers}", written if len(written) > 1 else written[0]))
    return tests


def _escaped(value: Any) -> str:
    return _WILDCARD.sub(r"\\\g<0>", str(value))


def _check(engine: Engine, only: Compare, document: Mapping[str, Any]) -> None:
    """Check that the rule matches the event that it was made from."""
    import yaml

    [hunt] = read_hunts(yaml.safe_dump(dict(document)), file="draft", stem="draft")
    if not count_events(engine, And((hunt.condition, only)), Period()):
        raise UsageError("no rule can select this event by these fields.", remedy="Name others.")
