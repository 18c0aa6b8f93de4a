"""Support of engines for regular expressions."""

from __future__ import annotations

from k8sidx.backends.cluster.engine.regex import lucene
from k8sidx.errors import InvalidQuery, UnsupportedQuery
from k8sidx.query.regex import compiled


def is_looked_for(pattern: str, engine: str) -> bool:
    """Whether an engine can search for a pattern.

    :param pattern: in RE2 syntax.
    :param engine: its name: DuckDB has RE2, clusters have Lucene's expressions.
    """
    try:
        compiled(pattern)
        if engine != "duckdb":
            lucene(pattern)
    except (UnsupportedQuery, InvalidQuery):
        return False
    return True
