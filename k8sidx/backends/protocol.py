"""The engine: anything that answers a :class:`~k8sidx.query.algebra.Query`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from k8sidx.backends.result import Result
from k8sidx.errors import StoreError
from k8sidx.query.algebra import Query


@dataclass(frozen=True, slots=True)
class Answering:
    """How queries are to be answered.

    :param approximate: estimates will do where exact numbers take long.
    :param timeout: seconds for one query; ``None`` for no limit.
    """

    approximate: bool = False
    timeout: float | None = None

    def too_slow(self) -> StoreError:
        """The error for a query that was stopped."""
        return StoreError(
            f"a query took longer than {self.timeout:g} seconds, and was stopped.",
            remedy="Look at less time with --since and --until, or allow more with --timeout.",
        )


EXACTLY = Answering()


class Engine(Protocol):
    """Runs queries over one store."""

    name: str

    def run(self, query: Query) -> Result:
        """Answer the query.

        :raises UnsupportedQuery: when this engine has no way to run it.
        :raises StoreError: when the store cannot be read, or the time is over.
        """


@runtime_checkable
class Explaining(Protocol):
    """An engine that can say what it would ask its store. Those that answer with the help of
    another engine have no one thing to say."""

    name: str

    def explained(self, query: Query) -> str:
        """The statement or search of a query, in ASCII; no event is read for it.

        :raises UnsupportedQuery: when this engine has no way to run the query.
        :raises StoreError: when the store lacks a field of the query, or cannot be asked.
        """
