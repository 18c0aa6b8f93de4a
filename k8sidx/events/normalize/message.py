"""One-line message and outcome of an event."""

from __future__ import annotations

from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.parts import Part
from k8sidx.events.outcome import ecs_outcome, outcome_of


def event_outcome(answer: Part, notes: Part) -> str:
    """Return ECS event.outcome."""
    fields = answer.fields
    return ecs_outcome(
        outcome_of(
            notes.fields.get("annotations.authorization.k8s.io/decision"),
            fields.get("responseStatus.code"),
            fields.get("responseStatus.status"),
            fields.get("responseStatus.reason"),
        )
    )


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
