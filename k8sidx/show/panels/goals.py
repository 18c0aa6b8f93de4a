"""Goals of dashboards: the union of the panels of every published Kubernetes audit dashboard
that we found, numbered. Panels name the goals that they meet."""

from __future__ import annotations

GOALS: dict[int, str] = {
    1: "events over time by outcome",
    2: "requests, failures, denials, anonymous requests, users: the numbers",
    3: "by verb",
    4: "by resource",
    5: "by namespace",
    6: "by the authorizer's decision",
    7: "by stage, by audit level",
    8: "status codes, and over time",
    9: "the event stream",
    10: "controls to filter by user, verb, resource, namespace, code; platform identities off",
    11: "events over time by cluster",
    12: "bytes over time by cluster",
    13: "largest talkers by volume",
    14: "clusters that report, or went silent",
    15: "latency by user, verb, resource; slow requests",
    16: "busiest users, people apart",
    17: "user agents, and by user",
    18: "addresses, and by user",
    19: "requests from elsewhere, by place",
    20: "first seen user agents, addresses, users",
    21: "service accounts from outside or used by hand",
    22: "impersonation",
    23: "tokens, certificate requests, approvals, nodes that join",
    24: "forbidden by user",
    25: "forbidden by user, verb, resource, namespace",
    26: "failures by reason",
    27: "failures by verb, resource, URI",
    28: "failures over time by user",
    29: "anonymous and unauthenticated requests",
    30: "scanning: refusals over many resources",
    31: "questions about own permissions",
    32: "secret reads over time",
    33: "secret reads by user and namespace",
    34: "secrets and configuration changed",
    35: "exec, attach, port-forward: over time, by user, commands",
    36: "pods made, over time and by namespace",
    37: "privileged pods, host namespaces, host paths, capabilities",
    38: "ephemeral containers, pods in system namespaces, new images",
    39: "workloads changed",
    40: "services and ways in that face outwards, without TLS",
    41: "deletions",
    42: "RBAC changes over time and by user",
    43: "cluster-admin and wildcard grants with their subjects",
    44: "admission webhooks and API extensions changed",
    45: "use of the API server's proxies",
    46: "Pod Security violations",
    47: "findings by ATT&CK tactic and hunt",
    48: "quality of the log: truncated, undecided, by provider",
}

BY_CONTROLS = 10
"""Met by each dashboard's controls and its filter for platform identities, not by a panel."""

NOTES = {
    19: "public addresses; places need an address database, which k8sidx does not bring",
}
"""Goals that are met in another way than they state."""
