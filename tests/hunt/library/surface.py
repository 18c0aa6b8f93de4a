"""Pairs of hunts in what objects of newer API groups, nodes, tokens and annotations show."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import Events, pair, usual

NOTE = "annotations"
ACCOUNT = "system:serviceaccount:shop:cart"
NODE = "system:node:node-1"
SYSTEM = {"namespace": "kube-system"}
IDS = "authentication.kubernetes.io/"


def noted(key: str, value: str = "x", **more: Any) -> dict[str, Any]:
    """A request with an audit annotation."""
    said: dict[str, Any] = {"verb": "create", "name": "p", "code": 201}
    made = event(**said | more)
    return made | {NOTE: made[NOTE] | {key: value}}


def violating(name: str, minute: float, **more: Any) -> dict[str, Any]:
    """A pod that an audited policy would refuse, that many minutes after the first."""
    key = "pod-security.kubernetes.io/audit-violations"
    return noted(key, name=name, seconds=60 * minute, **more)


def written(resource: str, spec: Any, verb: str = "create", **more: Any) -> dict[str, Any]:
    """An object with its specification."""
    body = {"metadata": more.pop("metadata", {}), "spec": spec}
    said: dict[str, Any] = {"name": "x", "code": 201 if verb == "create" else 200}
    return event(verb, resource, requestObject=body, **said | more)


def pod(name: str = "p", container: str = "a", **more: Any) -> dict[str, Any]:
    """A pod with one container."""
    spec = {"containers": [{"name": container, "image": "b"} | more.pop("own", {})]}
    return written("pods", spec | more.pop("spec", {}), name=name, **more)


def kubelet(uri: str, **more: Any) -> dict[str, Any]:
    """A request through nodes/proxy."""
    where = f"/api/v1/nodes/node-1/proxy/{uri}"
    said: dict[str, Any] = {"name": "node-1", "subresource": "proxy", "namespace": ""}
    return event("get", "nodes", requestURI=where, **said | more)


def ran(*command: str, **more: Any) -> dict[str, Any]:
    """A command in a pod."""
    query = "&".join(f"command={word}" for word in command)
    uri = f"/api/v1/namespaces/shop/pods/web/exec?{query}"
    return event("get", name="web", subresource="exec", requestURI=uri, code=101, **more)


def bound(node: str, source: str, jti: str = "JTI=a", **more: Any) -> dict[str, Any]:
    """A request with a token that is bound to a node."""
    extra = {f"{IDS}credential-id": [jti], f"{IDS}node-name": [node]}
    user = {"username": ACCOUNT, "groups": ["system:authenticated"], "extra": extra}
    return event(user=ACCOUNT, source=source, agent="cart/v1", **more) | {"user": user}


def kubelets() -> Events:
    """Where the kubelets of two nodes act."""
    return [
        event("update", "leases", user=f"system:node:node-{n}", source=f"10.0.1.{n}", seconds=n)
        for n in (1, 2)
    ]


def person(**more: Any) -> dict[str, Any]:
    """A request that alice sends as another."""
    return event("list", **more) | {"impersonatedUser": {"username": "bob", "groups": ["dev"]}}


POLICY = "policies"
ROUTE = {"rules": [{"backendRefs": [{"name": "db", "namespace": "payments"}]}]}
OWN_ROUTE = {"rules": [{"backendRefs": [{"name": "web"}]}]}
OWNED = {"ownerReferences": [{"kind": "ConfigMap", "name": "x"}]}
BREAK_GLASS = {"labels": {"image-policy.k8s.io/break-glass": "true"}}
MANAGED = {"annotations": {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}}
REPOSITORY = {"source": {"repoURL": "https://git.evil.example/x"}}
CONVERTED = {"conversion": {"strategy": "Webhook"}}
CLAIM = {"devices": {"requests": [{"exactly": {"adminAccess": True}}]}}

PAIRS = {
    "admission_failed_open": pair(
        noted("failed-open.validating.webhook.admission.k8s.io/round_0_index_0"),
        noted("mutation.webhook.admission.k8s.io/round_0_index_0"),
    ),
    "stale_token_used": pair(
        noted("authentication.k8s.io/stale-token", user=ACCOUNT),
        noted("authentication.k8s.io/other", user=ACCOUNT),
    ),
    "unsafe_delete": pair(
        noted("apiserver.k8s.io/unsafe-delete-ignore-read-error", verb="delete", code=200),
        noted("apiserver.k8s.io/unsafe-delete-ignore-read-error", verb="delete", code=403),
    ),
    "policy_audit_violation": pair(
        [
            noted("validation.policy.admission.k8s.io/validation_failure"),
            noted("pod-security.kubernetes.io/audit-violations"),
        ],
        [
            noted("pod-security.kubernetes.io/enforce-policy", "restricted:latest"),
            noted("validation.policy.admission.k8s.io/validation_failure", code=403),
        ],
    ),
    "policy_violation_burst": pair(
        [violating(f"web-{n}", n) for n in range(5)],
        # Few objects, however often; and many that were refused.
        [violating(f"web-{n % 4}", n) for n in range(40)]
        + [violating(f"job-{n}", n, user="bob", code=403) for n in range(9)],
    ),
    "policy_binding_not_denying": pair(
        written("validatingadmissionpolicybindings", {"validationActions": ["Audit"]}, "update"),
        [
            written("validatingadmissionpolicybindings", {"validationActions": ["Audit"]}),
            written(
                "validatingadmissionpolicybindings",
                {"validationActions": ["Deny", "Audit"]},
                "update",
            ),
        ],
    ),
    "flow_schema_exempt": pair(
        written("flowschemas", {"priorityLevelConfiguration": {"name": "exempt"}}),
        [
            written("flowschemas", {"priorityLevelConfiguration": {"name": "global-default"}}),
            written(
                "flowschemas", {"priorityLevelConfiguration": {"name": "exempt"}}, name="probes"
            ),
        ],
    ),
    "runtime_class_created": pair(
        event("create", "runtimeclasses", name="x", code=201),
        [event("get", "runtimeclasses", name="x"), event("create", "runtimeclasses", code=403)],
    ),
    "device_admin_access": pair(
        [written("resourceclaims", CLAIM), written("resourceclaimtemplates", {"spec": CLAIM})],
        written("resourceclaims", {"devices": {"requests": [{"exactly": {}}]}}),
    ),
    "volume_snapshot_created": pair(
        event("create", "volumesnapshots", name="db", code=201),
        event("create", "volumesnapshots", name="db", code=201, user=ACCOUNT),
    ),
    "cross_namespace_route": pair(
        [written("referencegrants", {}), written("httproutes", ROUTE)],
        [written("httproutes", OWN_ROUTE), event("get", "referencegrants", name="x")],
    ),
    "external_name_service": pair(
        written("services", {"type": "ExternalName", "externalName": "db.evil.example"}),
        written("services", {"type": "ClusterIP"}),
    ),
    "crd_conversion_webhook": pair(
        written("customresourcedefinitions", CONVERTED, "patch"),
        [
            written("customresourcedefinitions", CONVERTED),
            written("customresourcedefinitions", {"conversion": {"strategy": "None"}}, "patch"),
        ],
    ),
    "network_policy_allows_all": pair(
        [
            written("networkpolicies", {"podSelector": {}, "ingress": [{}]}),
            written("networkpolicies", {"egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}),
        ],
        [
            written("networkpolicies", {"podSelector": {}, "ingress": []}),
            written("networkpolicies", {"ingress": [{"ports": [{"port": 443}]}]}),
            written("networkpolicies", {"ingress": [{"from": [{"podSelector": {}}]}]}),
        ],
    ),
    "quota_deleted": pair(
        event("delete", "resourcequotas", name="q"),
        [event("delete", "resourcequotas", name="q", code=403), event("delete", name="q")],
    ),
    "cluster_object_deleted": pair(
        event("delete", "customresourcedefinitions", name="x.example.com", namespace=""),
        [
            event("delete", "customresourcedefinitions", name="x", namespace="", code=403),
            event("patch", "persistentvolumes", name="x", namespace=""),
        ],
    ),
    "namespace_finalizer_stripped": pair(
        event("update", "namespaces", name="shop", subresource="finalize"),
        [
            event("update", "namespaces", name="shop", subresource="status"),
            event(
                "update",
                "namespaces",
                name="shop",
                subresource="finalize",
                user="system:serviceaccount:kube-system:namespace-controller",
            ),
        ],
    ),
    "pod_masquerading": pair(
        [pod("kube-proxy-x7k2p"), pod("coredns")],
        [pod("kube-proxy-x7k2p", **SYSTEM), pod("proxy"), pod("my-coredns-test")],
    ),
    "attack_named_pod": pair(
        [pod("xmrig-0"), pod("web", "reverse-shell")], [pod("miners-guide"), pod("exploitation")]
    ),
    "interactive_pod": pair(
        pod(own={"stdin": True, "tty": True}), [pod(own={"stdin": True}), pod()]
    ),
    "pod_resized": pair(
        event("patch", name="web", subresource="resize"),
        [
            event("patch", name="web", subresource="resize", code=403),
            event(
                "patch",
                name="web",
                subresource="resize",
                user="system:serviceaccount:kube-system:vpa-updater",
                agent="vpa-updater/1",
            ),
        ],
    ),
    "exec_outside_address": pair(
        ran("ping", "8.8.8.8"), [ran("ping", "10.96.0.1"), ran("cat", "/etc/app-1.2.3"), ran("id")]
    ),
    "node_log_query_injection": pair(
        [kubelet("logs/?query=x%24(id)"), kubelet("logs/?query=svc&pattern=a%3Bid")],
        [kubelet("logs/?query=kubelet"), kubelet("logs/?query=x%24(id)", code=403)],
    ),
    "kubelet_checkpoint": pair(
        kubelet("checkpoint/shop/web/app"),
        [kubelet("checkpoint/shop/web/app", code=403), kubelet("metrics")],
    ),
    "node_relabelled": pair(
        [
            written("nodes", {"taints": None}, "patch"),
            written(
                "nodes",
                {},
                "patch",
                metadata={"labels": {"node-role.kubernetes.io/control-plane": ""}},
            ),
        ],
        [
            written("nodes", {"unschedulable": True}, "patch"),
            written("nodes", {"taints": None}, "patch", code=403),
        ],
    ),
    "node_owner_set": pair(
        written("nodes", {}, "patch", metadata=OWNED, user=NODE),
        [
            written("nodes", {}, "patch", metadata={"labels": {"a": "b"}}, user=NODE),
            written("nodes", {}, "patch", metadata=OWNED, user=NODE, code=403),
        ],
    ),
    "binary_authorization_bypassed": pair(
        pod(metadata=BREAK_GLASS),
        pod(metadata={"labels": {"image-policy.k8s.io/break-glass": "false"}}),
    ),
    "gitops_object_changed": pair(
        written("deployments", {}, "patch", metadata=MANAGED),
        [
            written("deployments", {}, "patch", metadata=MANAGED, user=ACCOUNT),
            written("deployments", {}, "patch"),
        ],
    ),
    "gitops_source_written": pair(
        written("applications", REPOSITORY),
        [written("applications", REPOSITORY, user=ACCOUNT), written("applications", {})],
    ),
    "person_impersonated": pair(
        person(),
        [
            person(user="system:serviceaccount:cattle-system:rancher"),
            event("list"),
            person(code=403),
        ],
    ),
    "constrained_impersonation_role": pair(
        event(
            "create",
            "clusterroles",
            name="x",
            code=201,
            namespace="",
            requestObject={"rules": [{"verbs": ["impersonate:user-info"], "resources": ["users"]}]},
        ),
        event(
            "create",
            "clusterroles",
            name="x",
            code=201,
            namespace="",
            requestObject={"rules": [{"verbs": ["get"], "resources": ["users"]}]},
        ),
    ),
    "node_token_elsewhere": pair(
        [
            *kubelets(),
            bound("node-1", "10.0.1.1", seconds=9),
            bound("node-1", "10.0.1.2", seconds=10),
            bound("node-1", "203.0.113.9", "JTI=b", seconds=11),
        ],
        [
            *kubelets(),
            bound("node-1", "10.0.1.1", seconds=10),
            bound("node-1", "10.244.3.7", "JTI=b", seconds=11),
            bound("node-1", "10.0.1.2", "JTI=c", seconds=12),
        ],
    ),
    "new_source_network": pair(
        event(source="203.0.113.9"),
        [event(source="10.0.0.200"), event(user=ACCOUNT, source="203.0.113.9")],
        before=[*usual(), event(seconds=-60), event(user=ACCOUNT, seconds=-50)],
    ),
}
