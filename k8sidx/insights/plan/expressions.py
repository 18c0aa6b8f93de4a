"""Expressions as they are written → what they mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from k8sidx.errors import InvalidQuery
from k8sidx.events.fields.table import Kind
from k8sidx.insights.language import aggregates, functions
from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.arithmetic import OPERATIONS
from k8sidx.insights.language.ast import Call, Expression, Literal, Name, Period, Place
from k8sidx.insights.language.diagnostics import QueryError, nearest, refuse_list
from k8sidx.insights.language.parse_patterns import checked
from k8sidx.insights.language.periods import ceiling, fixed
from k8sidx.insights.language.values import as_moment, is_number, parsed_moment, parsed_number
from k8sidx.insights.plan.logical import (
    ID,
    TIME,
    AllOf,
    Among,
    AnyOf,
    Apply,
    Compared,
    Constant,
    Contains,
    Floor,
    Found,
    Meaning,
    Negated,
    Of,
    Stored,
    is_list,
    is_textual,
)
from k8sidx.insights.plan.scope import Scope
from k8sidx.query.algebra import COMPARED, Comparison

_FLIPPED: dict[Comparison, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_NETWORKS = {"isipinsubnet": None, "isipv4insubnet": 4, "isipv6insubnet": 6}
Instead = Callable[[Expression], Meaning | None]


class Expressions:
    """Looks up what expressions mean among the names of a scope.

    :param now: what ``now()`` is.
    :param instead: what stands for an expression, before anything else is looked at.
    """

    def __init__(self, scope: Scope, now: datetime, instead: Instead | None = None) -> None:
        self._scope = scope
        self._now = now
        self._instead = instead

    def replacing(self, instead: Instead) -> Expressions:
        """The same where something else stands for some expressions."""
        return Expressions(self._scope, self._now, instead)

    def condition(self, expression: Expression) -> Meaning:
        """An expression as a condition.

        :raises QueryError: when it is a text.
        """
        meaning = self.meaning(expression)
        _check_condition(meaning, expression.place)
        return meaning

    def meaning(self, expression: Expression) -> Meaning:
        """What an expression means.

        :raises QueryError: when it means nothing.
        """
        if self._instead is not None and (found := self._instead(expression)) is not None:
            return found
        if (column := self._scope.computed(expression)) is not None:
            return column
        match expression:
            case Literal():
                return Constant(expression.value)
            case Name():
                return self._scope[expression]
            case Call():
                return self._call(expression)
            case syntax.Operation():
                return self._operation(expression)
            case syntax.Logical():
                return self._logical(expression)
            case syntax.Membership():
                return self._among(expression)
            case syntax.Matching():
                return self._matching(expression)
        raise QueryError("this cannot stand here", expression.place, expected=("a value",))

    def moment(self, place: Place) -> tuple[Meaning, ...]:
        """What rows are ordered by in time: of events, their id as well.

        :raises QueryError: when the rows have no ``@timestamp``.
        """
        found = self._scope[Name(TIME, place)]
        return (found, self._scope[Name(ID, place)]) if self._scope.of_events else (found,)

    def _logical(self, expression: syntax.Logical) -> Meaning:
        parts = tuple(self.condition(one) for one in expression.operands)
        if expression.operator == "not":
            return Negated(parts[0])
        return AllOf(parts) if expression.operator == "and" else AnyOf(parts)

    def _matching(self, expression: syntax.Matching) -> Meaning:
        item = self.meaning(expression.item)
        if isinstance(expression.pattern, Literal):
            return Contains(item, str(expression.pattern.value))
        return Found(item, checked(expression.pattern))

    def _operation(self, expression: syntax.Operation) -> Meaning:
        operator, operands = expression.operator, expression.operands
        if operator == "!=":
            return Negated(self._comparison("=", *operands))
        if operator in COMPARED:
            return self._comparison(operator, *operands)
        if folded := _negative(expression):
            return Constant(folded.value)
        found = tuple(self.single(one) for one in operands)
        name = "negative" if len(found) == 1 else operator
        return Apply(name, found, OPERATIONS[name])

    def _comparison(self, operator: Comparison, one: Expression, other: Expression) -> Meaning:
        left, right = self._literal(one), self._literal(other)
        left, right = _fitting(left, one, right), _fitting(right, other, left)
        if isinstance(left, Constant) and not isinstance(right, Constant):
            return Compared(_FLIPPED[operator], right, left)
        return Compared(operator, left, right)

    def _among(self, expression: syntax.Membership) -> Meaning:
        item = self.meaning(expression.item)
        found = tuple(_fitting(self._literal(one), one, item) for one in expression.options)
        return Among(item, found)

    def _literal(self, expression: Expression) -> Meaning:
        return self.meaning(_negative(expression) or expression)

    def single(self, expression: Expression) -> Meaning:
        """What an expression means, which is no list."""
        meaning = self.meaning(expression)
        if is_list(meaning):
            raise refuse_list(expression.place)
        return meaning

    def _call(self, call: Call) -> Meaning:
        name = call.name.lower()
        if name in ("bin", "datefloor", "dateceil"):
            return self._period(name, call)
        if name == "now":
            _check_count(call, 0, 0)
            return Constant(int(self._now.timestamp()))
        if name in _NETWORKS:
            return self._network(name, call)
        function = functions.BY_NAME.get(name)
        if function is None:
            raise _no_function(call)
        _check_count(call, function.least, function.most)
        take = self.meaning if function.takes_lists else self.single
        found = tuple(take(one) for one in call.arguments)
        return Apply(function.name, found, function.run, function.takes_missing)

    def _period(self, name: str, call: Call) -> Meaning:
        wanted = 1 if name == "bin" else 2
        _check_count(call, wanted, wanted)
        period = call.arguments[-1]
        if not isinstance(period, Period):
            raise QueryError("this is no period", period.place, expected=("a period such as 5m",))
        moment = self.single(Name(TIME, call.place) if name == "bin" else call.arguments[0])
        if name != "dateceil":
            return _floor(moment, period)

        def run(value: object) -> datetime | None:
            found = as_moment(value)
            return None if found is None else ceiling(found, period)

        return Apply("dateceil", (moment,), run, detail=(period.count, period.unit))

    def _network(self, name: str, call: Call) -> Meaning:
        _check_count(call, 2, 2)
        item, network = self.single(call.arguments[0]), call.arguments[1]
        if not isinstance(network, Literal) or not isinstance(network.value, str):
            raise QueryError(
                "this is no network", network.place, expected=('a text such as "10.0.0.0/8"',)
            )
        try:
            run = functions.in_network(network.value, _NETWORKS[name])
        except InvalidQuery as error:
            raise QueryError(
                error.message.rstrip("."), network.place, remedy=error.remedy
            ) from None
        return Apply(name, (item,), run, detail=(network.value,))


def _floor(moment: Meaning, period: Period) -> Meaning:
    """Months begin where a day begins: an engine need only tell days apart."""
    is_field = isinstance(moment, Of) and isinstance(moment.source, Stored)
    if is_field and fixed(period) is None:
        return Floor(Floor(moment, Period(1, "d")), period)
    return Floor(moment, period)


def _negative(expression: Expression) -> Literal | None:
    """A number below zero, which is written as two things."""
    if isinstance(expression, syntax.Operation) and expression.operator == "-":
        operands = expression.operands
        if len(operands) == 1 and isinstance(operands[0], Literal):
            value = operands[0].value
            if is_number(value):
                return Literal(-value, f"-{operands[0].written}", expression.place)
    return None


def _fitting(meaning: Meaning, expression: Expression, other: Meaning) -> Meaning:
    """A constant as the field that it is compared with holds it."""
    if not isinstance(meaning, Constant) or not isinstance(other, Of):
        return meaning
    literal = _negative(expression) or expression
    if not isinstance(literal, Literal):
        return meaning
    value = meaning.value
    if is_textual(other) and is_number(value):
        return Constant(literal.written)
    if not isinstance(other.source, Stored):
        return meaning
    kind = other.source.kind
    if kind is Kind.INTEGER and isinstance(value, str):
        number = parsed_number(value)
        return meaning if number is None else Constant(number)
    if kind is not Kind.TIME or isinstance(value, bool):
        return meaning
    moment = parsed_moment(value) if isinstance(value, str) else as_moment(value)
    if moment is None and isinstance(value, str):
        raise QueryError(
            f"{value!r} is no time", expression.place, remedy="Write it as 2026-11-23T20:27:30Z."
        )
    return meaning if moment is None else Constant(moment)


def _check_condition(meaning: Meaning, place: Place) -> None:
    is_text = isinstance(meaning, Constant) and isinstance(meaning.value, str)
    if isinstance(meaning, Of) and isinstance(meaning.source, Stored):
        is_text = meaning.source.kind in (Kind.KEYWORD, Kind.ADDRESS, Kind.TIME)
    if is_text:
        raise QueryError(
            "this is no condition", place, expected=("a comparison", "like", "in", "ispresent(…)")
        )


def _check_count(call: Call, least: int, most: int | None) -> None:
    count = len(call.arguments)
    if count < least or (most is not None and count > most):
        form = next(
            entry.form
            for name, entry in functions.FUNCTIONS.items()
            if name.lower() == call.name.lower()
        )
        raise QueryError(f"it is {form}, and there are {count} arguments", call.place)


def _no_function(call: Call) -> QueryError:
    if call.name.lower() in aggregates.BY_NAME:
        return QueryError(f"{call.name} is an aggregate, which stands in stats", call.place)
    known = [*functions.FUNCTIONS, *aggregates.AGGREGATES]
    return QueryError(
        f"there is no function {call.name!r}", call.place, nearest=nearest(call.name, known)
    )
