"""Conditions on fields that k8sidx derives, as conditions on the audit event itself.

For indices whose documents have only the event: each means exactly what the derived field
would say (:mod:`k8sidx.events.normalize` derives it), or is refused by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from k8sidx.errors import UnsupportedQuery
from k8sidx.events.accounts import (
    AKS_PLATFORM,
    ANONYMOUS,
    CONTROL_PLANE,
    HUMAN,
    NODE,
    SERVICE_ACCOUNT,
    UNKNOWN,
    WORKLOAD_CONTROLLERS,
)
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import (
    NEVER,
    And,
    Compare,
    Condition,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Wildcard,
)

ALWAYS = And(())

_CODE = "responseStatus.code"
_FAILED = Or(
    (Compare("annotations.authorization.k8s.io/decision", "=", "forbid"), Compare(_CODE, ">=", 400))
)
_ANSWERED = And((Compare(_CODE, ">=", 100), Compare(_CODE, "<", 400)))
OUTCOMES: dict[str, Condition] = {
    "failure": _FAILED,
    "success": And((Not(_FAILED), _ANSWERED)),
    "unknown": And((Not(_FAILED), Not(_ANSWERED))),
}

_WHO = "user.effective.name"
_KINDS: tuple[tuple[str, Condition], ...] = (
    (UNKNOWN, Not(Present(_WHO))),
    (ANONYMOUS, OneOf(_WHO, ("system:anonymous", "system:unauthenticated"))),
    (
        SERVICE_ACCOUNT,
        Or((Wildcard(_WHO, "system:serviceaccount:*"), Wildcard(_WHO, "*.gserviceaccount.com"))),
    ),
    (NODE, Wildcard(_WHO, "system:node:*")),
    (
        CONTROL_PLANE,
        Or(
            (
                *(Wildcard(_WHO, f"{prefix}*") for prefix in ("system:", "eks:", "aks:")),
                OneOf(_WHO, tuple(sorted(AKS_PLATFORM))),
            )
        ),
    ),
    (HUMAN, ALWAYS),
)
"""Kinds of users in the order in which they are tried; the first that holds is it."""


class Known(NamedTuple):
    """What is known of the documents.

    :param impersonates: some may have been made by one user for another.
    :param one_address: each has one source address at most.
    """

    impersonates: bool
    one_address: bool


_MADE_OF = {
    "@timestamp": (),
    "event.id": (),
    "event.outcome": ("annotations.authorization.k8s.io/decision",),
    "user.kind": ("user.username", "impersonatedUser.username"),
    "user.controller": ("user.username", "impersonatedUser.username"),
    "user.effective.name": ("user.username", "impersonatedUser.username"),
    "user.effective.groups": ("user.groups", "impersonatedUser.groups"),
    "target.resource": ("objectRef.resource", "objectRef.subresource"),
    "source.ip": ("sourceIPs",),
    "source.claimed_ip": ("sourceIPs",),
    "source.forwarded": ("sourceIPs",),
}


def made_of(name: str) -> tuple[str, ...]:
    """The fields of the event that tell a field."""
    return _MADE_OF.get(name, (name,))


def condition_instead(leaf: Leaf, known: Callable[[], Known]) -> Condition | None:
    """The condition on a derived field as one on the event; ``None`` for what the index has.

    :param known: asked only when it matters.
    :raises UnsupportedQuery: when there is none that means the same.
    """
    path = resolve(leaf.field)
    name = path.field.name
    if name == "sourceIPs" and path.position is not None:
        return _address(leaf, known().one_address and path.position == 0)
    if path.position is not None:
        raise _refused(leaf)
    match name:
        case "event.outcome":
            return _of_values(leaf, lambda value: OUTCOMES.get(value, NEVER), present=ALWAYS)
        case "user.kind":
            return _of_values(leaf, _kind, present=ALWAYS)
        case "user.controller":
            return _of_values(leaf, _controller, present=_controller("true"))
        case "user.effective.name":
            return _effective(leaf) if known().impersonates else _moved(leaf, "user.username")
        case "user.effective.groups" if not known().impersonates:
            return _moved(leaf, "user.groups")
        case "target.resource":
            return _targets(leaf)
        case "source.ip" | "source.claimed_ip":
            return _address(leaf, known().one_address)
        case "source.forwarded" if known().one_address:
            return NEVER
        case "objectRef.apiGroup":
            return _group(leaf)
    return None


def _of_values(
    leaf: Leaf, condition: Callable[[str], Condition], *, present: Condition
) -> Condition:
    """Equality with one value or several of a few, in lower case, that have conditions."""
    if isinstance(leaf, Present):
        return present
    texts = _texts(leaf)
    if isinstance(leaf, Compare | OneOf) and leaf.ignore_case:
        texts = [text.lower() for text in texts]
    return Or(tuple(condition(text) for text in texts))


def _texts(leaf: Leaf) -> list[str]:
    """What the field is to be equal to."""
    if isinstance(leaf, Compare) and leaf.op == "=":
        values: tuple[object, ...] = (leaf.value,)
    elif isinstance(leaf, OneOf):
        values = leaf.values
    else:
        raise _refused(leaf)
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _kind(value: str) -> Condition:
    before: list[Condition] = []
    for kind, condition in _KINDS:
        if kind == value:
            return And((*before, condition))
        before.append(Not(condition))
    return NEVER


def _controller(value: str) -> Condition:
    if value != "true":
        return NEVER  # it is either true or not there
    names = tuple(sorted(WORKLOAD_CONTROLLERS))
    return And((OneOf("user.username", names), Not(Present("impersonatedUser.username"))))


def _targets(leaf: Leaf) -> Condition:
    """Resource and sub-resource in one."""
    if isinstance(leaf, Present):
        return Present("objectRef.resource")
    folds = isinstance(leaf, Compare | OneOf) and leaf.ignore_case

    def target(value: str) -> Condition:
        resource, slash, subresource = value.partition("/")
        is_resource = Compare("objectRef.resource", "=", resource, folds)
        if slash:
            return And((is_resource, Compare("objectRef.subresource", "=", subresource, folds)))
        return And((is_resource, Not(Present("objectRef.subresource"))))

    return Or(tuple(target(text) for text in _texts(leaf)))


def _group(leaf: Leaf) -> Condition | None:
    """The API writes the core group as none, k8sidx as ``core``; other groups stand there."""
    name = "objectRef.apiGroup"
    if isinstance(leaf, Present):
        return Present("objectRef.resource")
    if isinstance(leaf, Wildcard) and leaf.pattern == "*":
        return None
    texts = _texts(leaf)
    rest = tuple(text for text in texts if text.lower() != "core")
    if len(rest) == len(texts):
        return None
    # The presence of the field itself cannot be asked of it: it means another thing here.
    core = And((Present("objectRef.resource"), Not(Wildcard(name, "*"))))
    folds = isinstance(leaf, Compare | OneOf) and leaf.ignore_case
    return Or((core, OneOf(name, rest, folds)))


def _moved(leaf: Leaf, field: str) -> Condition:
    """The same of another field."""
    return dataclasses.replace(leaf, field=field)


def _effective(leaf: Leaf) -> Condition:
    """The impersonated user where there is one, else the user."""
    nobody = Not(Present("impersonatedUser.username"))
    return Or(
        (_moved(leaf, "impersonatedUser.username"), And((nobody, _moved(leaf, "user.username"))))
    )


def _address(leaf: Leaf, alone: bool) -> Condition:
    """One address of several: the same as any of them only where there is one."""
    if alone or isinstance(leaf, Present):
        return _moved(leaf, "sourceIPs")
    raise _refused(leaf)


def _refused(leaf: Leaf) -> UnsupportedQuery:
    return UnsupportedQuery(
        f"this index has no {leaf.field}, and nothing that a condition on it could ask instead.",
        remedy="Ship the logs with k8sidx to ask for it.",
    )
