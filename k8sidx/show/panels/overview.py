"""Overview dashboard: activity, failures, and the busiest users and resources."""

from __future__ import annotations

from k8sidx.query.algebra import Compare, DateHistogram, Metric, Order, Query, Terms
from k8sidx.show.panels.conditions import ANSWERED, FAILED, requests
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Events, Panel, Row
from k8sidx.show.panels.shared import BUSY, CONTROLS, MAX_ROWS, top

EVENTS = Events(
    "events",
    "Events",
    "What happened exactly? Every other panel's filters apply.",
    Query(
        select=(
            "@timestamp", "user.effective.name", "verb", "target.resource",
            "objectRef.namespace", "target.name", "responseStatus.code", "source.ip", "userAgent",
        ),
        order=(Order("@timestamp", descending=True),),
        limit=500,
    ),
    goals=(9,),
)  # fmt: skip
"""Event stream at the end of every dashboard: a click on a value filters it."""

_DENIED = Compare("annotations.authorization.k8s.io/decision", "=", "forbid")
_ANONYMOUS = Compare("user.kind", "=", "anonymous")

OVERVIEW = Dashboard(
    "overview",
    "Kubernetes audit: overview",
    "What happens in the clusters, how much of it fails, who and what is busy.",
    (
        Row(
            6,
            (
                Panel("requests-total", "Requests", "How many requests were there?", "number",
                      Query(where=ANSWERED, metrics=(COUNT,)), (2,)),
                Panel("requests-failed", "Failed", "How many of them failed?", "number",
                      Query(where=requests(FAILED), metrics=(Metric("failed", "count"),)), (2,)),
                Panel("requests-denied", "Denied", "How many did the authorizer refuse?", "number",
                      Query(where=requests(_DENIED), metrics=(Metric("denied", "count"),)), (2,)),
                Panel("requests-anonymous", "Anonymous", "How many came without credentials?",
                      "number",
                      Query(where=requests(_ANONYMOUS), metrics=(Metric("anonymous", "count"),)),
                      (2,)),
                Panel("requests-users", "Users", "How many different identities asked?", "number",
                      Query(where=ANSWERED,
                            metrics=(Metric("users", "count_distinct", "user.effective.name"),)),
                      (2,)),
            ),
        ),
        Row(
            13,
            (
                Panel("outcome-over-time", "Requests over time by outcome",
                      "When was the cluster busy, and when did requests fail?", "timeline",
                      Query(where=ANSWERED, group_by=(DateHistogram(SPAN),
                            Terms("event.outcome", "outcome")), metrics=(COUNT,)), (1, 2)),
            ),
        ),
        Row(
            13,
            (
                Panel("by-verb", "By verb", "What is done most?", "bars",
                      top(ANSWERED, Terms("verb")), (3,)),
                Panel("by-resource", "By resource", "To which kinds of objects?", "bars",
                      top(ANSWERED, Terms("target.resource", "resource")), (4,)),
                Panel("by-namespace", "By namespace", "Where?", "bars",
                      top(ANSWERED, Terms("objectRef.namespace", "namespace")), (5,)),
            ),
        ),
        Row(
            12,
            (
                Panel("by-decision", "By the authorizer's decision",
                      "How much was allowed, refused, or never came to the authorizer?", "pie",
                      top(ANSWERED, Terms("annotations.authorization.k8s.io/decision", "decision",
                                          keep_missing=True), limit=5), (6,)),
                Panel("by-stage", "Events by stage",
                      "Which stages does the audit policy log?", "pie",
                      Query(group_by=(Terms("stage"),), metrics=(Metric("events", "count"),),
                            order=(Order("events", True),), limit=5), (7,)),
                Panel("by-level", "Events by audit level",
                      "How much of a request does the audit policy keep?", "pie",
                      Query(group_by=(Terms("level"),), metrics=(Metric("events", "count"),),
                            order=(Order("events", True),), limit=5), (7,)),
            ),
        ),
        Row(
            13,
            (
                Panel("by-code", "By status code", "How does the API server answer?", "bars",
                      top(ANSWERED, Terms("responseStatus.code", "code")), (8,)),
                Panel("code-over-time", "Status codes over time",
                      "When did the answers change?", "timeline",
                      Query(where=ANSWERED, group_by=(DateHistogram(SPAN),
                            Terms("responseStatus.code", "code")), metrics=(COUNT,)), (8,)),
            ),
        ),
        Row(
            14,
            (
                Panel("top-users-overview", "Busiest users", "Who asks most?", "table",
                      Query(where=ANSWERED,
                            group_by=(Terms("user.effective.name", "user"),
                                      Terms("user.kind", "kind")),
                            metrics=(COUNT,), order=BUSY, limit=MAX_ROWS), (16,)),
                Panel("top-targets-overview", "Busiest calls",
                      "Which calls make up the log?", "table",
                      Query(where=ANSWERED,
                            group_by=(Terms("verb"), Terms("target.resource", "resource")),
                            metrics=(COUNT,), order=BUSY, limit=MAX_ROWS), (3, 4)),
            ),
        ),
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
