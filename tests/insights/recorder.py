"""What reaches an engine: the statements of DuckDB, the requests to a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from k8sidx.backends.cluster.http.client import Answer, Cluster
from k8sidx.backends.embedded.engine.engine import DuckDBEngine


class Statements:
    """A connection to DuckDB that keeps the statements that it was given."""

    def __init__(self, connection: Any, seen: list[str]) -> None:
        self._connection = connection
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: Any, *more: Any, **named: Any) -> Any:
        self._seen.append(str(statement))
        return self._connection.execute(statement, *more, **named)

    def sql(self, statement: str, *more: Any, **named: Any) -> Any:
        self._seen.append(statement)
        return self._connection.sql(statement, *more, **named)

    query = sql

    def cursor(self) -> Statements:
        return Statements(self._connection.cursor(), self._seen)


@contextmanager
def statements(engine: DuckDBEngine) -> Iterator[list[str]]:
    """The statements that an engine runs meanwhile."""
    seen: list[str] = []
    connection = engine._connection
    engine._connection = Statements(connection, seen)  # type: ignore[assignment]
    try:
        yield seen
    finally:
        engine._connection = connection


@contextmanager
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Paths with their parameters, and bodies, of the requests made meanwhile."""
    seen: list[tuple[str, Any]] = []
    request = Cluster.request

    def recorded(self: Cluster, method: str, path: str, **more: Any) -> Answer:
        body = more.get("body")
        decoded = orjson.loads(body) if isinstance(body, bytes) else body
        seen.append((f"{path} {more.get('params')}", decoded))
        return request(self, method, path, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Cluster, "request", recorded)
        yield seen


def keys(value: Any) -> Iterator[str]:
    """All keys in a body."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from keys(inner)
