"""Changes of workloads, nodes, policies and of what extends the API."""

from __future__ import annotations

from typing import Any

from k8sidx.generate.attack import attack
from k8sidx.generate.step import ask

NODE = "system:node:node-3"
ENFORCE = "pod-security.kubernetes.io/enforce"


def body_of(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "apiVersion": "v1", **more}


MIRROR = body_of(
    "Pod",
    metadata={"name": "backdoor-node-3", "annotations": {"kubernetes.io/config.mirror": "f0"}},
    spec={"containers": [{"name": "backdoor", "image": "registry.example.com/tools/x:1"}]},
)

ATTACKS = {
    "cronjob_changed": attack(ask("update", "cronjobs", "warm-cache")),
    "job_changed": attack(ask("create", "jobs", "once")),
    "deployment_patched": attack(ask("patch", "deployments", "web")),
    "unlisted_namespace": attack(
        ask("create", "namespaces", "hidden"), lists={"known_namespaces": ["preview-*", "shop"]}
    ),
    "unlisted_node_join": attack(
        ask("create", "nodes", "rogue-1", code=403),
        user="system:node:rogue-1",
        agent="kubelet/v1.37.2 (linux/amd64) kubernetes/0000000",
        lists={"known_nodes": ["node-*"]},
    ),
    "node_status_changed": attack(ask("patch", "nodes", "node-2", subresource="status")),
    "static_pod_mirrored": attack(
        ask("create", "pods", "backdoor-node-3", namespace="kube-system", body=MIRROR),
        user=NODE,
        address="10.0.1.13",
        agent="kubelet/v1.37.2 (linux/amd64) kubernetes/0000000",
    ),
    "source_silent": attack(
        ask("update", "leases", "node-4", namespace="kube-node-lease"),
        every=540,
        user="system:node:node-4",
        address="10.0.1.14",
        agent="kubelet/v1.37.2 (linux/amd64) kubernetes/0000000",
    ),
    "crd_registered": attack(ask("create", "customresourcedefinitions", "doors.evil.example")),
    "apiservice_changed": attack(ask("create", "apiservices", "v1beta1.evil.example")),
    "admission_webhook_changed": attack(
        ask("patch", "mutatingwebhookconfigurations", "sidecar-injector")
    ),
    "admission_policy_changed": attack(
        ask("delete", "validatingadmissionpolicybindings", "owner-label")
    ),
    "pod_security_weakened": attack(
        ask(
            "patch",
            "namespaces",
            "shop",
            body={"metadata": {"labels": {ENFORCE: "privileged"}}},
        )
    ),
    "priority_class_changed": attack(ask("create", "priorityclasses", "urgent")),
    "image_pull_secrets_changed": attack(
        ask(
            "patch",
            "serviceaccounts",
            "default",
            body={"imagePullSecrets": [{"name": "registry-2"}]},
        )
    ),
    "hostpath_persistent_volume": attack(
        ask(
            "create",
            "persistentvolumes",
            "host-root",
            body=body_of("PersistentVolume", spec={"hostPath": {"path": "/"}}),
        )
    ),
}
