"""Scope: the names that a command can use, fields of events or columns of the rows before it."""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.insights.language.ast import Expression, Item, Name
from k8sidx.insights.language.diagnostics import QueryError, nearest
from k8sidx.insights.plan.columns import CLOUDWATCH, source_of_name
from k8sidx.insights.plan.logical import BoundExpression, Constant, FieldRef


class MissingColumn(QueryError):
    """A name after ``stats`` that is none of its columns."""


class Scope:
    """Aliases and fields; after a ``stats``, its columns alone.

    :ivar over_events: the rows are events.
    :ivar cloudwatch_names: names in the query that only CloudWatch has.
    """

    def __init__(self, columns: dict[str, BoundExpression] | None = None) -> None:
        self._defined: dict[str, BoundExpression] = dict(columns or {})
        self._computed: dict[Expression, BoundExpression] = {}
        self.over_events = columns is None
        self.cloudwatch_names: set[str] = set()

    @classmethod
    def after_stats(cls, columns: dict[str, BoundExpression], items: Iterable[Item]) -> Scope:
        """Return the scope of the commands after a ``stats``.

        :param items: the expressions of the columns; written again, they are the column.
        """
        scope = cls(columns)
        scope._computed = {
            item.expression: columns[item.name]
            for item in items
            if not isinstance(item.expression, Name)
        }
        return scope

    def define(self, name: str, bound: BoundExpression) -> None:
        """Define a name for the commands that follow."""
        self._defined[name] = bound

    def computed(self, expression: Expression) -> BoundExpression | None:
        """Return the column of an expression that was computed before ``stats``."""
        return self._computed.get(expression)

    def __getitem__(self, name: Name) -> BoundExpression:
        """Return the expression that a name stands for.

        :raises QueryError: for an unknown name; suggests the nearest.
        """
        bound = self._defined.get(name.text)
        if bound is not None:
            return bound
        if self.over_events:
            if name.text in CLOUDWATCH:
                self.cloudwatch_names.add(name.text)
                return Constant(CLOUDWATCH[name.text])
            return FieldRef(source_of_name(name))
        raise MissingColumn(
            f"after stats there is no column {name.text!r}",
            name.position,
            nearest=nearest(name.text, self._defined),
            expected=tuple(self._defined),
        )

    def has(self, name: Name) -> bool:
        """Whether a name may stand for something: after ``stats``, for one of its columns."""
        return self.over_events or name.text in self._defined

    def likely_column(self, name: Name) -> str | None:
        """Return the column of ``stats`` that an unknown name probably means.

        CloudWatch does not refuse such a sort: the article's second query sorts by ``SRC_IP``
        where the column is ``SRC_IP_Count``.
        """
        text = name.text.lower()
        for column in self._defined:
            if column.lower().startswith(text) or text.startswith(column.lower()):
                return column
        return next(iter(nearest(text, self._defined)), None)
