"""Normalizer: fields of the field table from an audit event, redacted and with an id.

What the field table names becomes a field; a value of another type than
audit.k8s.io/v1 defines stays in ``rest``, so that the fields together are the whole
event (:mod:`k8sidx.events.normalize.reconstruct`).
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import msgspec
import orjson
import re2  # type: ignore[import-untyped]

from k8sidx.events.decode.event_model import (
    NOTHING,
    V1,
    V1_KEYS,
    AuditEvent,
    ObjectReference,
)
from k8sidx.events.fields.field import NAMESPACE_LENGTH, TEXT_LENGTH
from k8sidx.events.normalize.bodies import WORKLOADS, promoted_again, promoted_fields
from k8sidx.events.normalize.embedded_text import parse_text
from k8sidx.events.normalize.event_id import canonical_json, digest
from k8sidx.events.normalize.extra_keys import clean_extra_keys
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.message import event_outcome, message_of
from k8sidx.events.normalize.parts import (
    Memory,
    Part,
    actor_part,
    agent_part,
    answer_part,
    call_part,
    notes_part,
    origin_part,
)
from k8sidx.events.normalize.places import AddressDatabases
from k8sidx.events.normalize.redact import redact_json
from k8sidx.events.normalize.redact_container import redact_promoted
from k8sidx.events.normalize.redact_hints import BODY_HINTS, KIND_HINTS, LAST_APPLIED
from k8sidx.events.normalize.redact_identity import (
    clean_authentication,
    clean_reference,
    redact_name,
)
from k8sidx.events.normalize.redact_kinds import KIND_OF_RESOURCE
from k8sidx.events.normalize.redact_marks import MARK_START, URI_MARK
from k8sidx.events.normalize.redact_text import redact_uri
from k8sidx.events.normalize.request import resource_of, uri_fields
from k8sidx.events.normalize.timestamps import (
    canonical_text,
    is_canonical,
    microseconds,
    read_moment,
)
from k8sidx.events.normalize.truncate import cut, merged
from k8sidx.events.records import Context


class Values(NamedTuple):
    """Values of the fields of which nearly every event has its own.

    Moments are microseconds since 1970, ``duration`` is nanoseconds, JSON is compact bytes,
    ``id`` 16 bytes.
    """

    id: bytes
    timestamp: int | None
    received: int | None
    staged: int | None
    audit_id: str | None
    uri: str | None
    message: str
    namespace: str | None
    name: str | None
    uid: str | None
    resource_version: str | None
    target_name: str | None
    duration: int | None
    outcome: str
    request: bytes | None
    response: bytes | None
    size: int


VALUE_FIELDS = (
    "event.id",
    "@timestamp",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "auditID",
    "requestURI",
    "message",
    "objectRef.namespace",
    "objectRef.name",
    "objectRef.uid",
    "objectRef.resourceVersion",
    "target.name",
    "event.duration",
    "event.outcome",
    "requestObject",
    "responseObject",
    "event.bytes",
)
"""Names of the fields of :class:`Values`, in their order."""

# What AKS writes in place of a body that is too long for its table (AKSAudit).
AKS_CUT = b'"skipped-too-big-size-object"'
# A body without any of these has nothing that redaction looks for: one search for all of them
# takes a third of the time of one for each.
_HINTS = re2.compile(b"(?i)" + b"|".join(map(re2.escape, (*BODY_HINTS, *KIND_HINTS, LAST_APPLIED))))
_EMPTY = b"{}"
_KINDS = ("Event", None)
_VERSIONS = (V1, None)
_NO_REFERENCE = ObjectReference()
# With all others missing, a member of objectRef that is too long makes the head longer by
# its quotes and their nulls.
_SHORT_HEAD = NAMESPACE_LENGTH + 50


class Normalized:
    """An event ready to be stored.

    :ivar shared: the repeating parts, one of each family.
    :ivar values: values that are the event's own.
    :ivar extra: further fields, which only some events have.
    :ivar redacted: whether values are replaced by redaction, now or before it was shipped.
    """

    __slots__ = ("extra", "redacted", "shared", "values")

    def __init__(
        self, shared: tuple[Part, ...], values: Values, extra: Fields, redacted: bool
    ) -> None:
        self.shared = shared
        self.values = values
        self.extra = extra
        self.redacted = redacted

    @property
    def own_time(self) -> int | None:
        """``@timestamp`` when the event itself has it; ``None`` when its envelope gave it.

        Where an event is stored follows from this: another envelope may give another time, and
        the event has one place.
        """
        values = self.values
        return None if values.staged is None and values.received is None else values.timestamp

    @property
    def row(self) -> Fields:
        """All fields by name, the id as hexadecimal digits; a missing value has no key."""
        named = zip(VALUE_FIELDS, self.values, strict=True)
        row: Fields = {name: value for name, value in named if value is not None}
        row["event.id"] = self.values.id.hex()
        for part in self.shared:
            row.update(part.fields)
        row.update(self.extra)
        return row


class Normalizer:
    """Normalizes events, remembering the parts that repeat.

    :param cluster: the cluster's name, when the user gave one; wins over the envelope's.
    :param keep_secrets: store secrets as they are. The id is that of the redacted event
        either way.
    :param places: databases with the places of addresses; ``None`` for no places.
    :param bodies: false where no field of a body is requested: bodies are then neither
        read nor kept, and the id is made of their bytes as they came. It still tells
        events apart, and finds an event again that came twice in the same form.
    """

    def __init__(
        self,
        *,
        cluster: str = "",
        keep_secrets: bool = False,
        bodies: bool = True,
        places: AddressDatabases | None = None,
    ) -> None:
        self.cluster = cluster
        self.keep_secrets = keep_secrets
        self.bodies = bodies
        self._calls = Memory(call_part)
        self._actors = Memory(actor_part)
        self._origins = Memory(partial(origin_part, places=places))
        self._agents = Memory(agent_part)
        self._answers = Memory(answer_part)
        self._notes = Memory(notes_part)

    def normalize(
        self, event: AuditEvent, rest: Fields | None, context: Context, size: int
    ) -> Normalized:
        """Return the fields of an event.

        :param rest: what of the event is not part of audit.k8s.io/v1.
        :param size: bytes of the event's JSON as it was read.
        :raises ValueError: when a part is not valid JSON text (lone surrogates, bad UTF-8).
        :raises RecursionError: when it is nested beyond what JSON readers take.
        """
        audit_id = redact_name(event.auditID) if event.auditID else event.auditID
        reference = clean_reference(event.objectRef) if event.objectRef else _NO_REFERENCE
        call = self._calls[
            event.level,
            event.stage,
            event.verb,
            reference.resource,
            reference.subresource,
            reference.apiGroup,
            reference.apiVersion,
            self.cluster or context.cluster,
        ]
        target = call.fields.get("target.resource", "")
        actor = self._actors[bytes(event.user), bytes(event.impersonatedUser), context.provider]
        origin = self._origins[bytes(event.sourceIPs)]
        agent = self._agents[event.userAgent]
        sensitive = target or resource_of(event.requestURI)
        answer = self._answers[bytes(event.responseStatus), sensitive in KIND_OF_RESOURCE]
        notes = self._notes[bytes(event.annotations), sensitive]
        parts = (call, actor, origin, agent, answer, notes)

        extra: Fields = {}
        request, request_json, clean_request = self._body(event.requestObject, sensitive, call)
        response, response_json, clean_response = self._body(event.responseObject, sensitive, call)
        clean_rest: Fields = {}
        if rest:
            clean_rest, rest_redacted = clean_extra_keys(rest, event, sensitive)
            rest = rest if self.keep_secrets and rest_redacted else clean_rest
        if request is not None or response is not None or reference.resource in WORKLOADS:
            promoted_fields(request, response, event.verb, target, reference.name, extra)
            if not self.keep_secrets and (
                clean_request is not request_json or clean_response is not response_json
            ):
                promoted_again(
                    clean_request, clean_response, event.verb, target, reference.name, extra
                )
        if AKS_CUT in (request_json, response_json):
            extra["event.truncated"] = True
        if notes.fields.get("annotations.audit.k8s.io/truncated") == "true":
            extra["event.truncated"] = True
        uri = event.requestURI
        clean = redact_uri(uri) if uri else uri
        stored_uri = uri if self.keep_secrets else clean
        stored_request = self._stored(request_json, clean_request)
        stored_response = self._stored(response_json, clean_response)

        authentication = clean_authentication(event.authenticationMetadata)
        received, received_is_canonical = read_moment(event.requestReceivedTimestamp)
        staged, staged_is_canonical = read_moment(event.stageTimestamp)
        received_text, staged_text = event.requestReceivedTimestamp, event.stageTimestamp
        if not received_is_canonical:
            received_text = canonical_text(received_text, received)
        if not staged_is_canonical:
            staged_text = canonical_text(staged_text, staged)
        head = orjson.dumps(
            [event.level or None, audit_id, event.stage or None, event.verb, clean,
             agent.label or None, received_text, staged_text, reference.resource or None,
             reference.namespace or None, reference.name or None, reference.uid or None,
             reference.apiGroup or None, reference.apiVersion or None,
             reference.resourceVersion or None, reference.subresource or None]
        )  # fmt: skip
        identity = digest(
            (
                head,
                actor.canonical,
                origin.canonical,
                answer.canonical,
                notes.canonical,
                authentication,
                clean_request if clean_request != _EMPTY else b"",
                clean_response if clean_response != _EMPTY else b"",
                _mistyped(clean_rest) if clean_rest else b"",
            )
        )
        uri_fields(event, reference, stored_uri, target, extra)
        if not self.keep_secrets and ("exec.command" in extra or "pod.commands" in extra):
            redact_promoted(extra)
        if extra:
            cut(extra)
        name = reference.name or extra.get("responseObject.metadata.name")
        message = message_of(call, actor, answer, reference.namespace, name, extra)
        # What a named tuple's own constructor adds is 1 % of normalizing.
        values: Values = tuple.__new__(
            Values,
            (
                identity,
                _first(staged, received, context),
                received,
                staged,
                audit_id,
                stored_uri,
                message,
                reference.namespace or None,
                reference.name or None,
                reference.uid or None,
                reference.resourceVersion or None,
                name or None,
                (staged - received) * 1000 if staged is not None and received is not None else None,
                event_outcome(answer, notes),
                stored_request,
                stored_response,
                size,
            ),
        )
        whole: Fields = {}
        uri_length = len(uri) if uri else 0
        if (
            uri_length > TEXT_LENGTH
            or len(message) > TEXT_LENGTH
            or len(head) - uri_length - len(event.userAgent or "") > _SHORT_HEAD
        ):
            values, whole = _cut(values)
        if (
            rest
            or whole
            or call.rest
            or actor.rest
            or origin.rest
            or agent.rest
            or answer.rest
            or notes.rest
            or event.kind not in _KINDS
            or event.apiVersion not in _VERSIONS
            or authentication
            or not received_is_canonical
            or not staged_is_canonical
        ):
            left = _left(event, rest, parts, authentication, received, staged)
            extra["rest"] = canonical_json(merged(left, whole))
        redacted = (
            any(part.redacted for part in parts)
            or audit_id != event.auditID
            or reference not in (event.objectRef, _NO_REFERENCE)
            or actor.redacted
            or agent.redacted
            or notes.redacted
            or (stored_uri is not None and URI_MARK[:-1] in stored_uri)
            or (stored_request is not None and MARK_START in stored_request)
            or (stored_response is not None and MARK_START in stored_response)
            or ("rest" in extra and MARK_START in extra["rest"])
        )
        if redacted:
            extra["event.redacted"] = True
        return Normalized(parts, values, extra, redacted)

    def _stored(self, plain: bytes, redacted: bytes) -> bytes | None:
        if not self.bodies:
            return None
        return (plain if self.keep_secrets else redacted) or None

    def _body(self, raw: msgspec.Raw, target: str, call: Part) -> tuple[Any, bytes, bytes]:
        """A body as an object, as canonical JSON, and as that without secrets.

        Fields are promoted from the object as it was sent: redaction works on the JSON.
        """
        if raw is NOTHING:
            return None, b"", b""
        if not self.bodies:
            return None, (plain := bytes(raw)), plain
        value = msgspec.json.decode(raw)
        if value is None:
            return None, b"", b""
        if type(value) is str and (parsed := parse_text(value)) is not None:
            value = parsed  # A shipper delivered the body as text.
        plain = canonical_json(value)
        is_plain = plain.isascii() and _HINTS.search(plain) is None
        if is_plain and target not in KIND_OF_RESOURCE:
            return value, plain, plain
        return value, plain, redact_json(plain, target, call.embedding)


def _cut(values: Values) -> tuple[Values, Fields]:
    """Return values at most as long as they are indexed, and the whole ones."""
    fields: Fields = dict(zip(VALUE_FIELDS, values, strict=True))
    whole = cut(fields)
    return Values(*fields.values()), whole


def _first(staged: int | None, received: int | None, context: Context) -> int | None:
    if staged is not None:
        return staged
    return received if received is not None else microseconds(context.time)


def _left(
    event: AuditEvent,
    rest: Fields | None,
    parts: tuple[Part, ...],
    authentication: bytes,
    received: int | None,
    staged: int | None,
) -> Fields:
    """Whatever no field holds, as one JSON object under the event's own keys."""
    left: Fields = dict(rest) if rest else {}
    for part in parts:
        if part.rest:
            merged(left, part.rest)
    if authentication:
        left["authenticationMetadata"] = msgspec.json.decode(authentication)
    if not is_canonical(event.requestReceivedTimestamp, received):
        left["requestReceivedTimestamp"] = event.requestReceivedTimestamp
    if not is_canonical(event.stageTimestamp, staged):
        left["stageTimestamp"] = event.stageTimestamp
    if event.kind not in _KINDS:
        left["kind"] = event.kind
    if event.apiVersion not in _VERSIONS:
        left["apiVersion"] = event.apiVersion
    return left


def _mistyped(rest: Fields) -> bytes:
    """Return canonical JSON of values of v1 keys that have another type than the API defines:
    they make the event what it is, unlike the keys that shippers add around it."""
    mistyped = {key: value for key, value in rest.items() if key in V1_KEYS}
    return canonical_json(mistyped) if mistyped else b""
