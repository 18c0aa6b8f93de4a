"""Size and depth limits of expressions after alias expansion: aliases of aliases double them."""

from __future__ import annotations

from k8sidx.insights.language.ast import Position
from k8sidx.insights.language.diagnostics import QueryError
from k8sidx.insights.plan.logical import BoundExpression, Constant, parts_of

MAX_PARTS = 100_000
MAX_DEPTH = 200


class SizeChecker:
    """Measures the expressions of a query, each shared part once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[BoundExpression, int, int]] = {}

    def check(self, expression: BoundExpression, position: Position) -> BoundExpression:
        """Return the expression itself.

        :raises QueryError: when it is too large to be evaluated.
        """
        parts, depth = self._of(expression)
        if parts > MAX_PARTS or depth > MAX_DEPTH:
            raise QueryError("with its aliases expanded, this is too large", position)
        return expression

    def _of(self, expression: BoundExpression) -> tuple[int, int]:
        """Return the number of parts, constants aside, and how deeply they are nested."""
        known = self._known.get(id(expression))
        if known is None:
            inner = [
                self._of(part) for part in parts_of(expression) if not isinstance(part, Constant)
            ]
            parts = 1 + sum(count for count, _ in inner)
            depth = 1 + max((depth for _, depth in inner), default=0)
            # Keeping the expression keeps its id from being reused.
            known = self._known[id(expression)] = (expression, parts, depth)
        return known[1], known[2]
