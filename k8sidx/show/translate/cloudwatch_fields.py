"""Conditions on k8sidx's fields as conditions on CloudWatch's fields in the JSON of an event.

CloudWatch has paths of audit.k8s.io/v1, and elements of lists by their positions only. A field
that k8sidx derives is replaced by the fields that it is derived from, where that is simple and the
same; the rest is refused by name. The fields of the resulting conditions are CloudWatch's, not
those of the field table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from k8sidx.events.fields.lookup import FieldPath, resolve
from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.bodies import RBAC_RESOURCES, WRITES
from k8sidx.query.algebra import (
    NEVER,
    And,
    Compare,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Scalar,
    Wildcard,
    leaves,
    rewritten,
)
from k8sidx.query.coerce import coerce
from k8sidx.query.derived import DERIVED, Derivation, Dialect, first_present, flag
from k8sidx.show.translate.translatable import NotTranslatable

POSITIONS = 5
"""Elements of a list that a condition tests."""
EFFECTIVE, SOURCE = "user_effective_name", "source_ip"
"""Columns that stand for a field: they are computed before the filter."""
COLUMNS = {
    EFFECTIVE: "coalesce(impersonatedUser.username, user.username)",
    SOURCE: f"coalesce({', '.join(f'sourceIPs.{n}' for n in reversed(range(POSITIONS)))})",
}

_IS_DERIVED = "is derived by k8sidx"
_IS_OBJECT = "is an object, and CloudWatch has its members only"
_BODIES = ("requestObject.", "responseObject.")
_DRY_RUN = r"(?s)^[^?]*\?(.*&)?dryRun=All(&|$)"


@dataclass(frozen=True, slots=True)
class _Untranslatable(Exception):
    field: str
    reason: str


def in_cloudwatch(condition: Condition) -> Condition:
    """Return the condition on fields of CloudWatch that holds for the same events.

    :raises NotTranslatable: naming all the fields without an equivalent.
    """
    reasons: dict[str, None] = {}
    for leaf in leaves(condition):
        try:
            _translated(leaf)
        except _Untranslatable as error:
            reasons[f"{error.field} {error.reason}"] = None
    if reasons:
        raise NotTranslatable(f"{', '.join(reasons)}.")
    return rewritten(condition, _translated)


def shown_names(field: str) -> tuple[str, ...]:
    """Return CloudWatch's names for the value of a field; none where only k8sidx has it."""
    path = resolve(field)
    name = path.field.name
    if name == "target.resource":
        return ("objectRef.resource", "objectRef.subresource")
    if name in _SAME_AS:
        return (_SAME_AS[name],)
    if name == TIMESTAMP:
        return (name,)
    if not _is_raw(path) or path.field.kind is Kind.JSON:
        return ()
    return (_element(path, path.position or 0) if path.field.many else name,)


def need_one_value(field: str) -> None:
    """Raise :class:`NotTranslatable` when CloudWatch has no single value for a field."""
    path = resolve(field)
    if not _is_raw(path) and not shown_names(field):
        raise NotTranslatable(f"{field} {_IS_DERIVED}.")
    if path.field.kind is Kind.JSON:
        raise NotTranslatable(f"{field} {_IS_OBJECT}.")
    if path.many:
        raise NotTranslatable(f"{field} is a list, and CloudWatch groups by single values.")


_SAME_AS = {
    "user.effective.name": EFFECTIVE,
    "source.ip": SOURCE,
    "source.claimed_ip": "sourceIPs.0",
}


def _is_raw(path: FieldPath) -> bool:
    """Whether CloudWatch has the field in the event as k8sidx does."""
    name = path.field.name
    return path.field.audit or name.startswith(_BODIES)


def _element(path: FieldPath, position: int) -> str:
    head, is_subject, last = path.field.name.rpartition(".subjects.")
    if is_subject:
        return f"{head}.subjects.{position}.{last}"
    return f"{path.field.name}.{position}"


def _translated(leaf: Leaf) -> Condition:
    path = resolve(leaf.field)
    name = path.field.name
    if name in _SAME_AS:
        return _typed(leaf, path, _SAME_AS[name])
    if name in _DERIVED:
        return _DERIVED[name](leaf, _DIALECT)
    return _of_event(leaf)


def _of_event(leaf: Leaf) -> Condition:
    """Return the comparison with a field that the event itself has."""
    path = resolve(leaf.field)
    name = path.field.name
    if name.startswith("user.extra.") and path.field.kind is not Kind.JSON:
        return _typed(leaf, path, f"{name}.0")
    if not _is_raw(path):
        raise _Untranslatable(name, _IS_DERIVED)
    if path.field.kind is Kind.JSON:
        raise _Untranslatable(name, _IS_OBJECT)
    if path.field.kind is Kind.TIME:
        raise _Untranslatable(name, "is a time, which the time range of the query is for")
    if not path.field.many:
        return _typed(leaf, path, name)
    if path.position is not None:
        return _typed(leaf, path, _element(path, path.position))
    if isinstance(leaf, Present):
        return Present(_element(path, 0))
    return Or(tuple(_typed(leaf, path, _element(path, position)) for position in range(POSITIONS)))


def _is_derived(leaf: Leaf) -> _Untranslatable:
    return _Untranslatable(resolve(leaf.field).field.name, _IS_DERIVED)


_DIALECT = Dialect(
    EFFECTIVE,
    lambda leaf, name: _of_event(replace(leaf, field=name)),
    Present("objectRef.apiGroup"),
    _is_derived,
    lists_core=True,
)


def _typed(leaf: Leaf, path: FieldPath, name: str) -> Condition:
    """Return the comparison with CloudWatch's field, its values of the field's kind."""
    match leaf:
        case Compare(op=op, value=value):
            wanted = _value(path, value)
            if wanted is None:
                return NEVER
            if op != "=" and not isinstance(wanted, int | float):
                raise _Untranslatable(path.field.name, "is text, which CloudWatch cannot order")
            return replace(leaf, field=name, value=wanted)
        case OneOf(values=values):
            known = [_value(path, value) for value in values]
            return replace(leaf, field=name, values=tuple(v for v in known if v is not None))
        case Wildcard() | Regex():
            if path.field.kind is not Kind.KEYWORD and path.field.kind is not Kind.ADDRESS:
                raise _Untranslatable(path.field.name, "is not text, so no pattern matches it")
    return replace(leaf, field=name)


def _value(path: FieldPath, value: Scalar) -> Scalar | None:
    coerced = coerce(path.field, value)
    return coerced if coerced is None or isinstance(coerced, str | int | float) else None


def _role(leaf: Leaf, dialect: Dialect) -> Condition:
    """Derive the role of the written binding: of the request, else of the response."""
    names = (f"{body}.roleRef.name" for body in ("requestObject", "responseObject"))
    role = first_present(*names)(leaf, dialect)
    written = OneOf("verb", tuple(sorted(WRITES)))
    of = OneOf("objectRef.resource", tuple(sorted(RBAC_RESOURCES)))
    return And((written, of, Not(Present("objectRef.subresource")), role))


def _dry_run() -> Condition:
    """Derive the dry run as the API server takes it: from the query, but for a deletion only where
    it has no body, whose dryRun counts then."""
    removes = OneOf("verb", ("delete", "deletecollection"))
    bare = And((Not(Present("requestObject.kind")), OneOf("level", ("Request", "RequestResponse"))))
    by_query = And((Regex("requestURI", _DRY_RUN), Or((Not(removes), bare))))
    by_body = And(
        (
            Compare("requestObject.dryRun.0", "=", "All"),
            Not(Present("requestObject.dryRun.1")),
            Not(OneOf("verb", tuple(sorted(WRITES)))),
        )
    )
    return Or((by_query, by_body))


_CUT = "skipped-too-big-size-object"
_DERIVED: dict[str, Derivation] = DERIVED | {
    "target.name": first_present("objectRef.name", "responseObject.metadata.name"),
    "request.dry_run": flag(_dry_run()),
    "rbac.role": _role,
    "event.truncated": flag(
        Or(
            (
                Compare("annotations.audit.k8s.io/truncated", "=", "true"),
                Compare("requestObject", "=", _CUT),
                Compare("responseObject", "=", _CUT),
            )
        )
    ),
}


def is_partial(leaf: Leaf) -> bool:
    """Whether a comparison tests the first elements of a list only."""
    path = resolve(leaf.field)
    listed = path.many and _is_raw(path) and not isinstance(leaf, Present)
    return listed or path.field.name in ("source.ip", "user.effective.groups")


def networks_of(leaf: InNetwork) -> tuple[str, ...]:
    """Return the networks of a comparison, in CIDR notation."""
    return tuple(
        network if "/" in network else f"{network}/{128 if ':' in network else 32}"
        for network in leaf.networks
    )
