"""Overview dashboard: denials, failures, findings and new entrants, then what explains them."""

from __future__ import annotations

from k8sidx.query.algebra import Compare, DateHistogram, Metric, OneOf, Order, Query, Terms
from k8sidx.show.panels.conditions import ANSWERED, FAILED, REFUSED, requests
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Events, Panel, Row
from k8sidx.show.panels.shared import (
    BUSY,
    CONTROLS,
    FIRST,
    MAX_ROWS,
    NAMESPACE,
    RESOURCE,
    USER,
    VERB,
    WHO,
    table,
    top,
)

EVENTS = Events(
    "events",
    "Events",
    "What happened exactly? Every other panel's filters apply.",
    Query(
        select=(
            "@timestamp", "message", "user.effective.name", "objectRef.namespace", "source.ip",
            "user_agent.name",
        ),
        order=(Order("@timestamp", descending=True),),
        limit=500,
    ),
    goals=(9,),
)  # fmt: skip
"""Event stream at the end of every dashboard: a click on a value filters it."""

DENIED = REFUSED
ANONYMOUS = Compare("user.kind", "=", "anonymous")
_FINDINGS = Metric("findings", "count")
_URGENT = OneOf("rule.level", ("high", "critical"))


def _newest(*keys: Terms) -> Query:
    return Query(
        where=ANSWERED,
        group_by=keys,
        metrics=(FIRST, COUNT),
        order=(Order("first seen", descending=True),),
        limit=MAX_ROWS,
    )


OVERVIEW = Dashboard(
    "overview",
    "Kubernetes audit: overview",
    "What was denied, what failed, what the hunts found and who is new; then what explains it.",
    (
        Row(
            7,
            (
                Panel("requests-denied", "Denied", "How many did the authorizer refuse?", "number",
                      Query(where=requests(DENIED), metrics=(Metric("denied", "count"),)), (2,)),
                Panel("requests-failed", "Failed", "How many of them failed?", "number",
                      Query(where=requests(FAILED), metrics=(Metric("failed", "count"),)), (2,)),
                Panel("requests-anonymous", "Anonymous", "How many came without credentials?",
                      "number",
                      Query(where=requests(ANONYMOUS), metrics=(Metric("anonymous", "count"),)),
                      (2,)),
                Panel("overview-urgent", "High and critical findings",
                      "How many saved findings are urgent?", "number",
                      Query(where=_URGENT, metrics=(Metric("urgent", "count"),)), (47,),
                      findings=True),
                Panel("requests-users", "Users", "How many different identities asked?", "number",
                      Query(where=ANSWERED,
                            metrics=(Metric("users", "count_distinct", "user.effective.name"),)),
                      (2,)),
                Panel("requests-total", "Requests", "How many requests were there?", "number",
                      Query(where=ANSWERED, metrics=(COUNT,)), (2,)),
            ),
        ),
        Row(
            13,
            (
                Panel("outcome-over-time", "Requests over time by outcome",
                      "When was the cluster busy, and when did requests fail?", "timeline",
                      Query(where=ANSWERED, group_by=(DateHistogram(SPAN),
                            Terms("event.outcome", "outcome")), metrics=(COUNT,)), (1, 2)),
                Panel("overview-findings", "Findings over time by level",
                      "When did the hunts find something, and how urgent is it?", "timeline",
                      Query(group_by=(DateHistogram(SPAN), Terms("rule.level", "level")),
                            metrics=(_FINDINGS,)), (47,), findings=True),
            ),
        ),
        Row(
            13,
            (
                Panel("overview-denied", "Denied, who and what",
                      "Who is refused which call?", "table",
                      table(requests(DENIED), USER, VERB, RESOURCE, NAMESPACE), (25,)),
            ),
        ),
        Row(
            13,
            (
                Panel("overview-new-users", "Newest users", "Who was first seen last?", "table",
                      _newest(*WHO), (20,)),
                Panel("overview-hunts", "Findings by hunt", "Which hunts found something?",
                      "table",
                      Query(group_by=(Terms("rule.level", "level"), Terms("rule.id", "hunt")),
                            metrics=(_FINDINGS,), order=(Order("findings", descending=True),),
                            limit=MAX_ROWS), (47,), findings=True),
            ),
            (32, 16),
        ),
        Row(
            13,
            (
                Panel("overview-new-addresses", "Newest addresses",
                      "From where did somebody come for the first time?", "table",
                      _newest(Terms("source.ip", "address"), USER), (20,)),
                Panel("by-code", "By status code", "How does the API server answer?", "bars",
                      top(ANSWERED, Terms("responseStatus.code", "code")), (8,)),
            ),
            (32, 16),
        ),
        Row(
            13,
            (
                Panel("code-over-time", "Status codes over time",
                      "When did the answers change?", "timeline",
                      Query(where=ANSWERED, group_by=(DateHistogram(SPAN),
                            Terms("responseStatus.code", "code")), metrics=(COUNT,)), (8,)),
            ),
        ),
        Row(
            13,
            (
                Panel("by-verb", "By verb", "What is done most?", "bars",
                      top(ANSWERED, VERB), (3,)),
                Panel("by-resource", "By resource", "To which kinds of objects?", "bars",
                      top(ANSWERED, Terms("target.resource", "resource", keep_missing=True)),
                      (4,)),
                Panel("by-namespace", "By namespace", "Where?", "bars",
                      top(ANSWERED, NAMESPACE), (5,)),
            ),
        ),
        Row(
            14,
            (
                Panel("top-users-overview", "Busiest users", "Who asks most?", "table",
                      top(ANSWERED, *WHO, limit=MAX_ROWS), (16,)),
                Panel("top-targets-overview", "Busiest calls",
                      "Which calls make up the log?", "table",
                      Query(where=ANSWERED,
                            group_by=(VERB, Terms("target.resource", "resource",
                                                  keep_missing=True)),
                            metrics=(COUNT,), order=BUSY, limit=MAX_ROWS), (3, 4)),
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
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
