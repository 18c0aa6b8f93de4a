"""One-line message and outcome of an event."""

from __future__ import annotations

from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.parts import Part


def outcome_of(answer: Part, notes: Part) -> str:
    """Return ECS event.outcome; 401s and authorizer errors have no decision: their code counts."""
    if notes.fields.get("annotations.authorization.k8s.io/decision") == "forbid":
        return "failure"
    code = answer.fields.get("responseStatus.code", 0)
    if code >= 400:
        return "failure"
    return "success" if 100 <= code < 400 else "unknown"


def message_of(
    call: Part, actor: Part, answer: Part, namespace: str | None, name: str | None, extra: Fields
) -> str:
    """Return a line such as ``alice create pods/exec shop/web-0: 403 Forbidden``."""
    if namespace:
        where = f" {namespace}/{name}" if name else f" in {namespace}"
    else:
        where = f" {name}" if name else ""
    if "url.path" in extra:
        where = f" {extra['url.path']}"
    line = f"{actor.label} {call.label}{where}"
    return f"{line}: {answer.label}" if answer.label else line
