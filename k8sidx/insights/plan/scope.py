"""The names that a command sees: fields of events, or columns of the rows before it."""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.insights.language.ast import Expression, Item, Name
from k8sidx.insights.language.diagnostics import QueryError, nearest
from k8sidx.insights.plan.columns import CLOUDWATCH, event_source
from k8sidx.insights.plan.logical import Constant, Meaning, Of


class Scope:
    """Aliases, and where they end: the fields of events before the first ``stats``.

    :ivar of_events: the rows are events.
    :ivar of_cloudwatch: names that were asked for and that only CloudWatch has.
    """

    def __init__(self) -> None:
        self._defined: dict[str, Meaning] = {}
        self._computed: dict[Expression, Meaning] = {}
        self.of_events = True
        self.of_cloudwatch: set[str] = set()

    def define(self, name: str, meaning: Meaning) -> None:
        """From now on the name means this."""
        self._defined[name] = meaning

    def begin(self, columns: dict[str, Meaning], items: Iterable[Item]) -> None:
        """After a ``stats`` only its columns are there.

        :param items: what they were computed as; written again, that is the column.
        """
        self._defined = dict(columns)
        self._computed = {
            item.expression: columns[item.name]
            for item in items
            if not isinstance(item.expression, Name)
        }
        self.of_events = False

    def computed(self, expression: Expression) -> Meaning | None:
        """The column that holds what an expression was before ``stats``."""
        return self._computed.get(expression)

    def __getitem__(self, name: Name) -> Meaning:
        """What a name means.

        :raises QueryError: when it means nothing; names the nearest.
        """
        found = self._defined.get(name.text)
        if found is not None:
            return found
        if self.of_events:
            if name.text in CLOUDWATCH:
                self.of_cloudwatch.add(name.text)
                return Constant(CLOUDWATCH[name.text])
            return Of(event_source(name))
        raise QueryError(
            f"after stats there is no column {name.text!r}",
            name.place,
            nearest=nearest(name.text, self._defined),
            expected=tuple(self._defined),
        )

    def meant(self, name: Name) -> str | None:
        """The column that is meant by a name that is none, as far as it can be told.

        CloudWatch does not refuse such a sort: the article's second query sorts by ``SRC_IP``
        where the column is ``SRC_IP_Count``.
        """
        if self.of_events or name.text in self._defined:
            return None
        text = name.text.lower()
        for column in self._defined:
            if column.lower().startswith(text) or text.startswith(column.lower()):
                return column
        return next(iter(nearest(text, self._defined)), None)
