"""Filter push-down: conditions that an engine can evaluate, as conditions of the algebra.

A comparison with a missing field is neither true nor false, while the algebra's ``Not`` holds
where a field is missing. So a condition has two translations, where it is true and where it is
false, and a negation changes from one to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from k8sidx.events.fields.table import Kind
from k8sidx.insights.execute.expressions import evaluator
from k8sidx.insights.language.values import Truth, is_number, truth
from k8sidx.insights.plan.logical import (
    AllOf,
    AnyOf,
    Apply,
    BoundExpression,
    Compared,
    Constant,
    Contains,
    FieldRef,
    InList,
    Negated,
    RegexMatch,
    Stored,
    sources_of,
)
from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Comparison,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Scalar,
    Wildcard,
)

_TEXT = (Kind.KEYWORD, Kind.ADDRESS)
_MAX_INTEGER = 2**63
"""Numbers beyond every integer field are compared here."""
_MAX_PART_LENGTH = 256
"""Characters of a text that clusters search for: their patterns have a limit of states."""
_SPECIAL = re.compile(r"[\\*?]")
TakesRegex = Callable[[str], bool]


class Conditions:
    """Translates conditions for an engine.

    :param takes_regex: whether it supports a regular expression.
    """

    def __init__(self, takes_regex: TakesRegex) -> None:
        self._takes_regex = takes_regex

    def split(self, condition: BoundExpression) -> tuple[list[Condition], list[BoundExpression]]:
        """Split a condition into what the engine evaluates and what remains; both have to hold."""
        asked: list[Condition] = []
        left: list[BoundExpression] = []
        for part in condition.parts if isinstance(condition, AllOf) else (condition,):
            pushed = self.true(part)
            if pushed is None:
                left.append(part)
            else:
                asked.append(pushed)
        return asked, left

    def true(self, expression: BoundExpression) -> Condition | None:
        """Return where the condition is true, or ``None`` when the engine cannot evaluate it."""
        if not any(True for _ in sources_of(expression)):
            return Always() if _constant(expression) == 1 else NEVER
        match expression:
            case AllOf():
                return _combined(And, [self.true(part) for part in expression.parts])
            case AnyOf():
                return _combined(Or, [self.true(part) for part in expression.parts])
            case Negated():
                return self.false(expression.part)
            case Apply(name="ispresent"):
                return _present(expression)
            case Apply(name="isempty"):
                return _empty(expression)
        return self._leaf(expression)

    def false(self, expression: BoundExpression) -> Condition | None:
        """Return where the condition is false, or ``None`` when the engine cannot evaluate it."""
        if not any(True for _ in sources_of(expression)):
            return Always() if _constant(expression) == 0 else NEVER
        match expression:
            case AllOf():
                return _combined(Or, [self.false(part) for part in expression.parts])
            case AnyOf():
                return _combined(And, [self.false(part) for part in expression.parts])
            case Negated():
                return self.true(expression.part)
            case Apply(name="ispresent"):
                holds = _present(expression)
                return None if holds is None else Not(holds)
            case Apply(name="isempty"):
                holds = _empty(expression)
                return None if holds is None else Not(holds)
        field, leaf = _field_of(expression), self._leaf(expression)
        if leaf is None or field is None:
            return None
        return And((Present(field.name), Not(leaf)))

    def _leaf(self, expression: BoundExpression) -> Condition | None:
        """Return the test of one field."""
        field = _field_of(expression)
        if field is None:
            return None
        match expression:
            case Compared(operator=operator, right=Constant(value=value)):
                return _compared(field, operator, value)
            case InList(options=options):
                return _in_list(field, options)
            case Contains(part=part):
                return _contains(field, part)
            case RegexMatch(pattern=pattern):
                return self._regex(field, pattern)
            case Apply(name="isipinsubnet", detail=(network,)) if field.kind is Kind.ADDRESS:
                return InNetwork(field.name, (network,))
            case Apply(name="strcontains", arguments=(_, Constant(value=str() as part))):
                return _contains(field, part)
            case FieldRef() if field.kind is Kind.BOOLEAN:
                return Compare(field.name, "=", True)
        return None

    def _regex(self, field: Stored, pattern: str) -> Condition | None:
        if field.kind in _TEXT and self._takes_regex(pattern):
            return Regex(field.name, pattern)
        return None


def _constant(expression: BoundExpression) -> Truth:
    """Return the truth of a condition that reads nothing of an event."""
    return truth(evaluator(expression, {})(()))


def _field_of(expression: BoundExpression) -> Stored | None:
    """Return the field that a condition tests, or ``None`` when it tests something else."""
    about = expression
    match expression:
        case Compared(left=item) | InList(item=item) | Contains(item=item) | RegexMatch(item=item):
            about = item
        case Apply(arguments=(item, *_)):
            about = item
    if isinstance(about, FieldRef) and isinstance(about.source, Stored):
        return about.source
    return None


def _combined(kind: type[And] | type[Or], parts: list[Condition | None]) -> Condition | None:
    known = tuple(part for part in parts if part is not None)
    return kind(known) if len(known) == len(parts) else None


def _present(expression: Apply) -> Condition | None:
    field = _field_of(expression)
    return None if field is None else Present(field.name)


def _empty(expression: Apply) -> Condition | None:
    match expression.arguments:
        case (FieldRef(source=Stored() as field),) if field.kind in _TEXT:
            return Or((Not(Present(field.name)), Compare(field.name, "=", "")))
    return None


def _compared(field: Stored, operator: Comparison, value: object) -> Condition | None:
    scalar = _scalar(field, value)
    if scalar is None:
        return None
    if field.kind is Kind.BOOLEAN and operator != "=":
        return None
    return Compare(field.name, operator, scalar)


def _scalar(field: Stored, value: object) -> Scalar | None:
    """Return the value as the engines compare it with a field of that kind, or ``None`` when they
    compare it otherwise."""
    if field.kind in _TEXT:
        return value if isinstance(value, str) else None
    if field.kind is Kind.INTEGER:
        return value if is_number(value) and abs(value) < _MAX_INTEGER else None
    if field.kind is Kind.TIME:
        return value.isoformat() if isinstance(value, datetime) else None
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return bool(value) if isinstance(value, bool | int) and value in (0, 1) else None


def _in_list(field: Stored, options: tuple[BoundExpression, ...]) -> Condition | None:
    values: list[Scalar] = []
    for option in options:
        scalar = _scalar(field, option.value) if isinstance(option, Constant) else None
        if scalar is None:
            return None
        values.append(scalar)
    if not values:
        return NEVER
    if field.kind in (Kind.TIME, Kind.BOOLEAN):
        return Or(tuple(Compare(field.name, "=", value) for value in values))
    return OneOf(field.name, tuple(values))


def _contains(field: Stored, part: str) -> Condition | None:
    if field.kind not in _TEXT or len(part) > _MAX_PART_LENGTH:
        return None
    if not part:
        return Present(field.name)
    escaped = _SPECIAL.sub(lambda match: "\\" + match[0], part)
    return Wildcard(field.name, f"*{escaped}*")
