"""Parts of events that repeat, made from the native core's keys, and their flags."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from k8sidx.errors import K8sidxError
from k8sidx.events.normalize.bodies import is_written_workload, promotes
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
from k8sidx.events.normalize.redact_kinds import KIND_OF_RESOURCE
from k8sidx.events.outcome import FAILURE, FORBID, SUCCESS, ecs_outcome, outcome_of

# The core's flags of parts (core/src/parts.rs).
_NOT_PLAIN, _FORBIDDEN, _FAILED, _SUCCEEDED, _REDACTED = 1, 2, 4, 8, 16
_EMBEDDING, _SENSITIVE, _PROMOTES, _WORKLOAD = 32, 64, 128, 256


def made(make: Callable[[bytes], tuple[Part, int]], key: bytes) -> tuple[Part, int]:
    """Return a part and its flags; an event with one that cannot be made is not plain."""
    try:
        part, flags = make(key)
    except (MemoryError, K8sidxError):
        raise
    except Exception:  # noqa: BLE001 - the reference meets it again, and rejects the event
        return Part({}, b""), _NOT_PLAIN
    return part, flags | (_NOT_PLAIN if part.rest else 0) | (_REDACTED if part.redacted else 0)


def _call(key: bytes) -> tuple[Part, int]:
    _, cluster, *marked = key.decode().split("\0")
    texts = [text[1:] if text[0] == "\1" else None for text in marked[:-1]]
    part = Memory(call_part)[(*texts, cluster)]
    verb, target = part.fields.get("verb"), part.fields.get("target.resource", "")
    flags = _EMBEDDING if part.embedding else 0
    # An empty level or stage is a missing one, which the core does not know.
    flags |= _NOT_PLAIN if "" in texts[:2] else 0
    flags |= _SENSITIVE if target in KIND_OF_RESOURCE else 0
    flags |= _PROMOTES if promotes(verb, target) else 0
    flags |= _WORKLOAD if is_written_workload(verb, target) else 0
    return part, flags


def _actor(key: bytes) -> tuple[Part, int]:
    provider, _, user, impersonated = key.split(b"\0")
    return Memory(actor_part)[user, impersonated, provider.decode()], 0


def _origin(key: bytes, places: AddressDatabases | None) -> tuple[Part, int]:
    return Memory(partial(origin_part, places=places))[key], 0


def _agent(key: bytes) -> tuple[Part, int]:
    return Memory(agent_part)[key.decode()], 0


def _answer(key: bytes) -> tuple[Part, int]:
    sensitive, raw = _of_resource(key)
    part = Memory(answer_part)[raw, sensitive in KIND_OF_RESOURCE]
    names = ("responseStatus.code", "responseStatus.status", "responseStatus.reason")
    outcome = ecs_outcome(outcome_of(None, *map(part.fields.get, names)))
    return part, {FAILURE: _FAILED, SUCCESS: _SUCCEEDED}.get(outcome, 0)


def _notes(key: bytes) -> tuple[Part, int]:
    sensitive, raw = _of_resource(key)
    part = Memory(notes_part)[raw, sensitive]
    is_forbidden = part.fields.get("annotations.authorization.k8s.io/decision") == FORBID
    return part, _FORBIDDEN if is_forbidden else 0


def _of_resource(key: bytes) -> tuple[str, bytes]:
    """Split a key into resource/subresource of the request, and raw JSON."""
    resource, subresource, raw = key.split(b"\0", 2)
    target = b"/".join((resource, subresource)) if resource and subresource else resource
    return target.decode(), raw


def makers(places: AddressDatabases | None) -> tuple[Callable[[bytes], tuple[Part, int]], ...]:
    """Return the makers of the parts of each family from the core's keys (core/src/parts.rs)."""
    return (_call, _actor, partial(_origin, places=places), _agent, _answer, _notes)
