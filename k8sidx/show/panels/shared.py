"""Pieces that several dashboards are put together from."""

from __future__ import annotations

from k8sidx.query.algebra import Condition, Metric, Order, Query, Terms
from k8sidx.show.panels.panel import COUNT, Control

MOST = 50
"""Rows of a table: enough to page through, few enough to draw."""
BARS = 10
BUSY = (Order("requests", descending=True),)
LAST = Metric("last seen", "max", "@timestamp")
FIRST = Metric("first seen", "min", "@timestamp")

CONTROLS = (
    Control("orchestrator.cluster.name", "Cluster"),
    Control("user.kind", "Kind of user"),
    Control("user.effective.name", "User"),
    Control("verb", "Verb"),
    Control("target.resource", "Resource"),
    Control("objectRef.namespace", "Namespace"),
    Control("responseStatus.code", "Code"),
)
"""What analysts narrow a dashboard down by. The kind of user is the switch between people and
the cluster's own components."""


def top(where: Condition, *keys: Terms, limit: int = BARS) -> Query:
    """The most frequent values among the requests."""
    return Query(where=where, group_by=keys, metrics=(COUNT,), order=BUSY, limit=limit)


def table(where: Condition, *keys: Terms) -> Query:
    """The most frequent combinations, with the time of the latest."""
    return Query(where=where, group_by=keys, metrics=(LAST, COUNT), order=BUSY, limit=MOST)


USER = Terms("user.effective.name", "user")
NAMESPACE = Terms("objectRef.namespace", "namespace", keep_missing=True)
RESOURCE = Terms("target.resource", "resource")
NAME = Terms("target.name", "name", keep_missing=True)
VERB = Terms("verb")
CODE = Terms("responseStatus.code", "code")
