"""Audit policy applied to events that were logged without it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from k8sidx.events.audit_policy import AuditPolicy, decide
from k8sidx.events.decode.event_model import AuditEvent

_USERS_KEPT = 4_096


class EventFilter:
    """Decides about events as an API server with a policy would have.

    An event that it would not have logged is left out. One that it would have logged at a lower
    level is kept as it is: without its bodies it would be another event.
    """

    def __init__(self, policy: AuditPolicy) -> None:
        self._policy = policy

    def leaves_out(self, event: AuditEvent) -> bool:
        """Whether the policy does not log an event."""
        target = event.objectRef
        about = {
            "user": _user(bytes(event.user)),
            "verb": event.verb,
            "requestURI": event.requestURI,
            "stage": event.stage,
            "objectRef": {} if target is None else msgspec.to_builtins(target),
        }
        return decide(self._policy, about).level == "None"


@lru_cache(_USERS_KEPT)
def _user(text: bytes) -> dict[str, Any]:
    """Return the authenticated user of an event; empty where it has none."""
    user = msgspec.json.decode(text) if text else None
    return user if isinstance(user, dict) else {}
