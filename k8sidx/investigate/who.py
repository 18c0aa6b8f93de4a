"""Answers to "who deleted deployment shop/web?": the requests that did something to an object.

Objects also vanish without a request that names them: with all of their kind, with their
namespace, or by a controller after somebody's request about the workload. Such requests are
part of the answer, marked as possible causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.errors import UsageError
from k8sidx.investigate.requests import Request, read_requests
from k8sidx.investigate.scope import Period
from k8sidx.investigate.selectors import ObjectReference, by_object, of_collection
from k8sidx.query.algebra import Always, And, Compare, Condition, Not, OneOf, Or, Present

_DELETED = Or(
    (
        OneOf("verb", ("delete", "deletecollection")),
        And((Compare("verb", "=", "create"), Compare("objectRef.subresource", "=", "eviction"))),
    )
)
_USED = OneOf("objectRef.subresource", ("exec", "attach", "portforward", "proxy", "log"))
_ACTS: dict[str, Condition] = {
    "created": Compare("verb", "=", "create"),
    "changed": OneOf("verb", ("update", "patch")),
    "deleted": _DELETED,
    "read": OneOf("verb", ("get", "list", "watch")),
    "used": _USED,
    "touched": Always(),
}
_WORDS = {
    "made": "created", "added": "created", "updated": "changed", "patched": "changed",
    "edited": "changed", "modified": "changed", "scaled": "changed", "removed": "deleted",
    "killed": "deleted", "evicted": "deleted", "got": "read", "listed": "read", "saw": "read",
    "watched": "read", "entered": "used", "exec'd": "used", "execed": "used",
}  # fmt: skip
ACTS = tuple(_ACTS)
"""Verbs of the question."""
BEFORE = timedelta(minutes=10)
"""Time before a controller's deletion in which somebody's request may have caused it."""
_CAUSES = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Requests that did it, in order of time.

    :param act: one of :data:`ACTS`.
    :param causes: requests that do not name the object and may have done it, or caused it.
    :param touched: the last request about the object that changed it; for an empty answer.
    """

    act: str
    reference: ObjectReference
    requests: tuple[Request, ...]
    causes: tuple[Request, ...]
    touched: Request | None
    events: int


def parse_act(word: str) -> str | None:
    """Return the act that a verb of the question means: ``removed`` is ``deleted``."""
    folded = word.lower()
    act = _WORDS.get(folded, folded)
    return act if act in _ACTS else None


def who(
    engine: Engine, act: str, reference: ObjectReference, period: Period, *, limit: int
) -> Answer:
    """Return who did something to an object.

    :param act: one of :data:`ACTS`; ``touched`` is anything but reading.
    :param limit: events to read at most.
    :raises StoreError: when the store cannot be read.
    """
    if act not in _ACTS:
        raise UsageError(f"{act!r} is not a known verb.", remedy=f"Write {', '.join(ACTS)}.")
    about = by_object(reference)
    doing = And((about, _ACTS[act]))
    if act == "touched":
        doing = And((about, Not(And((_ACTS["read"], Not(_USED))))))
    read = read_requests(engine, doing, period, limit=limit)
    causes = _wholesale(engine, act, reference, period)
    if act == "deleted":
        causes += _before_controllers(engine, reference, read.rows)
    named = {request.id for request in read.rows}
    unique = {request.id: request for request in causes if request.id not in named}
    touched = None
    if not read.rows:
        last = read_requests(engine, about, period, limit=1).rows
        touched = last[0] if last else None
    return Answer(act, reference, read.rows, tuple(unique.values()), touched, read.events)


def _wholesale(
    engine: Engine, act: str, reference: ObjectReference, period: Period
) -> list[Request]:
    """Return the requests about all objects of the kind, or about the whole namespace."""
    conditions: list[Condition] = []
    if act in ("deleted", "touched"):
        conditions.append(
            And((*of_collection(reference), Compare("verb", "=", "deletecollection")))
        )
        if reference.namespace:
            space = ObjectReference("namespaces", "", reference.namespace)
            conditions.append(And((by_object(space), Compare("verb", "=", "delete"))))
    if act == "read":
        anywhere = Or(
            (
                Compare("objectRef.namespace", "=", reference.namespace),
                Not(Present("objectRef.namespace")),
            )
        )
        conditions.append(
            And(
                (
                    Compare("objectRef.resource", "=", reference.resource),
                    anywhere if reference.namespace else Always(),
                    Not(Present("target.name")),
                    OneOf("verb", ("list", "watch")),
                )
            )
        )
    if not conditions:
        return []
    return list(read_requests(engine, Or(tuple(conditions)), period, limit=_CAUSES).rows)


def _before_controllers(
    engine: Engine, reference: ObjectReference, requests: Sequence[Request]
) -> list[Request]:
    """Return what people requested about the workload before a controller deleted the object."""
    last = next((request for request in reversed(requests) if _is_controller(request)), None)
    if last is None or last.time is None or not reference.namespace:
        return []
    where = And(
        (
            Compare("objectRef.namespace", "=", last.namespace or reference.namespace),
            OneOf("verb", ("delete", "deletecollection", "update", "patch")),
            Compare("event.outcome", "=", "success"),
        )
    )
    period = Period(last.time - BEFORE, last.time)
    rows = read_requests(engine, where, period, limit=1_000).rows
    causes = [
        request
        for request in rows
        if not _is_controller(request) and _is_above(request, last.name or reference.name)
    ]
    return causes[-_CAUSES:]


def _is_controller(request: Request) -> bool:
    return request.user.startswith(("system:serviceaccount:kube-system:", "system:kube-"))


def _is_above(request: Request, name: str) -> bool:
    """Whether an object of a request may own another: ``web`` owns ``web-7d4b9c-x2x1z``."""
    return bool(request.name) and name.startswith(f"{request.name}-")
