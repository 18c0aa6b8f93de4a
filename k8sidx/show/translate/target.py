"""Where a hunt can be taken to."""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """A language that hunts are printed in."""

    INSIGHTS = "insights"
    DSL = "dsl"
    SQL = "sql"
    SIGMA = "sigma"
    KQL = "kql"
    LUCENE = "lucene"
