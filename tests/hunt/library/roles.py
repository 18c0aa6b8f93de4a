"""Service accounts, roles, bindings, webhooks, events: who may do what."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import pair

ACCOUNT = "system:serviceaccount:shop:cart"
SYSTEM = "system:serviceaccount:kube-system:operator"
AGGREGATION = "system:serviceaccount:kube-system:clusterrole-aggregation-controller"
NAMESPACES = "system:serviceaccount:kube-system:namespace-controller"
EVE = {"kind": "User", "name": "eve"}
WEBHOOKS = "mutatingwebhookconfigurations"
NEW = {"code": 201}


def binding(
    role: str, *subjects: dict[str, str], verb: str = "create", cluster: bool = True, **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"code": 201 if verb == "create" else 200, "name": "grant"}
    body = {"roleRef": {"kind": "ClusterRole", "name": role}, "subjects": list(subjects) or [EVE]}
    resource = "clusterrolebindings" if cluster else "rolebindings"
    return event(verb, resource, requestObject=body, **(said | more))


def account(name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "namespace": "shop", "name": name}


def role(
    verbs: list[str], resources: list[str], *, verb: str = "create", **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"code": 201 if verb == "create" else 200, "name": "role"}
    group = more.pop("group", "")
    body = {"rules": [{"apiGroups": [group], "verbs": verbs, "resources": resources}]}
    return event(verb, "clusterroles", requestObject=body, **(said | more))


def write(resource: str, verb: str = "patch", **more: Any) -> dict[str, Any]:
    return event(verb, resource, name="it", **more)


PAIRS = {
    "service_account_created": pair(
        event("create", "serviceaccounts", name="bot", code=201),
        [event("create", "serviceaccounts", name="bot", subresource="token", code=201),
         event("patch", "serviceaccounts", name="bot")],
    ),
    "service_account_in_system_namespace": pair(
        event("create", "serviceaccounts", namespace="kube-system", name="bot", code=201),
        event("create", "serviceaccounts", name="bot", code=201),
    ),
    "cluster_admin_binding": pair(
        # Server-side apply creates with patch.
        binding("cluster-admin", verb="patch", code=201),
        [
            binding("view", name="cluster-admin"),
            binding("cluster-admin", code=403),
            binding("cluster-admin", requestURI="/x?dryRun=All"),
        ],
    ),
    "privileged_role_binding": pair(
        binding("system:kube-controller-manager"),
        [binding("admin", cluster=False), binding("admin", user=SYSTEM), binding("view")],
    ),
    "rolebinding_changed": pair(
        write("rolebindings", "delete"),
        [write("rolebindings", "delete", code=404), write("rolebindings", "get"),
         write("rolebindings", "deletecollection", user=NAMESPACES)],
    ),
    "binding_to_service_account": pair(
        binding("view", account("cart")), binding("view", EVE | {"name": "ServiceAccount"})
    ),
    "default_service_account_admin": pair(
        binding("admin", account("default"), cluster=False),
        [binding("view", account("default")), binding("admin", account("default-2"))],
    ),
    "anonymous_access_granted": pair(
        binding("view", {"kind": "Group", "name": "system:unauthenticated"}, verb="patch"),
        [
            binding("view", {"kind": "Group", "name": "system:authenticated"}),
            binding("kubeadm:bootstrap-signer-clusterinfo",
                    {"kind": "User", "name": "system:anonymous"}, cluster=False,
                    namespace="kube-public"),
        ],
    ),
    "wildcard_role_bound": pair(
        [role(["*"], ["*"], group="*", name="helper"), binding("helper", seconds=1)],
        [
            role(["*"], ["*"], group="*", name="helper"), binding("other", seconds=1),
            role(["get"], ["pods"], name="reader"), binding("reader", seconds=2),
            binding("helper", seconds=3, user="bob"),
        ],
    ),
    "wildcard_role_created": pair(
        role(["*"], ["pods"]),
        [role(["get"], ["pods/*"]), role(["*"], ["*"], user=SYSTEM),
         role(["*"], ["*"], verb="update")],
    ),
    "write_role_created": pair(
        role(["get", "patch"], ["pods"]),
        [role(["get", "list"], ["pods"]), role(["patch"], ["pods"], code=403)],
    ),
    "exec_role_created": pair(
        role(["get"], ["pods/exec"]), [role(["get"], ["pods", "pods/log"])]
    ),
    "node_proxy_role_created": pair(
        role(["get"], ["nodes/proxy"]), role(["get"], ["nodes", "nodes/metrics"])
    ),
    "role_wildcard_elevation": pair(
        role(["*"], ["*"], verb="patch"),
        [role(["*"], ["pods"], verb="patch"), role(["get"], ["*"], verb="patch"),
         role(["*"], ["*"], verb="patch", user=AGGREGATION)],
    ),
    "sensitive_role_changed": pair(
        role(["create"], ["serviceaccounts/token"], verb="update"),
        [role(["get"], ["serviceaccounts/token", "configmaps"]), role(["list"], ["pods"])],
    ),
    "system_role_changed": pair(
        role(["get"], ["pods"], verb="patch", name="system:node"),
        [role(["get"], ["pods"], verb="patch", name="system:coredns"),
         role(["get"], ["pods"], verb="patch", name="my-system:node"),
         write("clusterroles", "get", user=ACCOUNT)],
    ),
    "service_account_rbac_write": pair(
        write("rolebindings", user=ACCOUNT),
        [write("rolebindings", user=ACCOUNT, code=403), write("clusterroles", user=AGGREGATION),
         write("rolebindings")],
    ),
    "rbac_then_workload": pair(
        [write("roles"), event("create", "deployments", name="web", seconds=60, code=201)],
        [event("create", "deployments", name="web", code=201), write("roles", seconds=60)],
    ),
    "sensitive_role_access": pair(
        write("clusterroles", "list"),
        [write("clusterroles", "list", source="127.0.0.1"), write("roles", "list")],
    ),
    "admission_webhook_changed": pair(
        write(WEBHOOKS),
        [write(WEBHOOKS, code=409), write(WEBHOOKS, "get"),
         write(WEBHOOKS, user="system:serviceaccount:cert-manager:cert-manager-cainjector")],
    ),
    "events_deleted": pair(
        write("events", "deletecollection"),
        [write("events", "deletecollection", user=NAMESPACES), write("events", "delete", code=403)],
    ),
    "aks_allowed_create": pair(event("create", code=201), event("create", code=403)),
}  # fmt: skip
