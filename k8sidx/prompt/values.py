"""Values of a field that are in the store, to complete a literal with."""

from __future__ import annotations

import threading
from collections.abc import Callable

from k8sidx.engine.result import Result
from k8sidx.errors import K8sidxError, UnknownField
from k8sidx.fields.field import Kind
from k8sidx.fields.lookup import resolve
from k8sidx.query.algebra import Metric, Order, Query, Terms

MOST = 1000
"""Values of a field that are known; counting fewer would cost a store as much."""
_NO_VALUES = (Kind.TIME, Kind.JSON)
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class FieldValues:
    """The most frequent values of fields; each field is asked for once.

    :param ask: answers a query, soon or not at all.
    """

    def __init__(self, ask: Callable[[Query], Result]) -> None:
        self._ask = ask
        self._known: dict[str, tuple[str, ...]] = {}
        self._one_at_a_time = threading.Lock()

    def of(self, name: str) -> tuple[str, ...]:
        """The values of the field of that name, the most frequent first; of a name that is no
        field, and while the store does not answer, none."""
        try:
            field = resolve(name).field
        except UnknownField:
            return ()
        if field.kind in _NO_VALUES:
            return ()
        with self._one_at_a_time:
            if name not in self._known:
                self._known[name] = self._asked(name)
            return self._known[name]

    def _asked(self, name: str) -> tuple[str, ...]:
        query = Query(
            group_by=(Terms(name, "value"),),
            metrics=(Metric("events", "count"),),
            order=(Order("events", descending=True),),
            limit=MOST,
        )
        try:
            rows = self._ask(query).rows
        except (K8sidxError, OSError):
            return ()
        return tuple(_text(row[0]) for row in rows if row[0] is not None)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def quoted(value: str, quote: str) -> str | None:
    """What stands for the value between such quotes, and closes them.

    ``None`` for a value with characters that are not printable: a query has no escape for
    them, and as they are a terminal would obey them.
    """
    if not value.replace("\n", "").replace("\t", "").isprintable():
        return None
    escapes = _ESCAPED | {quote: f"\\{quote}"}
    return "".join(escapes.get(character, character) for character in value) + quote
