"""Values of a field that are in the store, to complete a literal with."""

from __future__ import annotations

import threading
from collections.abc import Callable

from k8sidx.backends.result import Result
from k8sidx.errors import K8sidxError, UnknownField
from k8sidx.events.fields.field import Kind
from k8sidx.events.fields.lookup import resolve
from k8sidx.insights.language.parser import ESCAPES
from k8sidx.query.algebra import Metric, Order, Query, Terms

MOST = 1000
"""Values of a field that are known; counting fewer would cost a store as much."""
_NO_VALUES = (Kind.TIME, Kind.JSON)
_ESCAPED = {character: f"\\{letter}" for letter, character in ESCAPES.items()}


class FieldValues:
    """The most frequent values of fields; a field is asked for until the store has answered once.

    :param ask: answers a query; it is called in a thread of its own.
    :param patience: seconds that a completion waits for the answer. The thread goes on without
        it: values that come later are there for the next completion.
    """

    def __init__(self, ask: Callable[[Query], Result], patience: float = 1.5) -> None:
        self._ask = ask
        self._patience = patience
        self._lookups: dict[str, _Lookup] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> tuple[str, ...]:
        """The values of the field of that name, the most frequent first; of a name that is no
        field, and while the store does not answer, none. After an error the next call asks
        again."""
        try:
            field = resolve(name).field
        except UnknownField:
            return ()
        if field.kind in _NO_VALUES:
            return ()
        with self._lock:
            lookup = self._lookups.get(name)
            if lookup is None or lookup.failed:
                lookup = self._lookups[name] = _Lookup(name, self._ask)
        lookup.ended.wait(self._patience)
        return lookup.values


class _Lookup:
    """The question for the values of one field, in a thread that neither a query nor the end of
    the prompt waits for."""

    def __init__(self, name: str, ask: Callable[[Query], Result]) -> None:
        self.values: tuple[str, ...] = ()
        self.failed = False
        self.ended = threading.Event()
        threading.Thread(target=self._look, args=(name, ask), daemon=True).start()

    def _look(self, name: str, ask: Callable[[Query], Result]) -> None:
        query = Query(
            group_by=(Terms(name, "value"),),
            metrics=(Metric("events", "count"),),
            order=(Order("events", descending=True),),
            limit=MOST,
        )
        try:
            rows = ask(query).rows
            self.values = tuple(_text(row[0]) for row in rows if row[0] is not None)
        except (K8sidxError, OSError):
            self.failed = True  # Told to nobody: the prompt works without values, too.
        finally:
            self.ended.set()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def quoted(value: str, quote: str) -> str | None:
    """What stands for the value between such quotes, and closes them.

    ``None`` for a value with characters that are not printable: a query has no escape for
    them, and as they are a terminal would obey them.
    """
    if not all(character.isprintable() or character in _ESCAPED for character in value):
        return None
    other = "'" if quote == '"' else '"'
    escaped = (one if one == other else _ESCAPED.get(one, one) for one in value)
    return "".join(escaped) + quote
