"""The parts of an event that repeat: normalized once for each distinct value.

In a real log a few hundred users, addresses, annotations and statuses make up hundreds
of thousands of events. Each part is parsed, redacted and turned into fields the first
time its bytes are seen; afterwards the event just refers to it. Stores use the same
fact: a part is one dictionary entry for all the columns it fills.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from k8sidx.events.accounts import WORKLOAD_CONTROLLERS, split_name, user_kind
from k8sidx.events.decode.plain_values import (
    plain_addresses,
    plain_object,
    plain_status,
    plain_user,
)
from k8sidx.events.normalize.actors import address, network_of, product
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.json_tree import Fields, put_text
from k8sidx.events.normalize.places import PLACES, AddressDatabases
from k8sidx.events.normalize.redact import redact_annotations
from k8sidx.events.normalize.redact_hints import embeds_objects
from k8sidx.events.normalize.redact_identity import redact_names, redact_status, redact_user
from k8sidx.events.normalize.redact_marks import MARK, MARK_START
from k8sidx.events.normalize.redact_text import redact_text
from k8sidx.events.normalize.truncate import cut, merged

PARTS_KEPT = 20_000
"""Distinct parts of a family that are remembered before the memory is emptied."""

_EXTRA = (
    "arn",
    "accessKeyId",
    "sessionName",
    "authentication.kubernetes.io/credential-id",
    "authentication.kubernetes.io/pod-name",
    "authentication.kubernetes.io/node-name",
)
_ANNOTATIONS = (
    "authorization.k8s.io/decision",
    "authorization.k8s.io/reason",
    "pod-security.kubernetes.io/enforce-policy",
    "pod-security.kubernetes.io/audit-violations",
    "authentication.kubernetes.io/issued-credential-id",
    "authentication.k8s.io/legacy-token",
    "audit.k8s.io/truncated",
)
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


class Part:
    """One distinct part.

    :ivar fields: stored fields that it fills.
    :ivar canonical: its canonical JSON, redacted, for the event's id.
    :ivar label: what it adds to the event's one-line message.
    :ivar rest: what of it no field holds, under the event's key.
    :ivar redacted: values of it are replaced by redaction.
    :ivar embedding: bodies of such calls may hold secrets inside other objects.
    :ivar encoded: its share of a document, once it was encoded
        (:mod:`k8sidx.backends.cluster.index.document`).
    """

    __slots__ = ("canonical", "embedding", "encoded", "fields", "label", "redacted", "rest")

    def __init__(self, fields: Fields, canonical: bytes, label: str = "") -> None:
        self.fields = fields
        self.canonical = canonical
        self.label = label
        self.rest: Fields = {}
        self.redacted = False
        self.embedding = False
        self.encoded: tuple[bytes, bytes] | None = None


class Memory(dict[Any, Part]):
    """Parts of one family by their bytes; makes those it does not know."""

    def __init__(self, make: Callable[[Any], Part]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Part:
        if len(self) >= PARTS_KEPT:
            self.clear()
        part = self[key] = self._make(key)
        merged(part.rest, cut(part.fields))
        return part


def call_part(key: tuple[Any, ...]) -> Part:
    """The request: verb, stage, level and kind of object.

    :param key: level, stage, verb, resource, subresource, apiGroup, apiVersion, cluster.
    """
    level, stage, verb, resource, subresource, group, version, cluster = key
    target = f"{resource}/{subresource}" if resource and subresource else resource or ""
    fields: Fields = {}
    if verb is not None:
        fields["verb"] = verb
    named = (
        ("level", level),
        ("stage", stage),
        ("objectRef.resource", resource),
        ("objectRef.subresource", subresource),
        # The core group is the empty one, which cannot be grouped by.
        ("objectRef.apiGroup", group or ("core" if resource else "")),
        ("objectRef.apiVersion", version),
        ("target.resource", target),
        ("orchestrator.cluster.name", cluster),
    )
    for name, value in named:
        put_text(fields, name, value)
    part = Part(fields, b"", f"{verb} {target}" if target else verb or "")
    part.embedding = embeds_objects(resource or "", group or "core")
    return part


def cluster_name(name: str) -> str:
    """Return the name of a cluster as events are stored with it."""
    stored: str = call_part((*[None] * 7, name)).fields["orchestrator.cluster.name"]
    return stored


def actor_part(key: tuple[bytes, bytes, str]) -> Part:
    """The actor: user and impersonatedUser.

    :param key: both as raw JSON, and the provider that the envelope named.
    """
    user, impersonated = plain_user(_object(key[0])), plain_user(_object(key[1]))
    provider = key[2]
    fields: Fields = {}
    redact_user(user)
    redact_user(impersonated)
    part = Part(fields, canonical_json([_without_empty(user), _without_empty(impersonated)]))
    part.redacted = MARK_START in part.canonical
    for name, value in (("user", user), ("impersonatedUser", impersonated)):
        rest = _user_fields(name, value, fields)
        if rest != {}:
            part.rest[name] = rest
    person = "impersonatedUser" if fields.get("impersonatedUser.username") else "user"
    who = fields.get(f"{person}.username", "")
    put_text(fields, "user.effective.name", who)
    namespace, account = split_name(who)
    put_text(fields, "user.effective.namespace", namespace)
    put_text(fields, "user.effective.account", account)
    if f"{person}.groups" in fields:
        fields["user.effective.groups"] = fields[f"{person}.groups"]
    fields["user.kind"] = user_kind(who)
    if person == "user" and who in WORKLOAD_CONTROLLERS:
        fields["user.controller"] = True
    # An EKS event that came without its envelope still names the IAM principal.
    iam = fields.get("user.uid", "").startswith("aws-iam-authenticator:")
    if provider == "kube-apiserver" and (iam or "user.extra.arn" in fields):
        provider = "eks"
    fields["event.provider"] = provider
    part.label = who or "(unauthenticated)"
    if person == "impersonatedUser" and fields.get("user.username"):
        part.label = f"{who} (through {fields['user.username']})"
    return part


def _without_empty(value: Any, but: tuple[str, ...] = ()) -> Any:
    """Return an object without members that are empty, as some writers add them; ``None`` when
    nothing is left."""
    if type(value) is not dict:
        return value or None
    return {key: child for key, child in value.items() if key in but or child not in _EMPTY} or None


def _user_fields(name: str, user: Any, fields: Fields) -> Any:
    """Put a user's fields; returns what of it no field holds."""
    if type(user) is not dict:
        return user
    rest = dict(user)
    for key in ("username", "uid"):
        if type(user.get(key)) is str and user[key]:
            fields[f"{name}.{key}"] = rest.pop(key)
    if _is_texts(user.get("groups")):
        fields[f"{name}.groups"] = rest.pop("groups")
    extra = user.get("extra")
    if type(extra) is dict and extra:
        fields[f"{name}.extra"] = canonical_json(rest.pop("extra"))
        if name == "user":
            for key in _EXTRA:
                if _is_texts(extra.get(key)):
                    fields[f"user.extra.{key}"] = extra[key][0]
    return rest


def origin_part(raw: bytes, places: AddressDatabases | None = None) -> Part:
    """The origin: sourceIPs, the addresses that the client claims and that connected, and the
    place of the latter, of which the event's id does not depend."""
    addresses = _json(raw)
    if (plain := plain_addresses(addresses)) is not None:
        addresses = plain
    holder = {"sourceIPs": addresses}
    redact_names(holder)
    addresses = holder["sourceIPs"]
    fields: Fields = {}
    part = Part(fields, canonical_json(addresses or None))
    part.redacted = MARK_START in part.canonical
    if not _is_texts(addresses):
        if addresses is not None and addresses != []:
            part.rest["sourceIPs"] = addresses
        return part
    fields["sourceIPs"] = addresses
    claimed, seen = address(addresses[0]), address(addresses[-1])
    put_text(fields, "source.ip", seen)
    put_text(fields, "source.network", network_of(seen) if seen else None)
    if seen and places is not None:
        fields |= places.fields(seen)
    put_text(fields, "source.claimed_ip", claimed)
    if len(addresses) > 1 and claimed != seen:
        fields["source.forwarded"] = True
    return part


def agent_part(agent: str | None) -> Part:
    """The client: userAgent and the product in it."""
    fields: Fields = {}
    part = Part(fields, b"")
    if agent:
        clean = redact_text(agent)
        part.redacted = MARK[:-1] in clean
        fields["userAgent"] = part.label = clean
        name, version = product(clean)
        put_text(fields, "user_agent.name", name)
        put_text(fields, "user_agent.version", version)
    return part


def answer_part(key: tuple[bytes, bool]) -> Part:
    """The response: responseStatus.

    :param key: raw JSON, and whether the request is about an object that holds secrets.
    """
    status, quotes_secrets = _object(key[0]), key[1]
    if (plain := plain_status(status)) is not None:
        status = plain
    fields: Fields = {}
    if type(status) is not dict:
        part = Part(fields, canonical_json(status))
        part.rest["responseStatus"] = status
        return part
    redact_status(status, quotes_secrets=quotes_secrets)
    # The API server always writes "metadata":{} here; converters leave it out.
    if status.get("metadata") == {}:
        del status["metadata"]
    # Empty details are the API server's own: "details":{} of a method that is not allowed.
    part = Part(fields, canonical_json(_without_empty(status, but=("details",))))
    part.redacted = MARK_START in part.canonical
    code = status.get("code")
    if type(code) is int and _SMALLEST <= code <= _LARGEST:
        fields["responseStatus.code"] = status.pop("code")
    for name in ("status", "reason", "message"):
        if type(status.get(name)) is str and status[name]:
            fields[f"responseStatus.{name}"] = status.pop(name)
    if type(status.get("details")) is dict and status["details"]:
        fields["responseStatus.details"] = canonical_json(status.pop("details"))
    if status:
        part.rest["responseStatus"] = status
    words = (fields.get("responseStatus.code"), fields.get("responseStatus.reason"))
    part.label = " ".join(str(word) for word in words if word is not None)
    return part


def notes_part(key: tuple[bytes, str]) -> Part:
    """The audit annotations.

    :param key: raw JSON, and resource/subresource of the request.
    """
    raw, target = key
    annotations = _object(raw)
    fields: Fields = {}
    if type(annotations) is not dict:
        part = Part(fields, canonical_json(annotations))
        part.rest["annotations"] = annotations
        return part
    redact_annotations(annotations, target)
    part = Part(fields, canonical_json(annotations or None))
    part.redacted = MARK_START in part.canonical
    for name in _ANNOTATIONS:
        if type(annotations.get(name)) is str:
            fields[f"annotations.{name}"] = annotations.pop(name)
    if annotations:
        fields["annotation.keys"] = sorted(annotations)
        fields["annotations"] = canonical_json(annotations)
    return part


def _is_texts(value: Any) -> bool:
    return type(value) is list and bool(value) and all(type(member) is str for member in value)


def _json(raw: bytes) -> Any:
    return msgspec.json.decode(raw) if raw else None


def _object(raw: bytes) -> Any:
    """Return the JSON value, an empty object when there is none."""
    value = _json(raw)
    if type(value) is str:
        return plain_object(value) or value
    return {} if value is None else value


CALL = (
    "verb",
    "level",
    "stage",
    "objectRef.resource",
    "objectRef.subresource",
    "objectRef.apiGroup",
    "objectRef.apiVersion",
    "target.resource",
    "orchestrator.cluster.name",
)
ACTOR = (
    *(f"{u}.{key}" for u in ("user", "impersonatedUser") for key in ("username", "uid", "groups")),
    "user.extra",
    "impersonatedUser.extra",
    *(f"user.extra.{key}" for key in _EXTRA),
    "user.effective.name",
    "user.effective.namespace",
    "user.effective.account",
    "user.effective.groups",
    "user.kind",
    "user.controller",
    "event.provider",
)
ORIGIN = (
    *("sourceIPs", "source.ip", "source.network", *PLACES),
    *("source.claimed_ip", "source.forwarded"),
)
AGENT = ("userAgent", "user_agent.name", "user_agent.version")
ANSWER = tuple(
    f"responseStatus.{key}" for key in ("code", "status", "reason", "message", "details")
)
NOTES = (*(f"annotations.{key}" for key in _ANNOTATIONS), "annotation.keys", "annotations")
FAMILIES: tuple[tuple[str, ...], ...] = (CALL, ACTOR, ORIGIN, AGENT, ANSWER, NOTES)
"""The fields that each family of parts fills, in the order of ``Normalized.parts``."""
