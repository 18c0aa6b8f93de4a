"""Conditions on k8sidx's fields → conditions on what CloudWatch finds in the JSON of an event.

CloudWatch knows paths of audit.k8s.io/v1, and elements of lists by their positions only. What
k8sidx derives is said by what it is derived from, where that is simple and the same; the rest
is refused by name. The fields of the conditions that come out are CloudWatch's, not those of
the field table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from k8sidx.events.accounts import AKS_PLATFORM, WORKLOAD_CONTROLLERS
from k8sidx.events.fields.lookup import FieldPath, resolve
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.bodies import RBAC_RESOURCES, WRITES
from k8sidx.query.algebra import (
    NEVER,
    Always,
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
from k8sidx.show.translate.translatable import CannotBeSaid

POSITIONS = 5
"""Elements of a list that are looked at."""
EFFECTIVE, SOURCE = "user_effective_name", "source_ip"
"""Columns that stand for a field: they are computed before the filter."""
COLUMNS = {
    EFFECTIVE: "coalesce(impersonatedUser.username, user.username)",
    SOURCE: f"coalesce({', '.join(f'sourceIPs.{n}' for n in reversed(range(POSITIONS)))})",
}

_IS_DERIVED = "is derived by k8sidx"
_IS_OBJECT = "is an object, and CloudWatch has its members only"
_BODIES = ("requestObject.", "responseObject.")
_DECISION = "annotations.authorization.k8s.io/decision"
_IMPERSONATED = "impersonatedUser.username"
_DRY_RUN = r"(?s)^[^?]*\?(.*&)?dryRun=All(&|$)"


@dataclass(frozen=True, slots=True)
class _Unsaid(Exception):
    field: str
    why: str


def in_cloudwatch(condition: Condition) -> Condition:
    """The condition on fields of CloudWatch, that holds for the same events.

    :raises CannotBeSaid: naming all the fields that it cannot be said of.
    """
    unsaid: dict[str, None] = {}
    for leaf in leaves(condition):
        try:
            _said(leaf)
        except _Unsaid as error:
            unsaid[f"{error.field} {error.why}"] = None
    if unsaid:
        raise CannotBeSaid(f"{', '.join(unsaid)}.")
    return rewritten(condition, _said)


def shown_names(field: str) -> tuple[str, ...]:
    """CloudWatch's names of what shows the same as a field; none where only k8sidx has it."""
    path = resolve(field)
    name = path.field.name
    if name == "target.resource":
        return ("objectRef.resource", "objectRef.subresource")
    if name in _SAME_AS:
        return (_SAME_AS[name],)
    if name == "@timestamp":
        return (name,)
    if not _is_raw(path) or path.field.kind is Kind.JSON:
        return ()
    return (_element(path, path.position or 0) if path.field.many else name,)


def need_one_value(field: str) -> None:
    """:raises CannotBeSaid: when CloudWatch has no field of one value that shows the same."""
    path = resolve(field)
    if not _is_raw(path) and not shown_names(field):
        raise CannotBeSaid(f"{field} {_IS_DERIVED}.")
    if path.field.kind is Kind.JSON:
        raise CannotBeSaid(f"{field} {_IS_OBJECT}.")
    if path.many:
        raise CannotBeSaid(f"{field} is a list, and CloudWatch groups by single values.")


_SAME_AS = {
    "user.effective.name": EFFECTIVE,
    "source.ip": SOURCE,
    "source.claimed_ip": "sourceIPs.0",
}


def _is_raw(path: FieldPath) -> bool:
    """Whether CloudWatch finds the field in the event as k8sidx does."""
    name = path.field.name
    return path.field.audit or name.startswith(_BODIES)


def _element(path: FieldPath, position: int) -> str:
    head, found, last = path.field.name.rpartition(".subjects.")
    if found:
        return f"{head}.subjects.{position}.{last}"
    return f"{path.field.name}.{position}"


def _said(leaf: Leaf) -> Condition:
    path = resolve(leaf.field)
    name = path.field.name
    if name in _DERIVED:
        return _DERIVED[name](leaf)
    if name in _SAME_AS:
        return _typed(leaf, path, _SAME_AS[name])
    if name.startswith("user.extra.") and path.field.kind is not Kind.JSON:
        return _typed(leaf, path, f"{name}.0")
    if not _is_raw(path):
        raise _Unsaid(name, _IS_DERIVED)
    if path.field.kind is Kind.JSON:
        raise _Unsaid(name, _IS_OBJECT)
    if path.field.kind is Kind.TIME:
        raise _Unsaid(name, "is a time, which the time range of the query is for")
    if not path.field.many:
        return _typed(leaf, path, name)
    if path.position is not None:
        return _typed(leaf, path, _element(path, path.position))
    if isinstance(leaf, Present):
        return Present(_element(path, 0))
    return Or(tuple(_typed(leaf, path, _element(path, place)) for place in range(POSITIONS)))


def _typed(leaf: Leaf, path: FieldPath, name: str) -> Condition:
    """The comparison with values of the field's kind, of CloudWatch's field."""
    match leaf:
        case Compare(op=op, value=value):
            wanted = _value(path, value)
            if wanted is None:
                return NEVER
            if op != "=" and not isinstance(wanted, int | float):
                raise _Unsaid(path.field.name, "is text, of which CloudWatch knows no order")
            return replace(leaf, field=name, value=wanted)
        case OneOf(values=values):
            known = [_value(path, value) for value in values]
            return replace(leaf, field=name, values=tuple(v for v in known if v is not None))
        case Wildcard() | Regex():
            if path.field.kind is not Kind.KEYWORD and path.field.kind is not Kind.ADDRESS:
                raise _Unsaid(path.field.name, "is no text, so no pattern matches it")
    return replace(leaf, field=name)


def _value(path: FieldPath, value: Scalar) -> Scalar | None:
    found = coerce(path.field, value)
    return found if found is None or isinstance(found, str | int | float) else None


def _is_true(leaf: Leaf) -> bool:
    """Whether a condition on a flag is that it is set; a flag is true or missing.

    :raises _Unsaid: for other conditions.
    """
    match leaf:
        case Present() | Compare(op="=", value=True):
            return True
        case Compare(op="=", value=str(text)) if text.lower() == "true":
            return True
        case Compare(op="="):
            return False
    raise _Unsaid(resolve(leaf.field).field.name, _IS_DERIVED)


def _wanted(leaf: Leaf) -> tuple[tuple[str, ...], bool]:
    """The texts that a field is to be equal to, and whether their case is ignored.

    :raises _Unsaid: for other conditions.
    """
    match leaf:
        case Compare(op="=", value=value, ignore_case=fold):
            return (str(value),), fold
        case OneOf(values=values, ignore_case=fold):
            return tuple(str(value) for value in values), fold
    raise _Unsaid(resolve(leaf.field).field.name, _IS_DERIVED)


def _of_words(kinds: dict[str, Condition]) -> Callable[[Leaf], Condition]:
    """Of a field that always has one of a few values."""

    def said(leaf: Leaf) -> Condition:
        if isinstance(leaf, Present):
            return Always()
        texts, fold = _wanted(leaf)
        known = {text.lower() if fold else text for text in texts}
        return Or(tuple(condition for word, condition in kinds.items() if word in known))

    return said


def _flag(condition: Condition) -> Callable[[Leaf], Condition]:
    return lambda leaf: condition if _is_true(leaf) else NEVER


def _target(leaf: Leaf) -> Condition:
    """``pods/exec`` is the resource ``pods`` and its subresource ``exec``."""
    if isinstance(leaf, Present):
        return Present("objectRef.resource")
    texts, fold = _wanted(leaf)
    plain = tuple(text for text in texts if "/" not in text)
    parts: list[Condition] = []
    if plain:
        resource = OneOf("objectRef.resource", plain, fold)
        parts.append(And((resource, Not(Present("objectRef.subresource")))))
    for text in texts:
        if "/" in text:
            resource_name, _, subresource = text.partition("/")
            parts.append(
                And(
                    (
                        OneOf("objectRef.resource", (resource_name,), fold),
                        OneOf("objectRef.subresource", (subresource,), fold),
                    )
                )
            )
    return Or(tuple(parts))


def _group(leaf: Leaf) -> Condition:
    """k8sidx says ``core`` where Kubernetes has the empty group and the log no field."""
    name = "objectRef.apiGroup"
    if isinstance(leaf, Present):
        return Present("objectRef.resource")
    texts, fold = _wanted(leaf)
    found = OneOf(name, texts, fold)
    if "core" not in {text.lower() if fold else text for text in texts}:
        return found
    return Or((found, And((Present("objectRef.resource"), Not(Present(name))))))


def _else(first: str, second: str) -> Callable[[Leaf], Condition]:
    """Of the first field, and where it is missing, of the second."""

    def said(leaf: Leaf) -> Condition:
        path = resolve(leaf.field)
        one, other = _typed(leaf, path, first), _typed(leaf, path, second)
        return Or((one, And((Not(Present(first)), other))))

    return said


def _role(leaf: Leaf) -> Condition:
    """The role in the binding that is written: in the request, else in the answer."""
    name = "{}.roleRef.name"
    found = _else(name.format("requestObject"), name.format("responseObject"))(leaf)
    written = OneOf("verb", tuple(sorted(WRITES)))
    of = OneOf("objectRef.resource", tuple(sorted(RBAC_RESOURCES)))
    return And((written, of, Not(Present("objectRef.subresource")), found))


def _effective_groups(leaf: Leaf) -> Condition:
    impersonated, own = (
        _said(replace(leaf, field=f"{user}.groups")) for user in ("impersonatedUser", "user")
    )
    through = Present(_IMPERSONATED)
    return Or((And((through, impersonated)), And((Not(through), own))))


def _kinds() -> dict[str, Condition]:
    """What kind of account a name is, as ``k8sidx.events.accounts.user_kind`` tells."""
    name = EFFECTIVE
    anonymous = OneOf(name, ("system:anonymous", "system:unauthenticated"))
    account = Or(
        (Wildcard(name, "system:serviceaccount:*"), Wildcard(name, "*.gserviceaccount.com"))
    )
    node = Wildcard(name, "system:node:*")
    platform = Or(
        (
            Wildcard(name, "system:*"),
            Wildcard(name, "eks:*"),
            Wildcard(name, "aks:*"),
            OneOf(name, tuple(sorted(AKS_PLATFORM))),
        )
    )
    return {
        "unknown": Not(Present(name)),
        "anonymous": anonymous,
        "serviceaccount": account,
        "node": And((node, Not(account))),
        "control-plane": And((platform, Not(Or((anonymous, account, node))))),
        "human": And((Present(name), Not(Or((account, platform))))),
    }


def _dry_run() -> Condition:
    """As the API server takes it: in the query, but of a deletion only where it has no body,
    whose dryRun counts then."""
    removes = OneOf("verb", ("delete", "deletecollection"))
    bare = And((Not(Present("requestObject.kind")), OneOf("level", ("Request", "RequestResponse"))))
    asked = And((Regex("requestURI", _DRY_RUN), Or((Not(removes), bare))))
    told = And(
        (
            Compare("requestObject.dryRun.0", "=", "All"),
            Not(Present("requestObject.dryRun.1")),
            Not(OneOf("verb", tuple(sorted(WRITES)))),
        )
    )
    return Or((asked, told))


def _outcomes() -> dict[str, Condition]:
    code = "responseStatus.code"
    failure = Or((Compare(_DECISION, "=", "forbid"), Compare(code, ">=", 400)))
    answered = Compare(code, ">=", 100)
    return {
        "failure": failure,
        "success": And((answered, Not(failure))),
        "unknown": Not(Or((failure, answered))),
    }


_CUT = "skipped-too-big-size-object"
_DERIVED: dict[str, Callable[[Leaf], Condition]] = {
    "target.resource": _target,
    "target.name": _else("objectRef.name", "responseObject.metadata.name"),
    "objectRef.apiGroup": _group,
    "user.kind": _of_words(_kinds()),
    "user.controller": _flag(
        And(
            (
                Not(Present(_IMPERSONATED)),
                OneOf("user.username", tuple(sorted(WORKLOAD_CONTROLLERS))),
            )
        )
    ),
    "user.effective.groups": _effective_groups,
    "request.dry_run": _flag(_dry_run()),
    "rbac.role": _role,
    "event.outcome": _of_words(_outcomes()),
    "event.truncated": _flag(
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
    """Whether a comparison looks at the first elements of a list only."""
    path = resolve(leaf.field)
    listed = path.many and _is_raw(path) and not isinstance(leaf, Present)
    return listed or path.field.name in ("source.ip", "user.effective.groups")


def networks_of(leaf: InNetwork) -> tuple[str, ...]:
    """The networks of a comparison, in CIDR notation."""
    return tuple(
        one if "/" in one else f"{one}/{128 if ':' in one else 32}" for one in leaf.networks
    )
