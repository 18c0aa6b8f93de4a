"""How large expressions are once their aliases are put in: aliases of aliases double them."""

from __future__ import annotations

from k8sidx.insights.language.ast import Place
from k8sidx.insights.language.diagnostics import QueryError
from k8sidx.insights.plan.logical import Constant, Meaning, parts_of

MOST_PARTS = 100_000
DEEPEST = 200


class Extents:
    """Measures the expressions of a query, each part that several share once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Meaning, int, int]] = {}

    def check(self, meaning: Meaning, place: Place) -> Meaning:
        """The expression itself.

        :raises QueryError: when it is too large to be worked out.
        """
        parts, depth = self._of(meaning)
        if parts > MOST_PARTS or depth > DEEPEST:
            raise QueryError("with its aliases put in, this is too large", place)
        return meaning

    def _of(self, meaning: Meaning) -> tuple[int, int]:
        """Number of parts, constants aside, and how deep they are in each other."""
        known = self._known.get(id(meaning))
        if known is None:
            inner = [self._of(one) for one in parts_of(meaning) if not isinstance(one, Constant)]
            parts = 1 + sum(count for count, _ in inner)
            depth = 1 + max((depth for _, depth in inner), default=0)
            # Kept, so that no other expression gets its id.
            known = self._known[id(meaning)] = (meaning, parts, depth)
        return known[1], known[2]
