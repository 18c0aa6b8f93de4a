"""Identities of Google GKE.

Users and their roles: the bindings of a cluster's own RBAC objects and the principals of its
Cloud Audit Logs (cloud.google.com/kubernetes-engine/docs/how-to/audit-logging). Components of the
control plane act from its internal address, the add-on manager from the API server's own machine.
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

MASTER = "172.16.0.3"
NODE, NODE_ADDRESS = "system:node:gke-prod-default-pool-1f12a5cc-w4q6", "10.128.0.11"
KUBELET = "kubelet/v1.33.5-gke.1125000 (linux/amd64) kubernetes/a4ef1a6"
ADDON = "system:serviceaccount:kube-system:"

LOGGING_AGENT = {
    "kind": "DaemonSet",
    "apiVersion": "apps/v1",
    "metadata": {"name": "fluentbit-gke", "namespace": "kube-system"},
    "spec": {
        "template": {
            "spec": {
                "hostNetwork": True,
                "containers": [{"name": "fluentbit", "image": "gke.gcr.io/fluent-bit:v1.8"}],
                "volumes": [{"name": "varlog", "hostPath": {"path": "/var/log"}}],
            }
        }
    },
}

IDENTITIES = (
    Identity(
        "system:addon-manager",
        "kubectl/v1.33.5 (linux/amd64) kubernetes/a4ef1a6",
        "::1",
        [
            *every_hour(
                6,
                ask("patch", "daemonsets", "fluentbit-gke", namespace="kube-system",
                    body=LOGGING_AGENT),
                ask("patch", "clusterroles", "system:gke-controller"),
                ask("patch", "clusterrolebindings", "system:gke-common-webhooks"),
                ask("patch", "serviceaccounts", "metadata-agent", namespace="kube-system"),
                ask("get", "configmaps", "kube-dns-autoscaler", namespace="kube-system"),
            ),
        ],
        groups=MASTERS,
    ),
    Identity(
        "system:kubestore-collector",
        program("kubestore_collector"),
        MASTER,
        [
            *elects("kubestore-collector"),
            *reflects("pods", "nodes", "namespaces", "services", "deployments", "ingresses",
                      "roles", "rolebindings", "clusterroles", "clusterrolebindings",
                      "serviceaccounts", "networkpolicies"),
            *every_hour(12, ask("update", "configmaps", "cluster-kubestore",
                                namespace="kube-system")),
        ],
        groups=(),
    ),
    Identity(
        "system:gke-master-healthcheck",
        "gke-master-healthcheck",
        "67.43.156.1",
        every_hour(60, ask("get", "", path="/readyz"), ask("get", "", path="/livez")),
        groups=(),
    ),
    Identity(
        "system:gke-common-webhooks",
        program("gke-common-webhooks"),
        MASTER,
        [*reflects("namespaces", "serviceaccounts", "validatingwebhookconfigurations"),
         *elects("gke-common-webhooks-lock")],
        groups=(),
    ),
    Identity(
        "system:clustermetrics", program("cluster-metrics"), MASTER,
        reflects("nodes", "pods", "persistentvolumes"), groups=(),
    ),
    Identity(
        "system:l7-lb-controller",
        program("glbc"),
        MASTER,
        [
            *reflects("ingresses", "services", "endpointslices", "nodes"),
            *elects("ingress-gce-lock"),
            *every_hour(4, ask("get", "secrets", "shop-tls", namespace="shop"),
                        ask("patch", "ingresses", "shop", namespace="shop",
                            subresource="status")),
        ],
        groups=(),
    ),
    Identity(
        "system:managed-certificate-controller", program("managed-certificate-controller"), MASTER,
        [*reflects("ingresses"), *elects("managed-certificate-controller")], groups=(),
    ),
    Identity(
        "system:pdcsi-controller", program("csi-attacher"), MASTER,
        [*reflects("persistentvolumes", "nodes"), *elects("pd-csi-storage-gke-io")], groups=(),
    ),
    Identity(
        "system:cluster-autoscaler",
        program("cluster-autoscaler"),
        MASTER,
        [
            *reflects("pods", "nodes", "replicasets", "daemonsets"),
            *elects("cluster-autoscaler"),
            *every_hour(12, ask("update", "configmaps", "cluster-autoscaler-status",
                                namespace="kube-system")),
            *every_hour(2, ask("create", "pods", "web-7d9f-abcde", subresource="eviction")),
            *every_hour(1, ask("delete", "nodes", "gke-prod-default-pool-1f12a5cc-tlzp")),
        ],
        groups=(),
    ),
    Identity(
        "system:vpa-recommender", "vpa-recommender/v1.33.5 (linux/amd64) kubernetes/a4ef1a6",
        MASTER, [*reflects("pods", "nodes"), *elects("vpa-recommender")], groups=(),
    ),
    Identity(
        "system:konnectivity-server", program("proxy-server"), MASTER,
        [*every_hour(20, ask("create", "tokenreviews", namespace="")),
         *elects("konnectivity-server")], groups=(),
    ),
    Identity(
        "system:gcp-controller-manager", program("gcp-controller-manager"), MASTER,
        [
            *reflects("certificatesigningrequests", "nodes", "serviceaccounts"),
            *every_hour(1, ask("update", "certificatesigningrequests", "csr-6plsz",
                               subresource="approval"),
                        ask("update", "certificatesigningrequests", "csr-6plsz",
                            subresource="status")),
        ],
        groups=(),
    ),
    Identity(
        "system:node-problem-detector", "node-problem-detector/v0.8.20", NODE_ADDRESS,
        every_hour(12, ask("patch", "nodes", NODE[12:], subresource="status")), groups=(),
    ),
    Identity(
        "system:kube-proxy", "kube-proxy/v1.33.5 (linux/amd64) kubernetes/a4ef1a6", NODE_ADDRESS,
        reflects("services", "endpointslices"), groups=(),
    ),
    Identity(
        "kubelet-nodepool-bootstrap", KUBELET, NODE_ADDRESS,
        every_hour(1, ask("create", "certificatesigningrequests")), groups=(),
    ),
    Identity(
        NODE,
        KUBELET,
        NODE_ADDRESS,
        [
            *elects(NODE[12:], "kube-node-lease"),
            *every_hour(12, ask("patch", "nodes", NODE[12:], subresource="status")),
            *every_hour(6, ask("get", "secrets", "shop-tls", namespace="shop"),
                        ask("create", "serviceaccounts", "fluentbit-gke",
                            namespace="kube-system", subresource="token")),
        ],
    ),
    Identity(
        "service-123456789012@container-engine-robot.iam.gserviceaccount.com",
        "google-api-go-client/0.5",
        "34.68.10.7",
        [*every_hour(6, ask("list", "nodes"), ask("list", "pods", namespace=""),
                     ask("get", "", path="/version"))],
        groups=(),
    ),
    Identity(
        f"{ADDON}gke-metrics-agent", program("gke-metrics-agent"), NODE_ADDRESS,
        reflects("pods", "nodes"),
    ),
    Identity(
        f"{ADDON}konnectivity-agent-cpha", program("cluster-proportional-autoscaler"), "10.4.0.7",
        every_hour(30, ask("list", "nodes"),
                   ask("get", "deployments", "konnectivity-agent", namespace="kube-system")),
    ),
    Identity(
        f"{ADDON}event-exporter-sa", program("event-exporter"), "10.4.0.8", reflects("events"),
    ),
    Identity(
        "system:serviceaccount:gmp-system:operator", program("operator"), "10.4.0.9",
        [*reflects("secrets", "daemonsets", "deployments"),
         *every_hour(6, ask("patch", "secrets", "collection", namespace="gmp-system"))],
    ),
    Identity(
        "system:serviceaccount:gke-managed-cim:kube-state-metrics",
        "kube-state-metrics/v2.13.0 (linux/amd64) kube-state-metrics/ee1ef74", "10.4.0.10",
        reflects("pods", "nodes", "deployments", "statefulsets", "daemonsets", "persistentvolumes"),
    ),
)  # fmt: skip
"""The requests of an ordinary hour in a small cluster."""
