"""Volume dashboard: size of the log and its sources, latency, and what is missing in the log."""

from __future__ import annotations

from k8sidx.query.algebra import (
    And,
    Compare,
    DateHistogram,
    Metric,
    Not,
    Or,
    Order,
    Present,
    Query,
    Terms,
)
from k8sidx.show.panels.conditions import ANSWERED, SHORT, requests
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Panel, Row
from k8sidx.show.panels.shared import CONTROLS, LAST, MAX_ROWS, RESOURCE, USER, VERB

_EVENTS = Metric("events", "count")
_BYTES = Metric("bytes", "sum", "event.bytes")
_CLUSTER = Terms("orchestrator.cluster.name", "cluster", keep_missing=True)
_LARGEST = (Order("bytes", descending=True),)
_SLOW = (
    Metric("median ms", "percentile", "event.duration", 50),
    Metric("95 % ms", "percentile", "event.duration", 95),
    Metric("longest ms", "max", "event.duration"),
    COUNT,
)

VOLUME = Dashboard(
    "volume",
    "Kubernetes audit: volume and health",
    "How much the log is and who makes it so, how long requests take, and what of the log is "
    "missing or cut.",
    (
        Row(
            7,
            (
                Panel("truncated-total", "Truncated",
                      "How many events lost their bodies, so that hunts cannot judge them?",
                      "number",
                      Query(where=Compare("event.truncated", "=", True),
                            metrics=(Metric("truncated", "count"),)), (48,)),
                Panel("undecided-total", "Without a decision",
                      "How many never came to the authorizer, or were not annotated?", "number",
                      Query(where=And((ANSWERED,
                                       Not(Present("annotations.authorization.k8s.io/decision")))),
                            metrics=(Metric("undecided", "count"),)), (48,)),
                Panel("events-total", "Events", "How many events are there?", "number",
                      Query(metrics=(_EVENTS,)), (11,)),
                Panel("bytes-total", "Bytes logged", "How large is the log?", "number",
                      Query(metrics=(_BYTES,)), (12,)),
            ),
        ),
        Row(
            13,
            (
                Panel("events-by-cluster", "Events over time by cluster",
                      "How many events come from which cluster?", "timeline",
                      Query(group_by=(DateHistogram(SPAN), _CLUSTER), metrics=(_EVENTS,)), (11,)),
                Panel("bytes-by-cluster", "Bytes over time by cluster",
                      "How large is the log of which cluster?", "lines",
                      Query(group_by=(DateHistogram(SPAN), _CLUSTER), metrics=(_BYTES,)), (12,)),
            ),
        ),
        Row(
            14,
            (
                Panel("clusters", "Clusters reporting",
                      "Which clusters report, and which has gone silent?", "table",
                      Query(group_by=(_CLUSTER, Terms("event.provider", "provider")),
                            metrics=(LAST, _BYTES, _EVENTS),
                            order=(Order("events", descending=True),), limit=MAX_ROWS), (14, 48)),
                Panel("talkers", "Largest talkers",
                      "Whose requests make up the log's size?", "table",
                      Query(group_by=(USER, Terms("user_agent.name", "client", keep_missing=True)),
                            metrics=(_EVENTS, _BYTES), order=_LARGEST, limit=MAX_ROWS), (13,)),
            ),
        ),
        Row(
            13,
            (
                Panel("latency-over-time", "Latency: 95 % of requests are faster",
                      "When was the API server slow? Without watches and sessions.", "lines",
                      Query(where=requests(SHORT), group_by=(DateHistogram(SPAN),),
                            metrics=(Metric("95 % ms", "percentile", "event.duration", 95),)),
                      (15,)),
                Panel("latency-by-call", "Slow calls",
                      "Which kinds of requests take long?", "table",
                      Query(where=requests(SHORT), group_by=(VERB, RESOURCE), metrics=_SLOW,
                            order=(Order("95 % ms", descending=True),), limit=MAX_ROWS), (15,)),
            ),
        ),
        Row(
            14,
            (
                Panel("large-calls", "Largest calls",
                      "Which calls would an audit policy leave out to save room?", "table",
                      Query(group_by=(VERB, RESOURCE, Terms("level")), metrics=(_EVENTS, _BYTES),
                            order=_LARGEST, limit=MAX_ROWS), (12, 13)),
                Panel("latency-by-user", "Slow users", "Whose requests take long?", "table",
                      Query(where=requests(SHORT), group_by=(USER,), metrics=_SLOW,
                            order=(Order("95 % ms", descending=True),), limit=MAX_ROWS), (15,)),
            ),
            (21, 27),
        ),
        Row(
            13,
            (
                Panel("quality", "Events that hide something",
                      "Where do hunts lack data: cut bodies, no decision, by provider and level?",
                      "table",
                      Query(where=Or((Compare("event.truncated", "=", True),
                                      Not(Present("annotations.authorization.k8s.io/decision")))),
                            group_by=(Terms("event.provider", "provider"),
                                      Terms("level", keep_missing=True),
                                      Terms("stage", keep_missing=True), VERB,
                                      Terms("target.resource", "resource", keep_missing=True)),
                            metrics=(_EVENTS,), order=(Order("events", descending=True),),
                            limit=MAX_ROWS), (48,)),
            ),
        ),
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
