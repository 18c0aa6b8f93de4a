"""Article dashboard: the article's tables in its order, each with the query of its hunt."""

from __future__ import annotations

from dataclasses import replace

from k8sidx.hunt.kinds.top import TopHunt
from k8sidx.hunt.library.load import load_hunts
from k8sidx.query.algebra import DateHistogram, Metric, Order, Query, Terms
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import SPAN, Dashboard, Panel, Row
from k8sidx.show.panels.shared import CONTROLS

TABLES = (
    "topn_user_agent",
    "topn_user_by_agent",
    "topn_source_ip",
    "topn_user_by_ip",
    "topn_status_code",
    "topn_forbidden_user",
    "topn_forbidden_list_resource",
)
"""Hunts of the article's tables, in its order."""
_GOALS = {
    "topn_user_agent": (17,),
    "topn_user_by_agent": (17,),
    "topn_source_ip": (18,),
    "topn_user_by_ip": (18,),
    "topn_status_code": (8,),
    "topn_forbidden_user": (24,),
    "topn_forbidden_list_resource": (25,),
}
"""Goals that the article's tables meet."""


def article_dashboard() -> Dashboard:
    """Return the article's dashboard, built from the hunt library."""
    hunts = load_hunts(TABLES)
    tables = [_table(hunt) for hunt in hunts if isinstance(hunt, TopHunt)]
    codes = next(hunt for hunt in hunts if hunt.id == "topn_status_code")
    rows = [
        Row(15, pair, (20, 28) if len(pair) == 2 else ())
        for first in range(0, len(tables), 2)
        if (pair := tuple(tables[first : first + 2]))
    ]
    over_time = Panel(
        "article-codes-over-time",
        "Status codes over time",
        "Do refusals surge?",
        "timeline",
        Query(
            where=codes.condition,
            group_by=(DateHistogram(SPAN), Terms("responseStatus.code", "code")),
            metrics=(Metric("events", "count"),),
        ),
        (8,),
        codes.id,
    )
    return Dashboard(
        "article",
        "Kubernetes audit: the article's hunts",
        "The tables of Square's article Threat Hunting with Kubernetes Audit Logs, in its order.",
        (*rows, Row(13, (over_time,)), Row(20, (EVENTS,))),
        CONTROLS,
    )


def _table(hunt: TopHunt) -> Panel:
    query = replace(
        hunt.count_query(),
        metrics=(Metric(hunt.count, "count"),),
        order=(Order(hunt.count, descending=True),),
        limit=hunt.limit,
    )
    return Panel(hunt.id.replace("_", "-"), hunt.title, hunt.description, "table", query,
                 _GOALS.get(hunt.id, ()), hunt.id)  # fmt: skip
