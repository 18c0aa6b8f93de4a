"""Control plane dashboard: changes of permissions and of the cluster itself."""

from __future__ import annotations

from k8sidx.query.algebra import Compare, DateHistogram, OneOf, Or, Present, Query, Terms
from k8sidx.show.panels.conditions import WRITTEN, requests
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import COUNT, SPAN, Dashboard, Panel, Row
from k8sidx.show.panels.shared import (
    CODE,
    CONTROLS,
    MAX_ROWS,
    NAME,
    NAMESPACE,
    RESOURCE,
    USER,
    VERB,
    WHO,
    table,
    top,
)

_RBAC = Compare("objectRef.apiGroup", "=", "rbac.authorization.k8s.io")
_ADMIN = OneOf("rbac.role", ("cluster-admin", "admin"))
_WILDCARD = Or((Compare("rbac.verbs", "=", "*"), Compare("rbac.resources", "=", "*")))
_WEBHOOKS = OneOf(
    "objectRef.resource",
    (
        "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
        "validatingadmissionpolicies", "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
    ),
)  # fmt: skip
_EXTENSIONS = OneOf("objectRef.resource", ("customresourcedefinitions", "apiservices"))
_VIOLATIONS = "annotations.pod-security.kubernetes.io/audit-violations"

CONTROL_PLANE = Dashboard(
    "control-plane",
    "Kubernetes audit: RBAC and control plane",
    "Who changes permissions, admission, nodes and the API itself.",
    (
        Row(
            13,
            (
                Panel("rbac-over-time", "RBAC changes over time",
                      "When do permissions change?", "timeline",
                      Query(where=requests(_RBAC, WRITTEN),
                            group_by=(DateHistogram(SPAN), RESOURCE), metrics=(COUNT,)), (42,)),
                Panel("rbac-by-user", "RBAC changes by user", "Who changes permissions?",
                      "table", top(requests(_RBAC, WRITTEN), *WHO, limit=MAX_ROWS), (42,)),
            ),
            (29, 19),
        ),
        Row(
            14,
            (
                Panel("admin-grants", "Administrators made",
                      "Who gives cluster-admin or admin, and to whom?", "table",
                      table(requests(_ADMIN, WRITTEN), USER, Terms("rbac.role", "role"),
                            Terms("rbac.subjects", "subject", keep_missing=True), NAMESPACE, CODE),
                      (43,)),
            ),
        ),
        Row(
            14,
            (
                Panel("wildcards", "Roles with wildcards", "Who makes roles that may all?",
                      "table",
                      table(requests(_WILDCARD, WRITTEN), USER, VERB, RESOURCE, NAME, CODE), (43,)),
            ),
        ),
        Row(
            15,
            (
                Panel("rbac-changes", "RBAC changes", "Which permissions change?", "table",
                      table(requests(_RBAC, WRITTEN), USER, VERB, RESOURCE, NAMESPACE, NAME, CODE),
                      (42,)),
            ),
        ),
        Row(
            14,
            (
                Panel("admission", "Admission changed",
                      "Who changes webhooks and admission policies?", "table",
                      table(requests(_WEBHOOKS, WRITTEN), USER, VERB, RESOURCE, NAME, CODE), (44,)),
            ),
        ),
        Row(
            14,
            (
                Panel("extensions", "API extensions changed",
                      "Who adds or removes kinds of objects and API servers?", "table",
                      table(requests(_EXTENSIONS, WRITTEN), USER, VERB, RESOURCE, NAME, CODE),
                      (44,)),
            ),
        ),
        Row(
            14,
            (
                Panel("proxies", "Through the API server's proxy",
                      "Who reaches kubelets, pods and services through the API server?", "table",
                      table(requests(Compare("objectRef.subresource", "=", "proxy")), USER, VERB,
                            RESOURCE, NAME, CODE), (45,)),
            ),
        ),
        Row(
            14,
            (
                Panel("violations", "Pod Security violations",
                      "What would Pod Security have refused?", "table",
                      table(requests(Present(_VIOLATIONS)), USER, NAMESPACE,
                            Terms(_VIOLATIONS, "violation")), (46,)),
            ),
        ),
        Row(
            13,
            (
                Panel("policies", "Pod Security levels enforced",
                      "Which level applies where?", "table",
                      table(requests(
                                Present("annotations.pod-security.kubernetes.io/enforce-policy")),
                            Terms("annotations.pod-security.kubernetes.io/enforce-policy",
                                  "policy"), NAMESPACE, CODE), (46,)),
            ),
        ),
        Row(20, (EVENTS,)),
    ),
    CONTROLS,
)  # fmt: skip
