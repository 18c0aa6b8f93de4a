"""Identity dashboard: users, user agents and addresses, and new ones among them."""

from __future__ import annotations

from k8sidx.query.algebra import (
    And,
    Compare,
    DateHistogram,
    InNetwork,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Terms,
)
from k8sidx.show.panels.conditions import ANSWERED, PEOPLE, WRITTEN, for_resources, requests
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Panel, Row
from k8sidx.show.panels.shared import (
    ACCOUNT,
    CODE,
    CONTROLS,
    FIRST,
    MAX_ROWS,
    NAME,
    RESOURCE,
    USER,
    VERB,
    WHO,
    table,
    top,
)

PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10",
    "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
"""Addresses that public networks do not route (RFC 1918, 6598, 3927, 4193, 4291)."""

_NEWEST = (Order("first seen", descending=True),)
_AGENT = Terms("userAgent", "user agent")
_IP = Terms("source.ip", "address")
_KUBECTL = OneOf("user_agent.name", ("kubectl", "curl", "python-requests", "Wget", "helm", "k9s"))


def _new(*keys: Terms) -> Query:
    return Query(
        where=ANSWERED, group_by=keys, metrics=(FIRST, COUNT), order=_NEWEST, limit=MAX_ROWS
    )


IDENTITY = Dashboard(
    "identity",
    "Kubernetes audit: identity and source",
    "Who asks, with what and from where, who is new, and who acts as somebody else.",
    (
        Row(
            14,
            (
                Panel("new-users", "Newest users", "Who was first seen last?", "table",
                      _new(*WHO), (20,)),
                Panel("new-ips", "Newest addresses", "Which address was first seen last?",
                      "table", _new(_IP), (20,)),
            ),
            (28, 20),
        ),
        Row(
            13,
            (
                Panel("kinds-over-time", "Requests over time by kind of user",
                      "When do people work, and when only the cluster?", "timeline",
                      Query(where=ANSWERED,
                            group_by=(DateHistogram(SPAN), Terms("user.kind", "kind")),
                            metrics=(COUNT,)), (16,)),
            ),
        ),
        Row(
            13,
            (
                Panel("impersonation", "Impersonation", "Who acts as whom?", "table",
                      table(requests(Present("impersonatedUser.username")),
                            Terms("user.username", "through"), USER, VERB, RESOURCE), (22,)),
            ),
        ),
        Row(
            14,
            (
                Panel("accounts-by-hand", "Service accounts used by hand",
                      "Which service account's token is used with kubectl, curl or the like?",
                      "table",
                      table(requests(Compare("user.kind", "=", "serviceaccount"), _KUBECTL),
                            *ACCOUNT, Terms("user_agent.name", "client"), _IP), (21,)),
                Panel("top-agents", "Busiest user agents", "With which clients?", "bars",
                      top(ANSWERED, _AGENT), (17,)),
            ),
            (32, 16),
        ),
        Row(
            14,
            (
                Panel("public-ips", "From public addresses",
                      "Who comes from outside private networks?", "table",
                      table(And((ANSWERED, Present("source.ip"),
                                 Not(InNetwork("source.ip", PRIVATE)))), _IP, USER), (19, 21)),
                Panel("new-agents", "Newest user agents", "Which client was first seen last?",
                      "table", _new(_AGENT), (20,)),
            ),
            (28, 20),
        ),
        Row(
            14,
            (
                Panel("agent-by-user", "User agents of people",
                      "Which person uses which client?", "table",
                      table(requests(PEOPLE), _AGENT, USER), (17,)),
                Panel("top-people", "Busiest people",
                      "Who asks most, besides the cluster's own components?", "table",
                      top(requests(PEOPLE), *WHO, limit=MAX_ROWS), (16,)),
            ),
            (29, 19),
        ),
        Row(
            14,
            (
                Panel("ip-by-user", "Addresses of people",
                      "From where does which person come?", "table",
                      table(requests(PEOPLE), _IP, USER), (18,)),
                Panel("top-users", "Busiest users", "Who asks most?", "table",
                      top(ANSWERED, *WHO, limit=MAX_ROWS), (16,)),
            ),
            (29, 19),
        ),
        Row(
            14,
            (
                Panel("forwarded", "Claimed and seen addresses differ",
                      "Who comes through a proxy, or claims to?", "table",
                      table(requests(Compare("source.forwarded", "=", True)),
                            Terms("source.claimed_ip", "claimed"),
                            Terms("source.ip", "seen"), USER), (18,)),
                Panel("top-ips", "Busiest addresses", "From where?", "bars",
                      top(ANSWERED, _IP), (18,)),
            ),
            (32, 16),
        ),
        Row(
            14,
            (
                Panel("credentials", "Tokens and certificates",
                      "Who asks for tokens and certificates, and who approves them?", "table",
                      table(requests(Or((for_resources("serviceaccounts/token"),
                                         Compare("objectRef.resource", "=",
                                                 "certificatesigningrequests"))),
                                     OneOf("verb", ("create", "update", "patch"))),
                            USER, VERB, RESOURCE, NAME, CODE), (23,)),
            ),
        ),
        Row(
            14,
            (
                Panel("nodes", "Nodes registered and changed",
                      "Who registers and changes nodes: kubelets, or somebody else?", "table",
                      table(requests(for_resources("nodes", "nodes/status"), WRITTEN),
                            USER, VERB, RESOURCE, NAME, CODE), (23,)),
            ),
        ),
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
