"""Denied requests dashboard: refused and unauthenticated requests, and scanning."""

from __future__ import annotations

from k8sidx.query.algebra import (
    And,
    Compare,
    DateHistogram,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Query,
    Terms,
)
from k8sidx.show.panels.conditions import FAILED, REFUSED, UNAUTHENTICATED, requests
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Panel, Row
from k8sidx.show.panels.shared import (
    CODE,
    CONTROLS,
    LAST,
    MAX_ROWS,
    NAMESPACE,
    RESOURCE,
    USER,
    VERB,
    WHO,
    table,
    top,
)

_FORBIDDEN = And((REFUSED, Not(UNAUTHENTICATED)))
_UNKNOWN = Or((Compare("user.kind", "=", "anonymous"), UNAUTHENTICATED))
_REVIEWS = OneOf(
    "objectRef.resource",
    ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"),
)
_WIDE = (
    Metric("resources", "count_distinct", "target.resource"),
    Metric("namespaces", "count_distinct", "objectRef.namespace"),
    LAST,
    COUNT,
)
_WIDEST = (Order("resources", descending=True), Order("requests", descending=True))
_SOURCE = Terms("source.ip", "address")

DENIED = Dashboard(
    "denied",
    "Kubernetes audit: denied and unauthenticated",
    "Who is refused what and why, who comes without credentials, and who looks around.",
    (
        Row(
            7,
            (
                Panel("denied-total", "Denied", "How many did the authorizer refuse?", "number",
                      Query(where=requests(_FORBIDDEN), metrics=(Metric("denied", "count"),)),
                      (24,)),
                Panel("unauthenticated-total", "Without valid credentials",
                      "How many came anonymously or with bad credentials?", "number",
                      Query(where=requests(_UNKNOWN), metrics=(Metric("requests", "count"),)),
                      (29,)),
                Panel("denied-users", "Users denied", "How many identities were refused?", "number",
                      Query(where=requests(_FORBIDDEN),
                            metrics=(Metric("users", "count_distinct", "user.effective.name"),)),
                      (24,)),
                Panel("denied-addresses", "Addresses denied", "From how many addresses?", "number",
                      Query(where=requests(_FORBIDDEN),
                            metrics=(Metric("addresses", "count_distinct", "source.ip"),)),
                      (24,)),
            ),
        ),
        Row(
            13,
            (
                Panel("failures-over-time", "Failures over time by user",
                      "When did whose requests fail?", "timeline",
                      Query(where=requests(FAILED),
                            group_by=(DateHistogram(SPAN), USER), metrics=(COUNT,)), (28,)),
            ),
        ),
        Row(
            15,
            (
                Panel("forbidden", "Forbidden, who and what",
                      "Who is refused which call where?", "table",
                      table(requests(_FORBIDDEN), USER, VERB, RESOURCE, NAMESPACE), (25,)),
            ),
        ),
        Row(
            14,
            (
                Panel("scanning-users", "Wide refusals by user",
                      "Whose refused requests touch many resources?", "table",
                      Query(where=requests(_FORBIDDEN), group_by=(USER,), metrics=_WIDE,
                            order=_WIDEST, limit=MAX_ROWS), (30,)),
                Panel("scanning-ips", "Wide refusals by address",
                      "From where do refused requests touch many resources?", "table",
                      Query(where=requests(_FORBIDDEN), group_by=(_SOURCE,), metrics=_WIDE,
                            order=_WIDEST, limit=MAX_ROWS), (30,)),
            ),
            (28, 20),
        ),
        Row(
            14,
            (
                Panel("forbidden-by-user", "Forbidden by user", "Who is refused most?", "table",
                      top(requests(_FORBIDDEN), *WHO, limit=MAX_ROWS), (24,)),
                Panel("failures-by-verb", "Failures by verb", "What fails?", "bars",
                      top(requests(FAILED), VERB), (27,)),
                Panel("failures-by-resource", "Failures by resource", "On what?", "bars",
                      top(requests(FAILED), RESOURCE), (27,)),
            ),
            (20, 14, 14),
        ),
        Row(
            14,
            (
                Panel("anonymous", "Without credentials",
                      "Who comes anonymously or with bad credentials, and what do they get?",
                      "table",
                      table(requests(_UNKNOWN), _SOURCE,
                            Terms("userAgent", "user agent", keep_missing=True), CODE), (29,)),
                Panel("anonymous-paths", "Without credentials, the paths",
                      "What do they ask for?", "table",
                      table(requests(_UNKNOWN), Terms("requestURI", "URI"), CODE), (29,)),
            ),
        ),
        Row(
            14,
            (
                Panel("failures-by-reason", "Failures by reason",
                      "Why do requests fail, and where?", "table",
                      table(requests(FAILED),
                            Terms("responseStatus.reason", "reason", keep_missing=True), CODE,
                            NAMESPACE), (26,)),
                Panel("failed-uris", "Failed URIs", "Which requests fail most?", "table",
                      table(requests(FAILED), Terms("requestURI", "URI"), CODE), (27,)),
            ),
        ),
        Row(
            13,
            (
                Panel("reviews", "Questions about own permissions over time",
                      "Who asks what they may do?", "timeline",
                      Query(where=requests(_REVIEWS), group_by=(DateHistogram(SPAN), USER),
                            metrics=(COUNT,)), (31,)),
            ),
        ),
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
