"""Readings of published queries: where CloudWatch applies a limit, a filter and a sort that do not
stand where they take effect.

AWS describes ``limit`` as the number of rows that a query returns, and publishes queries of EKS
logs with ``limit 100`` before ``filter`` and ``stats``, with conditions on events after ``stats``,
and with ``sort @timestamp`` after ``stats … by bin(5m)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8sidx.insights.language import ast as syntax
from k8sidx.insights.plan.logical import (
    BoundExpression,
    Column,
    DateFloor,
    FieldRef,
    Limit,
    Stage,
)

_MOVES = {
    syntax.Filter: "filter",
    syntax.Sort: "sort",
    syntax.Dedup: "dedup",
    syntax.Stats: "stats",
}
"""Commands that a limit before them does not cut the rows of."""


class Limits:
    """Places of the limits of a query: a limit is of the result of the rows that it stands among,
    and one among events is of the query's result, unless the query has a later one.

    Between two ``stats``, where CloudWatch accepts no limit, it is of the rows of the first one.
    """

    def __init__(self) -> None:
        self._of_events: syntax.Limit | None = None
        self._of_stage: syntax.Limit | None = None
        self._over_events = True
        self._before: dict[syntax.Limit, str] = {}

    def read(self, command: syntax.Command) -> None:
        """Take notice of the next command of the query."""
        limit, name = self._of_stage, _MOVES.get(type(command))
        if isinstance(command, syntax.Limit):
            if limit is None or command.count <= limit.count:
                self._of_stage = command
        elif limit is not None and name and (self._over_events or name != "stats"):
            self._before.setdefault(limit, name)

    def of_stage(self) -> tuple[Limit, ...]:
        """Return the limit of the rows before a ``stats``, and begin with the rows after it."""
        limit, self._of_stage = self._of_stage, None
        if self._over_events:
            self._of_events, self._over_events = limit, False
            return ()
        return _steps(limit)

    def of_result(self) -> tuple[Limit, ...]:
        """Return the limit of the query's result."""
        return _steps(self._of_stage or self._of_events)

    def warnings(self) -> Iterator[str]:
        """Yield how limits were read that are applied elsewhere."""
        for limit, name in self._before.items():
            if limit is self._of_events and self._of_stage is not None:
                yield (
                    f"limit {limit.count} is of the result, as in CloudWatch, which has a limit of "
                    f"its own: {self._of_stage.count}"
                )
            else:
                yield (
                    f"limit {limit.count} is of the result, as in CloudWatch: it is applied after "
                    f"the {name} that follows it"
                )


def _steps(limit: syntax.Limit | None) -> tuple[Limit, ...]:
    return (Limit(limit.count),) if limit else ()


def conjuncts(condition: syntax.Expression) -> Iterator[syntax.Expression]:
    """Yield the conditions that ``and`` joins."""
    if isinstance(condition, syntax.Logical) and condition.operator == "and":
        for operand in condition.operands:
            yield from conjuncts(operand)
    else:
        yield condition


def column_made_of(
    field: BoundExpression, stages: Sequence[Stage], columns: Mapping[str, BoundExpression]
) -> str | None:
    """Return the column of the only ``stats`` so far that is a field of events, an interval of it,
    or else the only aggregate of it."""
    if len(stages) != 1 or (grouping := stages[0].grouping) is None:
        return None
    by = [
        index
        for index, key in enumerate(grouping.by)
        if key == field or (isinstance(key, DateFloor) and key.moment == field)
    ]
    measured = [
        len(grouping.by) + index
        for index, measure in enumerate(grouping.measures)
        if measure.operand == field
    ]
    places = by[:1] or (measured if len(measured) == 1 else [])
    return next(
        (
            name
            for name, bound in columns.items()
            if isinstance(bound, FieldRef)
            and isinstance(bound.source, Column)
            and bound.source.index in places
        ),
        None,
    )
