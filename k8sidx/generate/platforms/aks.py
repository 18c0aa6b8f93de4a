"""Identities of Azure AKS.

Sources: learn.microsoft.com/azure/aks/monitor-aks-reference, the queries of Azure Monitor for
containers, and audit events that were published. Components of the managed control plane act from
an underlay that the cluster does not have (172.31.0.0/16). Nodes and pods reach a public API
server through the cluster's load balancer, so all of them have its one public address.
"""

from __future__ import annotations

from k8sidx.generate.platforms.model import (
    MASTERS,
    Identity,
    Routine,
    elects,
    every_hour,
    program,
    reflects,
)
from k8sidx.generate.step import ask

UNDERLAY = "172.31.51.172"
EGRESS = "52.152.245.238"
KUBELET = "kubelet/v1.33.5 (linux/amd64) kubernetes/a4ef1a6"
ADDON = "system:serviceaccount:kube-system:"
NODES = tuple(f"system:node:aks-nodepool1-35907486-vmss00000{n}" for n in range(3))


def _node(name: str) -> Identity:
    own = name.removeprefix("system:node:")
    return Identity(
        name,
        KUBELET,
        EGRESS,
        [
            *elects(own, "kube-node-lease"),
            *every_hour(12, ask("patch", "nodes", own, subresource="status")),
            *every_hour(4, ask("get", "configmaps", "coredns", namespace="kube-system"),
                        ask("create", "serviceaccounts", "coredns", namespace="kube-system",
                            subresource="token")),
            *every_hour(2, ask("create", "subjectaccessreviews", namespace="")),
        ],
    )  # fmt: skip


def _tunnel_probe() -> list[Routine]:
    probe = ask(
        "create",
        "pods",
        "konnectivity-agent-7d9f-abcde",
        namespace="kube-system",
        subresource="exec",
        code=101,
        query=[("command", "ls"), ("container", "konnectivity-agent"), ("stdout", "true")],
    )
    return every_hour(2, probe)


IDENTITIES = (
    Identity(
        "aksService",
        program("approver"),
        UNDERLAY,
        [
            *elects("kubelet-serving-csr-approver"),
            *reflects("certificatesigningrequests", "nodes"),
            *every_hour(2, ask("update", "certificatesigningrequests", "csr-6plsz",
                               subresource="approval")),
        ],
        groups=MASTERS,
    ),
    Identity(
        "aksService",
        program("addon-manager"),
        UNDERLAY,
        every_hour(
            6,
            ask("patch", "daemonsets", "azure-ip-masq-agent", namespace="kube-system",
                body={"spec": {"template": {"spec": {"hostNetwork": True, "containers": [
                    {"name": "agent", "image": "mcr.microsoft.com/aks/ip-masq-agent-v2:v0.1",
                     "securityContext": {"privileged": True}}]}}}}),
            ask("patch", "clusterrolebindings", "azure-cloud-node-manager"),
            ask("get", "configmaps", "coredns-custom", namespace="kube-system"),
        ),
        groups=MASTERS,
    ),
    Identity(
        "hcpService", program("overlaymgr"), UNDERLAY,
        [*reflects("nodes", "pods"), *elects("overlaymgr")], groups=MASTERS,
    ),
    Identity(
        "aksProblemDetector", program("aks-problem-detector"), UNDERLAY,
        [*reflects("nodes"), *_tunnel_probe()], groups=MASTERS,
    ),
    Identity(
        "readinessChecker", "Go-http-client/1.1", UNDERLAY,
        every_hour(60, ask("get", "", path="/readyz")), groups=MASTERS,
    ),
    *map(_node, NODES),
    Identity(
        "nodeclient", KUBELET, EGRESS,
        every_hour(1, ask("create", "certificatesigningrequests")), groups=("system:nodes",),
    ),
    Identity(
        f"{ADDON}cloud-node-manager", program("azure-cloud-node-manager"), EGRESS,
        [*reflects("nodes"),
         *every_hour(12, ask("patch", "nodes", NODES[0][12:], subresource="status"))],
    ),
    Identity(
        f"{ADDON}csi-azuredisk-node-sa", program("azurediskplugin"), EGRESS,
        every_hour(6, ask("get", "nodes", NODES[0][12:])),
    ),
    Identity(
        f"{ADDON}csi-azurefile-node-sa", program("azurefileplugin"), EGRESS,
        every_hour(3, ask("get", "secrets", "azure-storage-account-shop-secret",
                          namespace="shop"), ask("list", "nodes")),
    ),
    Identity(
        f"{ADDON}ama-logs", program("fluentd"), EGRESS,
        [*every_hour(12, ask("list", "pods", namespace=""), ask("list", "nodes"),
                     ask("list", "deployments", namespace=""))],
    ),
    Identity(
        f"{ADDON}ama-metrics-serviceaccount", program("targetallocator"), EGRESS,
        [*reflects("pods", "services", "secrets"),
         *every_hour(6, ask("get", "nodes", NODES[1][12:], subresource="proxy",
                            path=f"/api/v1/nodes/{NODES[1][12:]}/proxy/metrics/cadvisor"))],
    ),
    Identity(
        f"{ADDON}azure-policy", program("azurepolicyaddon"), EGRESS,
        reflects("namespaces", "pods"),
    ),
    Identity(
        f"{ADDON}konnectivity-agent", program("proxy-agent"), EGRESS,
        every_hour(12, ask("get", "nodes", NODES[2][12:])),
    ),
    Identity(
        "system:serviceaccount:gatekeeper-system:gatekeeper-admin", program("manager"), EGRESS,
        [*reflects("namespaces", "pods", "ingresses", "services"),
         *every_hour(6, ask("update", "validatingwebhookconfigurations",
                            "gatekeeper-validating-webhook-configuration"),
                     ask("update", "secrets", "gatekeeper-webhook-server-cert",
                         namespace="gatekeeper-system"))],
    ),
    Identity(
        "system:serviceaccount:shop:web", "web/v1.4.0 (linux/amd64)", EGRESS,
        every_hour(20, ask("get", "configmaps", "settings"), ask("list", "pods")),
    ),
)  # fmt: skip
"""The requests of an ordinary hour in a small cluster."""
