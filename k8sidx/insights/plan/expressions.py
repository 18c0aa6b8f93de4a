"""Binding of expressions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from k8sidx.errors import InvalidQuery
from k8sidx.events.fields.names import EVENT_ID, TIMESTAMP
from k8sidx.events.fields.table import Kind
from k8sidx.insights.language import aggregates, functions
from k8sidx.insights.language import ast as syntax
from k8sidx.insights.language.arithmetic import OPERATIONS
from k8sidx.insights.language.ast import Call, Expression, Literal, Name, Period, Position
from k8sidx.insights.language.diagnostics import QueryError, list_error, nearest
from k8sidx.insights.language.parse_patterns import checked_regex
from k8sidx.insights.language.periods import ceiling, fixed
from k8sidx.insights.language.values import as_moment, is_number, parsed_moment, parsed_number
from k8sidx.insights.plan.logical import (
    AllOf,
    AnyOf,
    Apply,
    BoundExpression,
    Compared,
    Constant,
    Contains,
    DateFloor,
    FieldRef,
    InList,
    Negated,
    RegexMatch,
    Stored,
    is_list,
    is_textual,
)
from k8sidx.insights.plan.scope import Scope
from k8sidx.query.algebra import COMPARED, Comparison

_FLIPPED: dict[Comparison, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_NETWORKS = {"isipinsubnet": None, "isipv4insubnet": 4, "isipv6insubnet": 6}
Rewrite = Callable[[Expression], BoundExpression | None]


class Expressions:
    """Binds expressions to the names of a scope.

    :param now: the value of ``now()``.
    :param rewrite: replaces an expression before it is bound; returns ``None`` to keep it.
    """

    def __init__(self, scope: Scope, now: datetime, rewrite: Rewrite | None = None) -> None:
        self._scope = scope
        self._now = now
        self._rewrite = rewrite

    def rewriting(self, rewrite: Rewrite) -> Expressions:
        """Return the same binder with another rewrite."""
        return Expressions(self._scope, self._now, rewrite)

    def condition(self, expression: Expression) -> BoundExpression:
        """Bind an expression as a condition.

        :raises QueryError: when it is a text.
        """
        bound = self.bind(expression)
        _check_condition(bound, expression.position)
        return bound

    def bind(self, expression: Expression) -> BoundExpression:
        """Bind an expression.

        :raises QueryError: when it has no meaning.
        """
        if self._rewrite is not None and (rewritten := self._rewrite(expression)) is not None:
            return rewritten
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
                return self._membership(expression)
            case syntax.Matching():
                return self._matching(expression)
        raise QueryError("this cannot stand here", expression.position, expected=("a value",))

    def moment(self, position: Position) -> tuple[BoundExpression, ...]:
        """Return the order of rows in time: for events, the id comes second.

        :raises QueryError: when the rows have no ``@timestamp``.
        """
        names = (TIMESTAMP, EVENT_ID) if self._scope.over_events else (TIMESTAMP,)
        return tuple(self._scope[Name(name, position)] for name in names)

    def _logical(self, expression: syntax.Logical) -> BoundExpression:
        parts = tuple(self.condition(operand) for operand in expression.operands)
        if expression.operator == "not":
            return Negated(parts[0])
        return AllOf(parts) if expression.operator == "and" else AnyOf(parts)

    def _matching(self, expression: syntax.Matching) -> BoundExpression:
        item = self.bind(expression.item)
        if isinstance(expression.pattern, Literal):
            return Contains(item, str(expression.pattern.value))
        return RegexMatch(item, checked_regex(expression.pattern))

    def _operation(self, expression: syntax.Operation) -> BoundExpression:
        operator, operands = expression.operator, expression.operands
        if operator == "!=":
            return Negated(self._comparison("=", *operands))
        if operator in COMPARED:
            return self._comparison(operator, *operands)
        if folded := _negative(expression):
            return Constant(folded.value)
        bound = tuple(self.single(operand) for operand in operands)
        name = "negative" if len(bound) == 1 else operator
        return Apply(name, bound, OPERATIONS[name])

    def _comparison(
        self, operator: Comparison, expression: Expression, other: Expression
    ) -> BoundExpression:
        left, right = self._literal(expression), self._literal(other)
        left, right = _coerced(left, expression, right), _coerced(right, other, left)
        if isinstance(left, Constant) and not isinstance(right, Constant):
            return Compared(_FLIPPED[operator], right, left)
        return Compared(operator, left, right)

    def _membership(self, expression: syntax.Membership) -> BoundExpression:
        item = self.bind(expression.item)
        options = tuple(
            _coerced(self._literal(option), option, item) for option in expression.options
        )
        return InList(item, options)

    def _literal(self, expression: Expression) -> BoundExpression:
        return self.bind(_negative(expression) or expression)

    def single(self, expression: Expression) -> BoundExpression:
        """Bind an expression that is not a list."""
        bound = self.bind(expression)
        if is_list(bound):
            raise list_error(expression.position)
        return bound

    def _call(self, call: Call) -> BoundExpression:
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
            raise _unknown_function(call)
        _check_count(call, function.least, function.most)
        take = self.bind if function.takes_lists else self.single
        arguments = tuple(take(argument) for argument in call.arguments)
        return Apply(function.name, arguments, function.run, function.takes_missing)

    def _period(self, name: str, call: Call) -> BoundExpression:
        wanted = 1 if name == "bin" else 2
        _check_count(call, wanted, wanted)
        period = call.arguments[-1]
        if not isinstance(period, Period):
            raise QueryError(
                "this is not a valid period", period.position, expected=("a period such as 5m",)
            )
        moment = self.single(Name(TIMESTAMP, call.position) if name == "bin" else call.arguments[0])
        if name != "dateceil":
            return _date_floor(moment, period)

        def run(value: object) -> datetime | None:
            moment = as_moment(value)
            return None if moment is None else ceiling(moment, period)

        return Apply("dateceil", (moment,), run, detail=(period.count, period.unit))

    def _network(self, name: str, call: Call) -> BoundExpression:
        _check_count(call, 2, 2)
        item, network = self.single(call.arguments[0]), call.arguments[1]
        if not isinstance(network, Literal) or not isinstance(network.value, str):
            raise QueryError(
                "this is not a valid network",
                network.position,
                expected=('a text such as "10.0.0.0/8"',),
            )
        try:
            run = functions.in_network(network.value, _NETWORKS[name])
        except InvalidQuery as error:
            raise QueryError(
                error.message.rstrip("."), network.position, remedy=error.remedy
            ) from None
        return Apply(name, (item,), run, detail=(network.value,))


def _date_floor(moment: BoundExpression, period: Period) -> BoundExpression:
    """Return the floor; months begin where a day begins, so an engine need only separate days."""
    is_field = isinstance(moment, FieldRef) and isinstance(moment.source, Stored)
    if is_field and fixed(period) is None:
        return DateFloor(DateFloor(moment, Period(1, "d")), period)
    return DateFloor(moment, period)


def _negative(expression: Expression) -> Literal | None:
    """Return a negative number, which the parser reads as two nodes."""
    if isinstance(expression, syntax.Operation) and expression.operator == "-":
        operands = expression.operands
        if len(operands) == 1 and isinstance(operands[0], Literal):
            value = operands[0].value
            if is_number(value):
                return Literal(-value, f"-{operands[0].written}", expression.position)
    return None


def _coerced(
    bound: BoundExpression, expression: Expression, other: BoundExpression
) -> BoundExpression:
    """Return a constant as the field that it is compared with stores it."""
    if not isinstance(bound, Constant) or not isinstance(other, FieldRef):
        return bound
    literal = _negative(expression) or expression
    if not isinstance(literal, Literal):
        return bound
    value = bound.value
    if is_textual(other) and is_number(value):
        return Constant(literal.written)
    if not isinstance(other.source, Stored):
        return bound
    kind = other.source.kind
    if kind is Kind.INTEGER and isinstance(value, str):
        number = parsed_number(value)
        return bound if number is None else Constant(number)
    if kind is not Kind.TIME or isinstance(value, bool):
        return bound
    moment = parsed_moment(value) if isinstance(value, str) else as_moment(value)
    if moment is None and isinstance(value, str):
        raise QueryError(
            f"{value!r} is not a valid time",
            expression.position,
            remedy="Write it as 2026-11-23T20:27:30Z.",
        )
    return bound if moment is None else Constant(moment)


def _check_condition(bound: BoundExpression, position: Position) -> None:
    is_text = isinstance(bound, Constant) and isinstance(bound.value, str)
    if isinstance(bound, FieldRef) and isinstance(bound.source, Stored):
        is_text = bound.source.kind in (Kind.KEYWORD, Kind.ADDRESS, Kind.TIME)
    if is_text:
        raise QueryError(
            "this is not a condition",
            position,
            expected=("a comparison", "like", "in", "ispresent(…)"),
        )


def _check_count(call: Call, least: int, most: int | None) -> None:
    count = len(call.arguments)
    if count < least or (most is not None and count > most):
        form = next(
            entry.form
            for name, entry in functions.FUNCTIONS.items()
            if name.lower() == call.name.lower()
        )
        raise QueryError(f"write {form}; there are {count} arguments", call.position)


def _unknown_function(call: Call) -> QueryError:
    if call.name.lower() in aggregates.BY_NAME:
        return QueryError(f"{call.name} is an aggregate, which stands in stats", call.position)
    known = [*functions.FUNCTIONS, *aggregates.AGGREGATES]
    return QueryError(
        f"there is no function {call.name!r}", call.position, nearest=nearest(call.name, known)
    )
