"""Field values from the store, for completing literals."""

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
"""Maximum number of values per field; counting fewer would cost the store as much."""
_NO_VALUES = (Kind.TIME, Kind.JSON)
_ESCAPED = {character: f"\\{letter}" for letter, character in ESCAPES.items()}


class FieldValues:
    """Cache of the most frequent values of fields, filled by one successful query per field.

    :param run_query: runs a query; called in a thread of its own.
    :param timeout: seconds that a completion waits for the result. The thread continues
        without it: values that arrive later serve the next completion.
    """

    def __init__(self, run_query: Callable[[Query], Result], timeout: float = 1.5) -> None:
        self._run_query = run_query
        self._timeout = timeout
        self._lookups: dict[str, _Lookup] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> tuple[str, ...]:
        """Return the values of the field, the most frequent first; empty for a name that is not
        a field, and until the store responds. After an error the next call retries."""
        try:
            field = resolve(name).field
        except UnknownField:
            return ()
        if field.kind in _NO_VALUES:
            return ()
        with self._lock:
            lookup = self._lookups.get(name)
            if lookup is None or lookup.failed:
                lookup = self._lookups[name] = _Lookup(name, self._run_query)
        lookup.ended.wait(self._timeout)
        return lookup.values


class _Lookup:
    """Query for the values of one field, in a daemon thread that neither queries nor the end
    of the prompt wait for."""

    def __init__(self, name: str, run_query: Callable[[Query], Result]) -> None:
        self.values: tuple[str, ...] = ()
        self.failed = False
        self.ended = threading.Event()
        threading.Thread(target=self._fetch, args=(name, run_query), daemon=True).start()

    def _fetch(self, name: str, run_query: Callable[[Query], Result]) -> None:
        query = Query(
            group_by=(Terms(name, "value"),),
            metrics=(Metric("events", "count"),),
            order=(Order("events", descending=True),),
            limit=MOST,
        )
        try:
            rows = run_query(query).rows
            self.values = tuple(_text(row[0]) for row in rows if row[0] is not None)
        except (K8sidxError, OSError):
            self.failed = True  # Not reported: the prompt also works without values.
        finally:
            self.ended.set()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def quoted(value: str, quote: str) -> str | None:
    """Return the value escaped for such quotes, with the closing quote.

    ``None`` for a value with unprintable characters: a query has no escape for
    them, and unescaped, a terminal would interpret them.
    """
    if not all(character.isprintable() or character in _ESCAPED for character in value):
        return None
    other = "'" if quote == '"' else '"'
    escaped = (c if c == other else _ESCAPED.get(c, c) for c in value)
    return "".join(escaped) + quote
