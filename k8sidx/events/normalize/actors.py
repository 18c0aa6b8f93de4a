"""Who, from where, with what: user kind, source addresses, user-agent product."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

HUMAN = "human"
SERVICE_ACCOUNT = "serviceaccount"
NODE = "node"
CONTROL_PLANE = "control-plane"
ANONYMOUS = "anonymous"
UNKNOWN = "unknown"

# AKS names its platform's certificates without the system: prefix; masterclient is the
# --admin kubeconfig, so a person.
AKS_PLATFORM = frozenset(
    {"aksService", "hcpService", "readinessChecker", "aksProblemDetector", "nodeclient"}
)
WORKLOAD_CONTROLLERS = frozenset(
    {
        # With --use-service-account-credentials (kubeadm, EKS, GKE, AKS), and without.
        "system:serviceaccount:kube-system:cronjob-controller",
        "system:serviceaccount:kube-system:daemon-set-controller",
        "system:serviceaccount:kube-system:deployment-controller",
        "system:serviceaccount:kube-system:job-controller",
        "system:serviceaccount:kube-system:replicaset-controller",
        "system:serviceaccount:kube-system:replication-controller",
        "system:serviceaccount:kube-system:statefulset-controller",
        "system:kube-controller-manager",
        "system:serviceaccount:openshift-infra:deployer-controller",
        "system:serviceaccount:openshift-infra:deploymentconfig-controller",
    }
)
"""Accounts of the controllers that make pods, Jobs and ReplicaSets out of somebody's workload."""

# Tokens of browser user agents that name no product of interest.
_BROWSER = frozenset(
    {"Mozilla", "AppleWebKit", "Gecko", "Chrome", "Chromium", "Safari", "Firefox", "Version",
     "Mobile", "Edg", "Electron", "HeadlessChrome"}
)  # fmt: skip


@lru_cache(maxsize=16_384)
def user_kind(username: str) -> str:
    """What kind of account a user name belongs to (Kubernetes' reserved names).

    ``unknown`` is the empty name: a request that was refused before it was known who
    made it (401).
    """
    if not username:
        return UNKNOWN
    if username in ("system:anonymous", "system:unauthenticated"):
        return ANONYMOUS
    if username.startswith("system:serviceaccount:") or username.endswith(".gserviceaccount.com"):
        return SERVICE_ACCOUNT
    if username.startswith("system:node:"):
        return NODE
    if username.startswith(("system:", "eks:", "aks:")) or username in AKS_PLATFORM:
        return CONTROL_PLANE
    return HUMAN


@lru_cache(maxsize=16_384)
def address(text: str) -> str | None:
    """The address in its usual writing, or ``None`` when the text is none.

    IPv4 in IPv6 (``::ffff:192.0.2.1``) becomes IPv4; zones (``%eth0``) are dropped.
    """
    try:
        found = ipaddress.ip_address(text.strip().split("%", 1)[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


@lru_cache(maxsize=16_384)
def product(user_agent: str) -> tuple[str, str]:
    """Name and version of the product in a User-Agent header (RFC 9110 section 10.1.5).

    For browsers it is the application inside: ``OpenLens`` rather than ``Mozilla``.
    """
    tokens = _tokens(user_agent)
    if not tokens:
        return user_agent.strip(), ""
    if tokens[0][0] in _BROWSER:
        for name, version in tokens:
            if name not in _BROWSER:
                return name, version
    return tokens[0]


def _tokens(user_agent: str) -> list[tuple[str, str]]:
    outside: list[str] = []
    depth = 0
    for part in user_agent.replace("(", " ( ").replace(")", " ) ").split():
        if part == "(":
            depth += 1
        elif part == ")":
            depth = max(0, depth - 1)
        elif not depth:
            outside.append(part)
    return [
        (name, version.split("/", 1)[0])
        for name, _, version in (part.partition("/") for part in outside)
        if name
    ]
