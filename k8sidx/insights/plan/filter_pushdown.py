"""Conditions that an engine can answer → the query algebra.

A comparison with a missing field is neither true nor false, while the algebra's ``Not`` holds
where a field is missing. So a condition has two translations, where it is true and where it is
false, and a negation changes from one to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from k8sidx.events.fields.table import Kind
from k8sidx.insights.execute.expressions import evaluation
from k8sidx.insights.language.values import Truth, is_number, truth
from k8sidx.insights.plan.logical import (
    AllOf,
    Among,
    AnyOf,
    Apply,
    Compared,
    Constant,
    Contains,
    Found,
    Meaning,
    Negated,
    Of,
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
_MOST = 2**63
"""Numbers that no integer field reaches are compared here."""
_LONGEST_PART = 256
"""Characters of a text that clusters look for: their patterns have a limit of states."""
_SPECIAL = re.compile(r"[\\*?]")
TakesRegex = Callable[[str], bool]


class Conditions:
    """Translates conditions for an engine.

    :param takes_regex: whether it can look for a regular expression.
    """

    def __init__(self, takes_regex: TakesRegex) -> None:
        self._takes_regex = takes_regex

    def split(self, condition: Meaning) -> tuple[list[Condition], list[Meaning]]:
        """What the engine can answer of a condition, and what is left; both have to hold."""
        asked: list[Condition] = []
        left: list[Meaning] = []
        for one in condition.parts if isinstance(condition, AllOf) else (condition,):
            found = self.true(one)
            if found is None:
                left.append(one)
            else:
                asked.append(found)
        return asked, left

    def true(self, meaning: Meaning) -> Condition | None:
        """Where the condition is true; none when the engine cannot say."""
        if not any(True for _ in sources_of(meaning)):
            return Always() if _constant(meaning) == 1 else NEVER
        match meaning:
            case AllOf():
                return _joined(And, [self.true(one) for one in meaning.parts])
            case AnyOf():
                return _joined(Or, [self.true(one) for one in meaning.parts])
            case Negated():
                return self.false(meaning.part)
            case Apply(name="ispresent"):
                return _present(meaning)
            case Apply(name="isempty"):
                return _empty(meaning)
        return self._leaf(meaning)

    def false(self, meaning: Meaning) -> Condition | None:
        """Where the condition is false; none when the engine cannot say."""
        if not any(True for _ in sources_of(meaning)):
            return Always() if _constant(meaning) == 0 else NEVER
        match meaning:
            case AllOf():
                return _joined(Or, [self.false(one) for one in meaning.parts])
            case AnyOf():
                return _joined(And, [self.false(one) for one in meaning.parts])
            case Negated():
                return self.true(meaning.part)
            case Apply(name="ispresent"):
                found = _present(meaning)
                return None if found is None else Not(found)
            case Apply(name="isempty"):
                found = _empty(meaning)
                return None if found is None else Not(found)
        field, leaf = _field_of(meaning), self._leaf(meaning)
        if leaf is None or field is None:
            return None
        return And((Present(field.name), Not(leaf)))

    def _leaf(self, meaning: Meaning) -> Condition | None:
        """A test of one field."""
        field = _field_of(meaning)
        if field is None:
            return None
        match meaning:
            case Compared(operator=operator, right=Constant(value=value)):
                return _compared(field, operator, value)
            case Among(options=options):
                return _among(field, options)
            case Contains(part=part):
                return _contains(field, part)
            case Found(pattern=pattern):
                return self._found(field, pattern)
            case Apply(name="isipinsubnet", detail=(network,)) if field.kind is Kind.ADDRESS:
                return InNetwork(field.name, (network,))
            case Apply(name="strcontains", arguments=(_, Constant(value=str() as part))):
                return _contains(field, part)
            case Of() if field.kind is Kind.BOOLEAN:
                return Compare(field.name, "=", True)
        return None

    def _found(self, field: Stored, pattern: str) -> Condition | None:
        if field.kind in _TEXT and self._takes_regex(pattern):
            return Regex(field.name, pattern)
        return None


def _constant(meaning: Meaning) -> Truth:
    """Whether a condition that no event has a part in is true."""
    return truth(evaluation(meaning, {})(()))


def _field_of(meaning: Meaning) -> Stored | None:
    """The field that a test is about; none when it is about something else."""
    about = meaning
    match meaning:
        case Compared(left=item) | Among(item=item) | Contains(item=item) | Found(item=item):
            about = item
        case Apply(arguments=(item, *_)):
            about = item
    if isinstance(about, Of) and isinstance(about.source, Stored):
        return about.source
    return None


def _joined(kind: type[And] | type[Or], parts: list[Condition | None]) -> Condition | None:
    found = tuple(one for one in parts if one is not None)
    return kind(found) if len(found) == len(parts) else None


def _present(meaning: Apply) -> Condition | None:
    field = _field_of(meaning)
    return None if field is None else Present(field.name)


def _empty(meaning: Apply) -> Condition | None:
    match meaning.arguments:
        case (Of(source=Stored() as field),) if field.kind in _TEXT:
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
    """The value as the engines compare it with a field of that kind; none when they do so
    otherwise than is meant."""
    if field.kind in _TEXT:
        return value if isinstance(value, str) else None
    if field.kind is Kind.INTEGER:
        return value if is_number(value) and abs(value) < _MOST else None
    if field.kind is Kind.TIME:
        return value.isoformat() if isinstance(value, datetime) else None
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return bool(value) if isinstance(value, bool | int) and value in (0, 1) else None


def _among(field: Stored, options: tuple[Meaning, ...]) -> Condition | None:
    values: list[Scalar] = []
    for one in options:
        scalar = _scalar(field, one.value) if isinstance(one, Constant) else None
        if scalar is None:
            return None
        values.append(scalar)
    if not values:
        return NEVER
    if field.kind in (Kind.TIME, Kind.BOOLEAN):
        return Or(tuple(Compare(field.name, "=", one) for one in values))
    return OneOf(field.name, tuple(values))


def _contains(field: Stored, part: str) -> Condition | None:
    if field.kind not in _TEXT or len(part) > _LONGEST_PART:
        return None
    if not part:
        return Present(field.name)
    escaped = _SPECIAL.sub(lambda found: "\\" + found[0], part)
    return Wildcard(field.name, f"*{escaped}*")
