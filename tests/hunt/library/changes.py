"""Changes and deletions of workloads, services, nodes, policies and what extends the API."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import burst, pair, usual
from tests.hunt.library.workloads import dry

KCM = "system:kube-controller-manager"
CONTROLLERS = "system:serviceaccount:kube-system:"
GARBAGE = f"{CONTROLLERS}generic-garbage-collector"
SYSTEM: dict[str, Any] = {"namespace": "kube-system"}
NODE = "system:node:node-1"
MINED = {"metadata": {"annotations": {"kubernetes.io/config.mirror": "f0"}}, "spec": {}}
PRIVILEGED = {"spec": {"containers": [{"securityContext": {"privileged": True}}]}}


def service(verb: str = "create", **spec: Any) -> dict[str, Any]:
    body = {"metadata": {"name": "svc"}, "spec": spec}
    return event(verb, "services", name="svc", requestObject=body)


def ingress(verb: str = "create", *, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    body = {"kind": "Ingress", "spec": {"rules": [{"host": "shop.example.com"}]} | spec}
    return event(verb, "ingresses", name="shop", namespace=namespace, requestObject=body)


def mirror(container: str, *, namespace: str = "kube-system", **more: Any) -> dict[str, Any]:
    body = MINED | {"spec": {"containers": [{"name": container}]}}
    return event("create", user=NODE, namespace=namespace, name=container, requestObject=body)


def labelled(level: str | None, verb: str = "patch", **more: Any) -> dict[str, Any]:
    body = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}
    return event(verb, "namespaces", name="shop", requestObject=body, **more)


def psa(**more: Any) -> dict[str, Any]:
    message = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged'
    status: dict[str, Any] = {"code": 403, "message": message}
    return event("create", code=403, decision="allow", **({"responseStatus": status} | more))


def bursts(count: int, verb: str, resource: str, **more: Any) -> list[dict[str, Any]]:
    return burst(count, verb=verb, resource=resource, name="one-{n}", **more)


SNAPSHOTS = "snapshot.storage.k8s.io"
ACCOUNT = "system:serviceaccount:"


def of_group(group: str, *said: Any, **more: Any) -> dict[str, Any]:
    """An event about an object of that API group."""
    made = event(*said, **more)
    made["objectRef"]["apiGroup"] = group
    return made


PAIRS = {
    "daemonset_created": pair(
        event("patch", "daemonsets", name="agent", code=201),
        [
            event("create", "daemonsets", code=403),
            event("patch", "daemonsets", name="agent"),
            event("create", "deployments", name="agent"),
            event("create", "daemonsets", user=f"{CONTROLLERS}daemon-set-controller", **SYSTEM),
        ],
    ),
    "cronjob_changed": pair(
        event("update", "cronjobs", name="warm"),
        [
            event("get", "cronjobs", name="warm"),
            event("update", "cronjobs", name="warm", subresource="status"),
            event("update", "cronjobs", name="warm", user=f"{CONTROLLERS}cronjob-controller"),
            event("update", "cronjobs", name="warm", user=f"{CONTROLLERS}backup", **SYSTEM),
        ],
    ),
    "job_changed": pair(
        event("delete", "jobs", name="once"),
        [
            event("create", "jobs", user=f"{CONTROLLERS}cronjob-controller"),
            event("patch", "jobs", name="once", user=GARBAGE),
            event("create", "jobs", code=409),
        ],
    ),
    "workload_change_new_caller": pair(
        event("patch", "deployments", name="web", source="203.0.113.9"),
        [event("patch", "deployments", name="web"), event("get", "deployments", user="mallory")],
        before=[*usual(), event("patch", "deployments", name="web", seconds=-600)],
    ),
    "deployment_patched": pair(
        event("patch", "deployments", name="web"),
        [
            event("patch", "deployments", name="web", code=201),
            event("patch", "deployments", name="web", subresource="scale"),
            event("update", "deployments", name="web"),
        ],
    ),
    "deployment_deleted": pair(
        event("delete", "deployments", name="web"),
        [event("delete", "deployments", code=404), event("delete", "replicasets", user=GARBAGE)],
    ),
    "pod_deleted": pair(
        event("delete", name="p"), [event("delete", name="p", user=NODE), event("get", name="p")]
    ),
    "nodeport_service": pair(
        service("patch", type="NodePort"), [service(type="ClusterIP"), service(type="LoadBalancer")]
    ),
    "load_balancer_service": pair(
        service(type="LoadBalancer"),
        [service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]), service()],
    ),
    "external_ip_service": pair(
        service("update", externalIPs=["203.0.113.7"]), service(externalIPs=[])
    ),
    "exposed_sensitive_service": pair(
        [service(type="LoadBalancer", selector={"k8s-app": "kubernetes-dashboard"})],
        [
            service(type="LoadBalancer", ports=[{"port": 443}], selector={"app": "frontend"}),
            service(type="ClusterIP", ports=[{"port": 6379}]),
            service(
                type="LoadBalancer",
                ports=[{"port": 6379}],
                loadBalancerSourceRanges=["10.0.0.0/8"],
            ),
        ],
    ),
    "ingress_without_tls": pair(
        [ingress(), ingress("patch") | {"responseStatus": {"code": 201}}],
        [
            ingress(tls=[{"secretName": "s"}]),
            ingress("update"),
            ingress(namespace="kube-system"),
            event("create", "ingresses", name="shop"),
        ],
    ),
    "endpoints_changed": pair(
        event("patch", "endpointslices", name="cart-1"),
        [
            event("update", "endpoints", user=f"{CONTROLLERS}endpoint-controller"),
            event("update", "endpoints", user=KCM),
            event("get", "endpoints", name="cart"),
        ],
    ),
    "backup_deleted": pair(
        [of_group(SNAPSHOTS, "delete", "volumesnapshots", name="nightly")],
        [
            of_group(SNAPSHOTS, "get", "volumesnapshots", name="nightly"),
            of_group("example.com", "delete", "backups", name="nightly"),
            of_group("velero.io", "delete", "backups", user=f"{ACCOUNT}velero:velero"),
            of_group("velero.io", "delete", "backups", name="nightly", code=403),
        ],
    ),
    "network_policy_deleted": pair(
        event("delete", "networkpolicies", name="deny"),
        [
            event("patch", "networkpolicies", name="deny"),
            event("deletecollection", "networkpolicies", user=f"{CONTROLLERS}namespace-controller"),
        ],
    ),
    "unlisted_namespace": pair(
        event("create", "namespaces", name="hidden", namespace=""),
        [
            event("create", "namespaces", name="preview-7", namespace=""),
            event("create", "namespaces", name="gke-managed-x", namespace=""),
            event("create", "namespaces", name="hidden", namespace="", code=409),
        ],
        known_namespaces=["preview-*"],
    ),
    "unlisted_node_join": pair(
        event("create", "nodes", user="system:node:evil", name="evil", code=403, namespace=""),
        [
            event("create", "nodes", user=NODE, name="node-1", namespace=""),
            event("create", "nodes", user="system:node:old", name="old", code=409, namespace=""),
        ],
        known_nodes=["node-*"],
    ),
    "node_status_changed": pair(
        event("patch", "nodes", subresource="status", name="node-1", namespace=""),
        [
            event("patch", "nodes", subresource="status", name="node-1", user=NODE),
            event("patch", "nodes", name="node-1"),
        ],
    ),
    "node_deleted": pair(
        event("delete", "nodes", name="node-1", namespace=""),
        event(
            "delete",
            "nodes",
            name="node-1",
            user="system:serviceaccount:karpenter:karpenter",
            agent="karpenter/v1.8.1",
        ),
    ),
    "static_pod_mirrored": pair(
        [mirror("backdoor"), mirror("etcd", namespace="shop")],
        [mirror("kube-apiserver"), event("create", user=NODE, name="p")],
    ),
    "crd_registered": pair(
        event("create", "customresourcedefinitions", name="backdoors.evil.example"),
        event("patch", "customresourcedefinitions", name="backdoors.evil.example"),
    ),
    "apiservice_changed": pair(
        event("create", "apiservices", name="v1beta1.evil.example"),
        [
            event("update", "apiservices", user="system:apiserver"),
            event("update", "apiservices", subresource="status"),
        ],
    ),
    "admission_policy_changed": pair(
        event("delete", "validatingadmissionpolicybindings", name="owner-label"),
        [
            event("create", "validatingadmissionpolicies", name="owner-label"),
            event("patch", "validatingadmissionpolicies", name="owner-label", code=201),
            event("update", "validatingadmissionpolicies", subresource="status"),
        ],
    ),
    "pod_security_weakened": pair(
        [labelled("privileged"), labelled(None)],
        [
            labelled("restricted"),
            labelled("privileged", code=403),
            labelled("privileged", "create"),
            dry(labelled("privileged")),
        ],
    ),
    "pod_security_refused": pair(
        psa(),
        [psa(user=f"{CONTROLLERS}replicaset-controller"), event("create", code=403), dry(psa())],
    ),
    "priority_class_changed": pair(
        event("create", "priorityclasses", name="urgent"),
        [
            event("create", "priorityclasses", user="system:apiserver"),
            event("list", "priorityclasses"),
        ],
    ),
    "image_pull_secrets_changed": pair(
        event(
            "patch",
            "serviceaccounts",
            name="default",
            requestObject={"imagePullSecrets": [{"name": "registry"}]},
        ),
        event("patch", "serviceaccounts", name="default", requestObject={"secrets": []}),
    ),
    "rbac_json_patch": pair(
        event(
            "patch",
            "clusterroles",
            name="view",
            requestObject=[{"op": "add", "path": "/rules/0/verbs/-", "value": "escalate"}],
        ),
        [
            event("patch", "clusterroles", name="view", requestObject={"rules": []}),
            event("patch", "deployments", name="web", requestObject=[]),
        ],
    ),
    "hostpath_persistent_volume": pair(
        event("create", "persistentvolumes", requestObject={"spec": {"hostPath": {"path": "/"}}}),
        event("create", "persistentvolumes", requestObject={"spec": {"csi": {"driver": "x"}}}),
    ),
    "legacy_token_used": pair(
        event(annotations={"authentication.k8s.io/legacy-token": "system:serviceaccount:ci:bot"}),
        event(),
    ),
    "dry_run_probe": pair(
        dry(event("create", requestObject=PRIVILEGED, code=403)),
        [event("create", requestObject=PRIVILEGED), dry(event("create", requestObject={}))],
    ),
    "body_truncated": pair(
        event("create", annotations={"audit.k8s.io/truncated": "true"}),
        [
            event("list", annotations={"audit.k8s.io/truncated": "true"}),
            event("create", "configmaps", annotations={"audit.k8s.io/truncated": "true"}),
        ],
    ),
    "workload_collection_deleted": pair(
        event("deletecollection", "persistentvolumeclaims"),
        [
            event("deletecollection", "events"),
            event("deletecollection", "pods", user=f"{CONTROLLERS}namespace-controller"),
            event("deletecollection", "deployments", code=403),
        ],
    ),
    "workload_delete_burst": pair(
        bursts(10, "delete", "services", every=20),
        [
            *bursts(9, "delete", "services"),
            *bursts(20, "delete", "pods"),
            *bursts(20, "delete", "services", user="bob", every=60),
        ],
    ),
    "namespace_delete_storm": pair(
        bursts(5, "delete", "namespaces", namespace=""),
        bursts(5, "delete", "namespaces", namespace="", every=300),
    ),
    "pod_eviction_storm": pair(
        bursts(30, "create", "pods", subresource="eviction"),
        [
            *bursts(40, "create", "pods", subresource="eviction", code=429),
            *bursts(
                40,
                "create",
                "pods",
                subresource="eviction",
                user="system:serviceaccount:kube-system:cluster-autoscaler",
            ),
        ],
    ),
    "pod_log_burst": pair(
        bursts(10, "get", "pods", subresource="log"),
        [
            *burst(30, verb="get", resource="pods", name="one", subresource="log"),
            *bursts(20, "get", "pods", subresource="log", user="bob", code=403),
        ],
    ),
}
