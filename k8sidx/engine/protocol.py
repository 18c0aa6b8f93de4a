"""The engine: anything that answers a :class:`~k8sidx.query.algebra.Query`."""

from __future__ import annotations

from typing import Protocol

from k8sidx.engine.result import Result
from k8sidx.query.algebra import Query


class Engine(Protocol):
    """Runs queries over one store."""

    name: str

    def run(self, query: Query) -> Result:
        """Answer the query.

        :raises UnsupportedQuery: when this engine has no way to run it.
        :raises StoreError: when the store cannot be read.
        """
