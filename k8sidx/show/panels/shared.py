"""Queries and controls that several dashboards share."""

from __future__ import annotations

from k8sidx.query.algebra import Condition, Metric, Order, Query, Terms
from k8sidx.show.panels.panel import COUNT, Control

MAX_ROWS = 50
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
"""Filters of every dashboard. The kind of user separates people from the cluster's own
components."""


def top(where: Condition, *keys: Terms, limit: int = BARS) -> Query:
    """Return the query for the most frequent values."""
    return Query(where=where, group_by=keys, metrics=(COUNT,), order=BUSY, limit=limit)


def table(where: Condition, *keys: Terms) -> Query:
    """Return the query for the most frequent combinations, with the time of the latest."""
    return Query(where=where, group_by=keys, metrics=(LAST, COUNT), order=BUSY, limit=MAX_ROWS)


USER = Terms("user.effective.name", "user")
KIND = Terms("user.kind", "kind")
ACCOUNT = (
    Terms("user.effective.namespace", "user namespace", keep_missing=True),
    Terms("user.effective.account", "user", keep_missing=True),
)
WHO = (KIND, *ACCOUNT)
"""A user in three narrow columns, where ``system:serviceaccount:`` would leave no width for the
name. Together they identify the user as ``user.effective.name`` does."""
NAMESPACE = Terms("objectRef.namespace", "namespace", keep_missing=True)
RESOURCE = Terms("target.resource", "resource")
NAME = Terms("target.name", "name", keep_missing=True)
VERB = Terms("verb")
CODE = Terms("responseStatus.code", "code")
