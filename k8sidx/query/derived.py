"""Derived fields as conditions on the audit event itself.

:mod:`k8sidx.events.normalize` derives these fields when an event is stored. Where only the event
is (an index that something else filled, CloudWatch), a condition on a derived field becomes a
condition on the fields that it is derived from: ``DERIVED`` has one definition of each, and
tests/query/test_derived.py compares them with the normalizer, event by event.

An event has no empty texts: the API server leaves empty members out (``omitempty``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from k8sidx.events.accounts import (
    ANONYMOUS,
    ANONYMOUS_NAMES,
    CONTROL_PLANE,
    CONTROL_PLANE_PREFIXES,
    GOOGLE_SERVICE_ACCOUNT_SUFFIX,
    HUMAN,
    NODE,
    NODE_PREFIX,
    SERVICE_ACCOUNT,
    SERVICE_ACCOUNT_PREFIX,
    UNKNOWN,
    UNPREFIXED_PLATFORM,
    WORKLOAD_CONTROLLERS,
)
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.names import EVENT_ID, TIMESTAMP
from k8sidx.events.outcome import (
    DENIED,
    DENIED_CODES,
    DENIED_REASONS,
    FAILED_STATUS,
    FAILURE,
    FORBID,
    GRPC_CODES,
    SUCCESS,
    SUCCESSFUL_STATUS,
)
from k8sidx.events.outcome import UNKNOWN as OUTCOME_UNKNOWN
from k8sidx.query.algebra import (
    NEVER,
    Always,
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
from k8sidx.query.coerce import coerce

IMPERSONATED = "impersonatedUser.username"
OUTCOME = "event.outcome"
DECISION = "annotations.authorization.k8s.io/decision"
_CODE, _STATUS, _REASON = (f"responseStatus.{key}" for key in ("code", "status", "reason"))
_RESOURCE, _SUBRESOURCE = "objectRef.resource", "objectRef.subresource"
_GROUP = "objectRef.apiGroup"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The form of conditions where only the event's own fields are.

    :param effective_user: the field with the name of the effective user.
    :param move: makes a comparison with a derived field one with a field of the event.
    :param has_group: holds where the event names an API group; for the core group it names none.
    :param refusal: the error for a comparison that has no equal there.
    :param lists_core: groups are compared with ``core`` as well, so that the condition holds for
        what k8sidx stored, too.
    """

    effective_user: str
    move: Callable[[Leaf, str], Condition]
    has_group: Condition
    refusal: Callable[[Leaf], Exception]
    lists_core: bool = False


Derivation: TypeAlias = Callable[[Leaf, Dialect], Condition]


def move(leaf: Leaf, field: str) -> Condition:
    """Return the same comparison with another field."""
    return dataclasses.replace(leaf, field=field)


def first_present(first: str, second: str) -> Derivation:
    """Return the derivation of a field that is the first one and, where that is missing, the
    second."""

    def derive(leaf: Leaf, dialect: Dialect) -> Condition:
        otherwise = And((Not(Present(first)), dialect.move(leaf, second)))
        return Or((dialect.move(leaf, first), otherwise))

    return derive


def flag(condition: Condition) -> Derivation:
    """Return the derivation of a field that is true where the condition holds, else missing."""

    def derive(leaf: Leaf, dialect: Dialect) -> Condition:
        if isinstance(leaf, Present):
            return condition
        field = resolve(leaf.field).field
        values = _equal_to(leaf, dialect)
        return condition if any(coerce(field, value) is True for value in values) else NEVER

    return derive


def _one_of_words(conditions: Callable[[Dialect], Mapping[str, Condition]]) -> Derivation:
    """Return the derivation of a field that always has one of a few words, in lower case."""

    def derive(leaf: Leaf, dialect: Dialect) -> Condition:
        if isinstance(leaf, Present):
            return Always()
        texts, ignore_case = _texts(leaf, dialect)
        words = {text.lower() if ignore_case else text for text in texts}
        known = conditions(dialect)
        return Or(tuple(condition for word, condition in known.items() if word in words))

    return derive


def _equal_to(leaf: Leaf, dialect: Dialect) -> tuple[str | int | float | bool, ...]:
    """The values, any of which a field shall equal."""
    match leaf:
        case Compare(op="=", value=value):
            return (value,)
        case OneOf(values=values):
            return values
    raise dialect.refusal(leaf)


def _texts(leaf: Leaf, dialect: Dialect) -> tuple[tuple[str, ...], bool]:
    """The texts, any of which a field shall equal, and whether their case is ignored."""
    field = resolve(leaf.field).field
    texts = tuple(str(coerce(field, value)) for value in _equal_to(leaf, dialect))
    return texts, isinstance(leaf, Compare | OneOf) and leaf.ignore_case


def outcomes() -> dict[str, Condition]:
    """The values of ``event.outcome``, and ``denied``, and the conditions that they stand for.

    A denial is a failure, too: ECS has no word for it.
    """
    least, most = GRPC_CODES
    failed_status = Compare(_STATUS, "=", FAILED_STATUS)
    denied = Or(
        (
            Compare(DECISION, "=", FORBID),
            OneOf(_CODE, DENIED_CODES),
            And((failed_status, OneOf(_REASON, DENIED_REASONS))),
        )
    )
    failure = Or(
        (
            Compare(DECISION, "=", FORBID),
            Compare(_CODE, ">=", 400),
            And((Compare(_CODE, ">=", least), Compare(_CODE, "<=", most))),
            failed_status,
        )
    )
    answered = Or((Compare(_CODE, ">=", 100), Compare(_STATUS, "=", SUCCESSFUL_STATUS)))
    return {
        FAILURE: failure,
        DENIED: denied,
        SUCCESS: And((answered, Not(failure))),
        OUTCOME_UNKNOWN: Not(Or((failure, answered))),
    }


def outcome_condition(leaf: Compare | OneOf) -> Condition:
    """Return a comparison with ``event.outcome`` as one with the fields of the event itself."""
    words = leaf.values if isinstance(leaf, OneOf) else (leaf.value,)
    known = outcomes()
    texts = [str(word).lower() if leaf.ignore_case else str(word) for word in words]
    conditions = tuple(dict.fromkeys(known[text] for text in texts if text in known))
    return conditions[0] if len(conditions) == 1 else Or(conditions)


def _user_kinds(dialect: Dialect) -> dict[str, Condition]:
    """The kinds of accounts; no name is of two of them."""
    name = dialect.effective_user
    anonymous = OneOf(name, ANONYMOUS_NAMES)
    account = Or(
        (
            Wildcard(name, f"{SERVICE_ACCOUNT_PREFIX}*"),
            Wildcard(name, f"*{GOOGLE_SERVICE_ACCOUNT_SUFFIX}"),
        )
    )
    node = Wildcard(name, f"{NODE_PREFIX}*")
    platform = Or(
        (
            *(Wildcard(name, f"{prefix}*") for prefix in CONTROL_PLANE_PREFIXES),
            OneOf(name, tuple(sorted(UNPREFIXED_PLATFORM))),
        )
    )
    return {
        UNKNOWN: Not(Present(name)),
        ANONYMOUS: anonymous,
        SERVICE_ACCOUNT: account,
        NODE: And((node, Not(account))),
        CONTROL_PLANE: And((platform, Not(Or((anonymous, account, node))))),
        # The other kinds' names begin as those of the platform do.
        HUMAN: And((Present(name), Not(Or((account, platform))))),
    }


_CONTROLLER = And(
    (Not(Present(IMPERSONATED)), OneOf("user.username", tuple(sorted(WORKLOAD_CONTROLLERS))))
)


def _effective_groups(leaf: Leaf, dialect: Dialect) -> Condition:
    """The groups of the user whose name is the effective one, though they may be missing."""
    through = Present(IMPERSONATED)
    return Or(
        (
            And((through, dialect.move(leaf, "impersonatedUser.groups"))),
            And((Not(through), dialect.move(leaf, "user.groups"))),
        )
    )


def _target(leaf: Leaf, dialect: Dialect) -> Condition:
    """``pods/exec`` is the resource ``pods`` and its subresource ``exec``."""
    if isinstance(leaf, Present):
        return Present(_RESOURCE)
    texts, fold = _texts(leaf, dialect)
    alternatives: list[Condition] = []
    if plain := tuple(text for text in texts if "/" not in text):
        alternatives.append(And((OneOf(_RESOURCE, plain, fold), Not(Present(_SUBRESOURCE)))))
    for text in texts:
        resource, slash, subresource = text.partition("/")
        if slash:
            parts = OneOf(_RESOURCE, (resource,), fold), OneOf(_SUBRESOURCE, (subresource,), fold)
            alternatives.append(And(parts))
    return Or(tuple(alternatives))


def _api_group(leaf: Leaf, dialect: Dialect) -> Condition:
    """``core`` is the group of a resource for which the event names none."""
    if isinstance(leaf, Present):
        return Or((Present(_RESOURCE), dialect.has_group))
    texts, fold = _texts(leaf, dialect)
    named = tuple(text for text in texts if (text.lower() if fold else text) != "core")
    if len(named) == len(texts):
        return dialect.move(leaf, _GROUP)
    core = And((Present(_RESOURCE), Not(dialect.has_group)))
    listed = OneOf(_GROUP, texts if dialect.lists_core else named, fold)
    return Or((dialect.move(listed, _GROUP), core))


DERIVED: dict[str, Derivation] = {
    OUTCOME: _one_of_words(lambda dialect: outcomes()),
    "user.kind": _one_of_words(_user_kinds),
    "user.controller": flag(_CONTROLLER),
    "user.effective.name": first_present(IMPERSONATED, "user.username"),
    "user.effective.groups": _effective_groups,
    "target.resource": _target,
    _GROUP: _api_group,
}
"""For each derived field, a comparison with it as a condition on the event's own fields.

Each raises the dialect's refusal for a comparison that has no equal."""

_SOURCES = {
    TIMESTAMP: (),
    EVENT_ID: (),
    OUTCOME: (DECISION, _STATUS, _REASON),
    "user.kind": ("user.username", IMPERSONATED),
    "user.controller": ("user.username", IMPERSONATED),
    "user.effective.name": ("user.username", IMPERSONATED),
    "user.effective.namespace": ("user.username", IMPERSONATED),
    "user.effective.account": ("user.username", IMPERSONATED),
    "user.effective.groups": ("user.groups", "impersonatedUser.groups"),
    "target.resource": (_RESOURCE, _SUBRESOURCE),
    "source.ip": ("sourceIPs",),
    "source.claimed_ip": ("sourceIPs",),
    "source.forwarded": ("sourceIPs",),
}


def sources_of(name: str) -> tuple[str, ...]:
    """Return the texts of the event that a field is derived from, or the field itself."""
    return _SOURCES.get(name, (name,))
