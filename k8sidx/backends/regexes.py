"""Which regular expressions an engine looks for by itself."""

from __future__ import annotations

import re

from k8sidx.backends.cluster.engine.regex import lucene
from k8sidx.errors import InvalidQuery, UnsupportedQuery
from k8sidx.query.regex import compiled


def is_looked_for(pattern: str, engine: str) -> bool:
    """Whether an engine can look for a pattern.

    :param pattern: in RE2 syntax; queries are checked by Python, which does not read all of it.
    :param engine: its name: DuckDB has RE2, clusters have Lucene's expressions.
    """
    try:
        compiled(pattern)
        if engine != "duckdb":
            lucene(pattern)
    except (re.error, UnsupportedQuery, InvalidQuery):
        return False
    return True
