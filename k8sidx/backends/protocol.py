"""Protocols of query engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from k8sidx.backends.result import Result
from k8sidx.backends.summary_store import Summaries
from k8sidx.errors import StoreError
from k8sidx.query.algebra import Condition, Query


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """Options of running queries.

    :param approximate: estimates are acceptable where exact numbers take long.
    :param timeout: seconds for one query; ``None`` for no limit.
    :param on_notice: is called with each notice about how queries are answered.
    """

    approximate: bool = False
    timeout: float | None = None
    on_notice: Callable[[str], None] | None = None

    def notice(self, text: str) -> None:
        """Pass a notice on to the user."""
        if self.on_notice is not None:
            self.on_notice(text)

    def too_slow(self) -> StoreError:
        """Return the error for a query that reached the time limit."""
        return StoreError(
            f"a query took longer than {self.timeout:g} seconds, and was stopped.",
            remedy="Query less time with --since and --until, or allow more with --timeout.",
        )


EXACT = QueryOptions()


class Engine(Protocol):
    """Runs queries over one store."""

    name: str

    def run(self, query: Query) -> Result:
        """Run the query.

        :raises UnsupportedQuery: when this engine cannot run it.
        :raises StoreError: when the store cannot be read, or the time limit is reached.
        """


class StoreEngine(Engine, Protocol):
    """An engine that reads a store itself, as it was when the engine was opened.

    Other engines combine the results of such engines, and have no single statement to explain.
    """

    def explain(self, query: Query) -> str:
        """Return the statement or search of a query, in ASCII; no event is read.

        :raises UnsupportedQuery: when this engine cannot run the query.
        :raises StoreError: when the store lacks a field of the query, or cannot be read.
        """

    def supports_regex(self, pattern: str) -> bool:
        """Whether it can search for a regular expression.

        :param pattern: in RE2 syntax.
        """

    def summaries(self) -> Summaries | None:
        """Return the store's daily summaries; ``None`` for a store that has none."""


@runtime_checkable
class ForeignIndex(Protocol):
    """An engine over indices that another program filled."""

    def lack_of(self, conditions: Sequence[Condition]) -> list[str]:
        """Return for each condition why no query about it can be answered; empty where it can be.

        :raises StoreError: when the indices cannot be read, or have no audit events.
        """
