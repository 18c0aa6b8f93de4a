"""Identities of Rancher, K3s and RKE2.

Sources: the certificates that K3s and RKE2 issue (docs.k3s.io/cli/certificate,
docs.rke2.io/security/certificates) and Rancher's architecture guide. The supervisor runs in the
server's own process, so that it acts from the API server's own machine; agents share the
certificate of a controller for the network's annotations.
"""

from __future__ import annotations

from k8sidx.generate.platforms.model import (
    MASTERS,
    Identity,
    elects,
    every_hour,
    program,
    reflects,
)
from k8sidx.generate.step import ask

SERVER = "k3s/v1.33.5+k3s1 (linux/amd64) kubernetes/a4ef1a6"
RKE2 = "rke2/v1.33.5+rke2r1 (linux/amd64) kubernetes/a4ef1a6"
LOCAL = "127.0.0.1"

K3S = (
    Identity(
        "system:k3s-supervisor",
        SERVER,
        LOCAL,
        [*reflects("nodes", "secrets", "configmaps", "services", "endpointslices"),
         *every_hour(6, ask("update", "secrets", "k3s-serving", namespace="kube-system"),
                     ask("patch", "nodes", "node-1"),
                     ask("get", "secrets", "node-1.node-password.k3s", namespace="kube-system")),
         *every_hour(2, ask("patch", "deployments", "coredns", namespace="kube-system"),
                     ask("patch", "clusterroles", "system:coredns"),
                     ask("patch", "configmaps", "coredns", namespace="kube-system"))],
        groups=MASTERS,
    ),
    Identity(
        "system:k3s-controller", SERVER, "10.0.1.12",
        [*reflects("nodes", "endpointslices", "networkpolicies"),
         *every_hour(6, ask("patch", "nodes", "node-2", subresource="status"))],
        groups=(),
    ),
    Identity(
        "k3s-cloud-controller-manager", SERVER, LOCAL,
        [*reflects("nodes", "services"), *elects("k3s-cloud-controller-manager"),
         *every_hour(6, ask("patch", "nodes", "node-2", subresource="status"),
                     ask("patch", "daemonsets", "svclb-traefik", namespace="kube-system"))],
        groups=(),
    ),
    Identity(
        "system:serviceaccount:kube-system:helm-traefik", "Helm/3.18.3", "10.42.0.7",
        every_hour(2, ask("list", "secrets", namespace="kube-system",
                          query=[("labelSelector", "name=traefik,owner=helm")]),
                   ask("patch", "clusterroles", "traefik-kube-system"),
                   ask("patch", "deployments", "traefik", namespace="kube-system")),
    ),
    Identity(
        "system:serviceaccount:kube-system:local-path-provisioner-service-account",
        program("local-path-provisioner"), "10.42.0.8", reflects("persistentvolumes", "nodes"),
    ),
)  # fmt: skip
"""The requests of an ordinary hour of K3s."""

IDENTITIES = (
    Identity(
        "system:rke2-supervisor", RKE2, LOCAL,
        [*reflects("nodes", "secrets", "configmaps"),
         *every_hour(6, ask("update", "secrets", "rke2-serving", namespace="kube-system"))],
        groups=MASTERS,
    ),
    Identity(
        "system:rke2-controller", RKE2, "10.0.1.12",
        [*reflects("nodes", "pods", "endpointslices")], groups=(),
    ),
    Identity(
        "rke2-cloud-controller-manager", "rke2-cloud-controller-manager/v1.33.5 (linux/amd64)",
        "10.0.1.10",
        [*reflects("nodes", "services"), *elects("rke2-cloud-controller-manager"),
         *every_hour(6, ask("patch", "nodes", "node-2", subresource="status"))],
        groups=(),
    ),
    Identity(
        "system:serviceaccount:cattle-system:cattle", "Go-http-client/2.0", "10.42.0.9",
        [*reflects("roles", "rolebindings", "clusterroles", "clusterrolebindings", "secrets",
                   "namespaces", "nodes", "pods", "serviceaccounts"),
         *every_hour(6, ask("update", "secrets", "cattle-credentials", namespace="cattle-system"),
                     ask("update", "clusterroles", "project-namespaces-readonly"),
                     ask("update", "rolebindings", "rb-u7x2k", namespace="shop"))],
    ),
    Identity(
        "system:serviceaccount:cattle-fleet-system:fleet-agent", program("fleetagent"),
        "10.42.0.10",
        [*reflects("secrets", "configmaps", "deployments"),
         *every_hour(4, ask("list", "secrets", namespace="cattle-fleet-system",
                            query=[("labelSelector", "name=fleet-agent,owner=helm")]))],
    ),
    Identity(
        "system:serviceaccount:cattle-system:rancher-webhook-sudo", program("webhook"),
        "10.42.0.11",
        [*reflects("secrets", "namespaces"),
         *every_hour(4, ask("update", "validatingwebhookconfigurations", "rancher.cattle.io"))],
    ),
)  # fmt: skip
"""The requests of an ordinary hour of Rancher on RKE2."""
