"""Kubernetes' account names: kinds of users and the platform's own accounts."""

from __future__ import annotations

import re
from functools import lru_cache

HUMAN = "human"


SERVICE_ACCOUNT = "serviceaccount"


NODE = "node"


CONTROL_PLANE = "control-plane"


ANONYMOUS = "anonymous"


UNKNOWN = "unknown"


KINDS = (HUMAN, SERVICE_ACCOUNT, NODE, CONTROL_PLANE, ANONYMOUS, UNKNOWN)
"""All kinds of accounts."""

ANONYMOUS_NAMES = ("system:anonymous", "system:unauthenticated")
SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"
GOOGLE_SERVICE_ACCOUNT_SUFFIX = ".gserviceaccount.com"
NODE_PREFIX = "system:node:"
CONTROL_PLANE_PREFIXES = ("system:", "eks:", "aks:")


# AKS, GKE, K3s and RKE2 name certificates of their platforms without the system: prefix;
# masterclient is the --admin kubeconfig, so a person.
UNPREFIXED_PLATFORM = frozenset(
    {
        "aksProblemDetector",
        "aksService",
        "hcpService",
        "k3s-cloud-controller-manager",
        "kubelet-bootstrap",
        "kubelet-nodepool-bootstrap",
        "nodeclient",
        "readinessChecker",
        "rke2-cloud-controller-manager",
    }
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


@lru_cache(maxsize=16_384)
def user_kind(username: str) -> str:
    """Return the kind of account that a user name belongs to (Kubernetes' reserved names).

    ``unknown`` is the empty name: a request that was refused before its user was authenticated
    (401).
    """
    if not username:
        return UNKNOWN
    if username in ANONYMOUS_NAMES:
        return ANONYMOUS
    if username.startswith(SERVICE_ACCOUNT_PREFIX) or username.endswith(
        GOOGLE_SERVICE_ACCOUNT_SUFFIX
    ):
        return SERVICE_ACCOUNT
    if username.startswith(NODE_PREFIX):
        return NODE
    if username.startswith(CONTROL_PLANE_PREFIXES) or username in UNPREFIXED_PLATFORM:
        return CONTROL_PLANE
    return HUMAN


_NAMED = re.compile(
    rf"{SERVICE_ACCOUNT_PREFIX}(?P<namespace>[a-z0-9-]+):(?P<account>[a-z0-9.-]+)"
    rf"|{NODE_PREFIX}(?P<node>[a-z0-9.-]+)"
)
"""User names of service accounts and nodes, whose own names are DNS names."""


@lru_cache(maxsize=16_384)
def split_name(username: str) -> tuple[str, str]:
    """Return the namespace of a user's service account, empty for other users, and the user's
    name without the prefix of its kind.

    Only the names that Kubernetes itself makes are split; any other is returned whole.
    """
    named = _NAMED.fullmatch(username)
    if named is None:
        return "", username
    return named["namespace"] or "", named["account"] or named["node"]
