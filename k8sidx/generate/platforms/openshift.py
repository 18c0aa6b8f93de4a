"""Identities of OpenShift.

Sources: docs.openshift.com (viewing audit logs, operator reference) and the API request counts of
clusters that were published. Operators run in namespaces ``openshift-*``; many of them send Go's
own user agent beside, or instead of, their program's.
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

MASTER = "10.0.1.10"
GO = "Go-http-client/2.0"


def account(namespace: str, name: str) -> str:
    """Return the user name of a service account of an OpenShift namespace."""
    return f"system:serviceaccount:openshift-{namespace}:{name}"


def _operator(namespace: str, name: str, agent: str, address: str, operand: str) -> Identity:
    return Identity(
        account(namespace, name),
        agent,
        address,
        [
            *elects(f"{name}-lock", f"openshift-{namespace}"),
            *reflects("configmaps", "secrets", "deployments"),
            *every_hour(10, ask("get", "secrets", "serving-cert", namespace=operand),
                        ask("get", "configmaps", "config", namespace=operand),
                        ask("get", "serviceaccounts", "localhost-recovery-client",
                            namespace=operand)),
            *every_hour(2, ask("get", "roles", name, namespace=operand),
                        ask("update", "rolebindings", name, namespace=operand),
                        ask("update", "secrets", "serving-cert", namespace=operand)),
        ],
    )  # fmt: skip


IDENTITIES = (
    Identity(
        account("cluster-version", "default"), program("cluster-version-operator"), MASTER,
        [*elects("version", "openshift-cluster-version"),
         *every_hour(10, ask("get", "clusterroles", "system:openshift:controller"),
                     ask("get", "clusterrolebindings", "cluster-version-operator"),
                     ask("get", "deployments", "network-operator",
                         namespace="openshift-network-operator"),
                     ask("get", "customresourcedefinitions", "builds.config.openshift.io")),
         *every_hour(1, ask("update", "clusterroles", "registry-admin"),
                     ask("update", "daemonsets", "machine-config-daemon",
                         namespace="openshift-machine-config-operator",
                         body={"spec": {"template": {"spec": {
                             "hostPID": True, "containers": [
                                 {"name": "machine-config-daemon",
                                  "image": "quay.io/openshift-release-dev/ocp@sha256:0f",
                                  "securityContext": {"privileged": True}}]}}}}))],
    ),
    _operator("kube-apiserver-operator", "kube-apiserver-operator",
              program("cluster-kube-apiserver-operator"), "10.128.0.21",
              "openshift-kube-apiserver"),
    _operator("kube-apiserver-operator", "kube-apiserver-operator", GO, "10.128.0.21",
              "openshift-kube-apiserver"),
    _operator("kube-controller-manager-operator", "kube-controller-manager-operator", GO,
              "10.128.0.22", "openshift-kube-controller-manager"),
    _operator("kube-scheduler-operator", "openshift-kube-scheduler-operator", GO, "10.128.0.23",
              "openshift-kube-scheduler"),
    _operator("authentication-operator", "authentication-operator", GO, "10.128.0.24",
              "openshift-authentication"),
    _operator("console-operator", "console-operator", GO, "10.128.0.25", "openshift-console"),
    _operator("monitoring", "cluster-monitoring-operator", GO, "10.128.0.26",
              "openshift-monitoring"),
    Identity(
        account("apiserver", "openshift-apiserver-sa"), program("openshift-apiserver"),
        "10.128.0.27",
        [*reflects("namespaces", "roles", "rolebindings", "clusterroles", "clusterrolebindings"),
         *every_hour(40, ask("create", "subjectaccessreviews", namespace="")),
         *every_hour(6, ask("get", "services", "docker-registry", namespace="default"))],
    ),
    Identity(
        account("oauth-apiserver", "oauth-apiserver-sa"), program("oauth-apiserver"),
        "10.128.0.28", every_hour(40, ask("create", "subjectaccessreviews", namespace="")),
    ),
    Identity(
        account("authentication", "oauth-openshift"), program("oauth-server"), "10.128.0.29",
        reflects("secrets", "configmaps"),
    ),
    Identity(
        account("kube-apiserver", "check-endpoints"), program("cluster-kube-apiserver-operator"),
        "10.0.1.11", [*reflects("secrets"), *every_hour(6, ask("list", "events", namespace=""))],
    ),
    Identity(
        account("kube-apiserver", "localhost-recovery-client"), program("cert-syncer"), "::1",
        reflects("secrets", "configmaps"), groups=MASTERS,
    ),
    Identity(
        account("infra", "namespace-security-allocation-controller"),
        f"{program('cluster-policy-controller')}/{account('infra', 'namespace-security')}",
        MASTER,
        [*reflects("namespaces"),
         *every_hour(6, ask("update", "rangeallocations", "scc-uid", namespace=""))],
    ),
    Identity(
        account("infra", "serviceaccount-pull-secrets-controller"),
        program("openshift-controller-manager"), "10.128.0.30",
        [*reflects("serviceaccounts", "secrets"),
         *every_hour(2, ask("create", "serviceaccounts", "builder", namespace="shop",
                            subresource="token"),
                     ask("update", "secrets", "builder-dockercfg-x7k2p", namespace="shop"),
                     ask("patch", "serviceaccounts", "builder", namespace="shop",
                         body={"imagePullSecrets": [{"name": "builder-dockercfg-x7k2p"}]}))],
    ),
    Identity(
        account("machine-config-operator", "machine-config-daemon"),
        program("machine-config-daemon"), "10.0.1.12",
        [*reflects("nodes"), *every_hour(6, ask("patch", "nodes", "node-2"))],
    ),
    Identity(
        account("machine-config-operator", "node-bootstrapper"), "kubelet/v1.33.5 (linux/amd64)",
        "10.0.1.14", every_hour(1, ask("create", "certificatesigningrequests")),
    ),
    Identity(
        account("cluster-machine-approver", "machine-approver-sa"), program("machine-approver"),
        MASTER,
        [*reflects("certificatesigningrequests", "nodes"),
         *every_hour(1, ask("update", "certificatesigningrequests", "csr-6plsz",
                            subresource="approval"))],
    ),
    Identity(
        account("monitoring", "prometheus-k8s"), "Prometheus/2.32.1", "10.128.0.31",
        reflects("services", "pods", "endpointslices"),
    ),
    Identity(
        account("network-operator", "cluster-network-operator"),
        program("cluster-network-operator"), MASTER,
        [*reflects("nodes", "configmaps"),
         *every_hour(6, ask("patch", "daemonsets", "ovnkube-node",
                            namespace="openshift-ovn-kubernetes",
                            body={"spec": {"template": {"spec": {"hostNetwork": True}}}}),
                     ask("patch", "clusterroles", "openshift-ovn-kubernetes-node"))],
    ),
    Identity(
        account("operator-lifecycle-manager", "olm-operator-serviceaccount"), program("olm"),
        "10.128.0.32",
        [*reflects("roles", "rolebindings", "clusterroles", "clusterrolebindings",
                   "serviceaccounts", "deployments", "secrets", "services"),
         *every_hour(1, ask("create", "clusterroles", "elasticsearch-operator.v5.8-abc"),
                     ask("create", "clusterrolebindings", "elasticsearch-operator.v5.8-abc"))],
    ),
    Identity(
        account("image-registry", "pruner"), "oc/4.18.0 (linux/amd64) kubernetes/a4ef1a6",
        "10.128.0.33", every_hour(2, ask("list", "pods", namespace="")),
    ),
)  # fmt: skip
"""The requests of an ordinary hour in a small cluster."""
