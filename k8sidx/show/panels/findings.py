"""Findings dashboard: the findings that ``hunt --save`` stores."""

from __future__ import annotations

from dataclasses import replace

from k8sidx.query.algebra import Compare, DateHistogram, Metric, OneOf, Order, Query, Terms
from k8sidx.show.panels.panel import SPAN, Control, Dashboard, Events, Panel, Row
from k8sidx.show.panels.shared import LAST, MAX_ROWS

_COUNT = Metric("findings", "count")
_MOST_FIRST = (Order("findings", descending=True),)
_LEVEL = Terms("rule.level", "level")
_HUNT = Terms("rule.id", "hunt")
_ACTOR = Terms("finding.actor", "actor", keep_missing=True)
_AS = Terms("user.effective.name", "as", keep_missing=True)
_URGENT = OneOf("rule.level", ("high", "critical"))

_STREAM = Events(
    "findings-stream",
    "Findings",
    "What was found, newest first?",
    Query(
        select=(
            "@timestamp", "rule.level", "message", "rule.id", "orchestrator.cluster.name",
            "finding.count", "finding.query",
        ),
        order=(Order("@timestamp", descending=True),),
        limit=500,
    ),
)  # fmt: skip

_URGENT_STREAM = Events(
    "findings-urgent-stream",
    "High and critical findings",
    "What has to be looked at first? Each leads to its events and to the text of its hunt.",
    replace(_STREAM.query, where=_URGENT),
    (47,),
)


def _top(*keys: Terms) -> Query:
    return Query(group_by=keys, metrics=(LAST, _COUNT), order=_MOST_FIRST, limit=MAX_ROWS)


FINDINGS = Dashboard(
    "findings",
    "Kubernetes audit: findings",
    "What the hunts found and k8sidx hunt --save kept: what to look at first.",
    (
        Row(
            7,
            (
                Panel("findings-critical-total", "Critical", "How many findings are critical?",
                      "number",
                      Query(where=Compare("rule.level", "=", "critical"),
                            metrics=(Metric("critical", "count"),))),
                Panel("findings-high-total", "High", "How many are high?", "number",
                      Query(where=Compare("rule.level", "=", "high"),
                            metrics=(Metric("high", "count"),))),
                Panel("findings-users", "Users concerned", "How many identities?", "number",
                      Query(metrics=(Metric("users", "count_distinct", "user.effective.name"),))),
                Panel("findings-total", "Findings", "How many findings are there?", "number",
                      Query(metrics=(_COUNT,))),
            ),
        ),
        Row(16, (_URGENT_STREAM,)),
        Row(
            13,
            (
                Panel("findings-over-time", "Findings over time by level",
                      "When did something happen?", "timeline",
                      Query(group_by=(DateHistogram(SPAN), _LEVEL), metrics=(_COUNT,))),
                Panel("tactics", "ATT&CK tactics over time",
                      "How does an intrusion move through the tactics?", "heatmap",
                      Query(group_by=(DateHistogram(SPAN), Terms("threat.tactic.name", "tactic")),
                            metrics=(_COUNT,)), (47,)),
            ),
        ),
        Row(
            14,
            (
                Panel("findings-critical", "Users with urgent findings",
                      "Whom to look at first?", "table",
                      Query(where=_URGENT, group_by=(_ACTOR, _AS, _HUNT),
                            metrics=(LAST, _COUNT), order=_MOST_FIRST, limit=MAX_ROWS)),
            ),
        ),
        Row(
            14,
            (
                Panel("findings-by-hunt", "By hunt", "Which hunts find most?", "table",
                      _top(_HUNT, _LEVEL), (47,)),
                Panel("techniques", "ATT&CK techniques", "Which techniques are seen?", "table",
                      _top(Terms("threat.technique.id", "technique")), (47,)),
                Panel("findings-by-level", "By level", "How urgent are the findings?", "pie",
                      Query(group_by=(_LEVEL,), metrics=(_COUNT,), order=_MOST_FIRST, limit=5),
                      (47,)),
            ),
            (20, 16, 12),
        ),
        Row(
            14,
            (
                Panel("findings-by-user", "By user", "Who is behind most findings?", "table",
                      _top(_ACTOR, _AS, _LEVEL)),
            ),
        ),
        Row(
            14,
            (
                Panel("findings-by-address", "By address", "From where?", "table",
                      _top(Terms("source.ip", "address"), _ACTOR, _AS)),
            ),
        ),
        Row(24, (_STREAM,)),
    ),
    (
        Control("orchestrator.cluster.name", "Cluster"),
        Control("rule.level", "Level"),
        Control("rule.id", "Hunt"),
        Control("finding.actor", "Actor"),
        Control("user.effective.name", "User"),
        Control("threat.tactic.name", "Tactic"),
        Control("objectRef.namespace", "Namespace"),
    ),
    findings=True,
)  # fmt: skip
