"""Languages that hunts are translated to."""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """A language that hunts are translated to."""

    INSIGHTS = "insights"
    DSL = "dsl"
    SQL = "sql"
    SIGMA = "sigma"
    KQL = "kql"
    LUCENE = "lucene"
    ESQL = "esql"
    PPL = "ppl"
