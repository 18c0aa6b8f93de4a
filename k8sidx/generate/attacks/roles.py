"""Service accounts, roles and bindings: who may do what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from k8sidx.generate.attack import attack
from k8sidx.generate.step import Step, ask

RBAC = "rbac.authorization.k8s.io"


def binding(role: str, *subjects: dict[str, str], cluster: bool = True) -> Step:
    """A binding of that ClusterRole; to a person when no subject is named."""
    who = list(subjects) or [{"kind": "User", "apiGroup": RBAC, "name": "helper"}]
    kind = "ClusterRoleBinding" if cluster else "RoleBinding"
    body = {
        "kind": kind,
        "apiVersion": f"{RBAC}/v1",
        "metadata": {"name": "maintenance"},
        "subjects": who,
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
    }
    return ask("create", f"{kind.lower()}s", "maintenance", body=body)


def account(name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "namespace": "shop", "name": name}


def role(
    verbs: list[str],
    resources: list[str],
    verb: str = "create",
    name: str = "helper",
    group: str = "",
) -> Step:
    body = {
        "kind": "ClusterRole",
        "apiVersion": f"{RBAC}/v1",
        "metadata": {"name": name},
        "rules": [{"verbs": verbs, "apiGroups": [group], "resources": resources}],
    }
    return ask(verb, "clusterroles", name, body=body)


def patched(resource: str, body: Any = None, **more: Any) -> Step:
    return ask("patch", resource, "maintenance", body=body, **more)


ATTACKS = {
    "service_account_created": attack(ask("create", "serviceaccounts", "bot")),
    "service_account_in_system_namespace": attack(
        ask("create", "serviceaccounts", "bot", namespace="kube-system")
    ),
    "cluster_admin_binding": attack(binding("cluster-admin")),
    "privileged_role_binding": attack(binding("system:kube-controller-manager")),
    "rolebinding_changed": attack(ask("delete", "rolebindings", "shop-devs")),
    "binding_to_service_account": attack(binding("view", account("cart"), cluster=False)),
    "default_service_account_admin": attack(binding("admin", account("default"), cluster=False)),
    "anonymous_access_granted": attack(
        binding("view", {"kind": "Group", "apiGroup": RBAC, "name": "system:unauthenticated"})
    ),
    "wildcard_role_bound": attack(
        role(["*"], ["*"], "create", "log-reader", "*"),
        replace(binding("log-reader"), seconds=1),
    ),
    "wildcard_role_created": attack(role(["*"], ["pods"])),
    "write_role_created": attack(role(["get", "patch"], ["pods"])),
    "exec_role_created": attack(role(["get", "create"], ["pods/exec"])),
    "node_proxy_role_created": attack(role(["get"], ["nodes/proxy"])),
    "role_wildcard_elevation": attack(role(["*"], ["*"], "patch")),
    "sensitive_role_changed": attack(role(["create"], ["serviceaccounts/token"], "update")),
    "system_role_changed": attack(role(["get"], ["pods"], "patch", "system:node")),
    "sensitive_role_access": attack(ask("list", "clusterroles")),
    "service_account_rbac_write": attack(
        patched("rolebindings"), user="system:serviceaccount:shop:cart", address="10.244.9.33"
    ),
    "rbac_then_workload": attack(
        patched("roles"), ask("create", "deployments", "web-2", seconds=75)
    ),
    "rbac_json_patch": attack(
        patched("clusterroles", [{"op": "add", "path": "/rules/0/verbs/-", "value": "escalate"}])
    ),
}
