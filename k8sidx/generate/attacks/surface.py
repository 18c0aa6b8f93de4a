"""Attacks by newer API groups, nodes, tokens, and past admission."""

from __future__ import annotations

from typing import Any

from k8sidx.generate.attack import attack
from k8sidx.generate.attacks.roles import RBAC
from k8sidx.generate.step import KUBECTL, Step, again, ask

ACCOUNT = "system:serviceaccount:shop:cart"
KUBELET = "kubelet/v1.37.2 (linux/amd64) kubernetes/0000000"
PROXY = "/api/v1/nodes/node-1/proxy/"
CLAIM = {"devices": {"requests": [{"exactly": {"adminAccess": True}}]}}
VIOLATION = "validation.policy.admission.k8s.io/validation_failure"
BINDINGS = "validatingadmissionpolicybindings"


def write(resource: str, spec: Any, verb: str = "create", name: str = "x", **more: Any) -> Step:
    body = {"metadata": more.pop("metadata", {}), "spec": spec}
    return ask(verb, resource, name, body=body, **more)


def noted(verb: str, key: str, name: str = "p", **more: Any) -> Step:
    return ask(verb, "pods", name, annotations={key: "x"}, **more)


def pod(name: str = "p", metadata: Any = None, **own: Any) -> Step:
    spec = {"containers": [{"name": "a", "image": "b"} | own]}
    return write("pods", spec, name=name, metadata=metadata or {})


def kubelet(path: str) -> Step:
    return ask("get", "nodes", "node-1", subresource="proxy", namespace="", path=f"{PROXY}{path}")


BREAK_GLASS = {"labels": {"image-policy.k8s.io/break-glass": "true"}}
MANAGED = {"labels": {"argocd.argoproj.io/instance": "web"}}
OWNED = {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}]}
RULE = {"verbs": ["impersonate:user-info"], "apiGroups": [RBAC], "resources": ["users"]}

ATTACKS = {
    "admission_failed_open": attack(
        noted("create", "failed-open.validating.webhook.admission.k8s.io/round_0_index_0")
    ),
    "stale_token_used": attack(
        noted("get", "authentication.k8s.io/stale-token"), user=ACCOUNT, agent="curl/8.5.0"
    ),
    "unsafe_delete": attack(noted("delete", "apiserver.k8s.io/unsafe-delete-ignore-read-error")),
    "policy_audit_violation": attack(
        noted("create", VIOLATION)
    ),
    "policy_violation_burst": attack(
        again(noted("create", VIOLATION, "probe-{n}"), 6, 20)
    ),
    "policy_binding_not_denying": attack(
        write(BINDINGS, {"validationActions": ["Warn"]}, "update")
    ),
    "flow_schema_exempt": attack(
        write("flowschemas", {"priorityLevelConfiguration": {"name": "exempt"}})
    ),
    "runtime_class_created": attack(ask("create", "runtimeclasses", "plain")),
    "device_admin_access": attack(write("resourceclaims", CLAIM)),
    "volume_snapshot_created": attack(ask("create", "volumesnapshots", "db")),
    "cross_namespace_route": attack(ask("create", "referencegrants", "open")),
    "external_name_service": attack(
        write("services", {"type": "ExternalName", "externalName": "db.evil.example"})
    ),
    "crd_conversion_webhook": attack(
        write("customresourcedefinitions", {"conversion": {"strategy": "Webhook"}}, "patch")
    ),
    "network_policy_allows_all": attack(write("networkpolicies", {"ingress": [{}]})),
    "quota_deleted": attack(ask("delete", "resourcequotas", "team")),
    "cluster_object_deleted": attack(ask("delete", "persistentvolumes", "pv-1")),
    "namespace_finalizer_stripped": attack(
        ask("update", "namespaces", "shop", subresource="finalize")
    ),
    "pod_masquerading": attack(pod("kube-proxy-x7k2p")),
    "attack_named_pod": attack(pod("xmrig-0")),
    "interactive_pod": attack(pod(stdin=True, tty=True)),
    "pod_resized": attack(ask("patch", "pods", "web", subresource="resize")),
    "exec_outside_address": attack(
        ask("get", "pods", "web", subresource="exec", code=101,
            query=[("command", "nc"), ("command", "8.8.8.8"), ("command", "53")])
    ),
    "node_log_query_injection": attack(kubelet("logs/?query=x%24(id)")),
    "kubelet_checkpoint": attack(kubelet("checkpoint/shop/web/app")),
    "node_relabelled": attack(write("nodes", {"taints": None}, "patch", "node-1")),
    "node_owner_set": attack(
        write("nodes", {}, "patch", "node-1", metadata=OWNED),
        user="system:node:node-1", address="10.0.1.11", agent=KUBELET,
    ),
    "binary_authorization_bypassed": attack(pod(metadata=BREAK_GLASS)),
    "gitops_object_changed": attack(write("deployments", {}, "patch", "web", metadata=MANAGED)),
    "gitops_source_written": attack(
        write("applications", {"source": {"repoURL": "https://git.evil.example/x"}})
    ),
    "person_impersonated": attack(
        ask("list", "secrets", impersonated={"username": "bob", "groups": ["engineering"]})
    ),
    "constrained_impersonation_role": attack(
        ask("create", "clusterroles", "agent", body={"rules": [RULE]})
    ),
    "node_token_elsewhere": attack(
        ask("list", "secrets", credential="JTI=5f0c8a3e-node", node="node-1"),
        user=ACCOUNT, address="192.0.2.249", agent=KUBECTL,
    ),
    "new_source_network": attack(
        ask("list", "pods"), before=[ask("list", "pods", address="198.51.100.20")]
    ),
}  # fmt: skip
