"""Gaps of documents: parts of audit events that the program which indexed them left out.

The API server writes some members in every event, and the object of a request at the levels that
have it. Where none of the documents has such a part, a condition on what is derived from it finds
nothing, whatever happened: the query is refused instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from k8sidx.events.decode.event_model import AuditEvent
from k8sidx.events.fields.table import FROM_BODIES
from k8sidx.query.derived import sources_of

MEMBERS = ("level", "stage", "verb", "requestURI", "user", "sourceIPs", "userAgent")
"""Members of nearly every event."""
_OF_MANY = ("annotations", "responseStatus")
_MANY = 20
"""Events of which at least one has an annotation and a status."""
_WITH_OBJECTS = ("Request", "RequestResponse")
_WRITING = ("create", "update", "patch")
_BODY, _METADATA = "requestObject", "requestObject.metadata"
OF_METADATA = frozenset(
    {
        *("requestObject.metadata.name", "requestObject.metadata.namespace"),
        *("responseObject.metadata.name", "responseObject.metadata.namespace"),
        *("responseObject.metadata.uid", "responseObject.metadata.annotations.kubernetes.io/psp"),
        *("pod.mirror", "pod.owner_kind", "namespace.pod_security", "service.internal"),
        *("serviceaccount.cloud_identity", "object.settings"),
    }
)
"""Fields that the metadata of an object alone contains, or whose values are of it in part so that
a condition on one of these finds nothing without it."""
_PARTS = {
    "source": "sourceIPs",
    "user_agent": "userAgent",
    "request": "requestURI",
    "authorization": "annotations",
}
"""Members by the beginning of the names of what is derived from them."""
_ELSEWHERE = frozenset({"target.name", "message", "event.truncated"})
"""Fields that other parts give, too."""


@dataclass(slots=True)
class Gaps:
    """Counts of events and of their parts.

    :ivar events: number of events.
    :ivar objects: number of those whose request's object the API server logged.
    :ivar whole: number of these that create or replace an object.
    """

    events: int = 0
    objects: int = 0
    whole: int = 0
    present: Counter[str] = field(default_factory=Counter)

    def note(self, event: AuditEvent) -> None:
        """Count an event."""
        self.events += 1
        for name in (*MEMBERS, *_OF_MANY):
            if getattr(event, name):
                self.present[name] += 1
        if has_object(event):
            body = bytes(event.requestObject)
            self.objects += 1
            self.present[_BODY] += bool(body)
            if event.verb != "patch":  # whose objects are parts of one
                self.whole += 1
                self.present[_METADATA] += _has_metadata(body)

    def add(self, other: Gaps) -> None:
        """Add the counts of other events."""
        self.events += other.events
        self.objects += other.objects
        self.whole += other.whole
        self.present += other.present

    @property
    def missing(self) -> frozenset[str]:
        """Parts that none of the events has."""
        names = MEMBERS if self.events < _MANY else (*MEMBERS, *_OF_MANY)
        missing = {name for name in names if self.events and not self.present[name]}
        if self.objects and not self.present[_BODY]:
            missing |= {_BODY, _METADATA}
        if self.whole and not self.present[_METADATA]:
            missing.add(_METADATA)
        return frozenset(missing)

    def lack_of(self, fields: Iterable[str]) -> str:
        """Return which of the fields cannot be derived, and why; empty where all can be."""
        missing = self.missing
        if not missing:
            return ""
        for name in sorted(fields):
            part = next((part for part in parts_of(name) if part in missing), "")
            if part:
                return (
                    f"this index has no {name}: none of its documents has {part}, which the API "
                    "server logged."
                )
        return ""


class _Object(msgspec.Struct):
    metadata: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Object).decode


def _has_metadata(body: bytes) -> bool:
    """Whether an object has metadata of its own; a template in it has others."""
    try:
        return bool(body) and bool(bytes(_decode(body).metadata))
    except (msgspec.DecodeError, RecursionError):
        return True


def has_object(event: AuditEvent) -> bool:
    """Whether the API server logged the object of a request."""
    return (
        event.level in _WITH_OBJECTS
        and event.verb in _WRITING
        and event.stage == "ResponseComplete"
        and event.objectRef is not None
        and not event.objectRef.subresource
        and b'"Failure"' not in bytes(event.responseStatus)
    )


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of an event that a field is made of."""
    if name in OF_METADATA:
        return _BODY, _METADATA
    if name in FROM_BODIES and name not in _ELSEWHERE and not name.startswith("exec."):
        return (_BODY,) if not name.startswith("response") else ()
    heads = (source.split(".", 1)[0] for source in sources_of(name))
    return tuple(_PARTS.get(head, head) for head in heads)
