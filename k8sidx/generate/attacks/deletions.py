"""Deletions, one or many."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.step import again, ask

ATTACKS = {
    "deployment_deleted": attack(ask("delete", "deployments", "web")),
    "pod_deleted": attack(ask("delete", "pods", "web-0")),
    "node_deleted": attack(ask("delete", "nodes", "node-2")),
    "network_policy_deleted": attack(ask("delete", "networkpolicies", "default-deny")),
    "backup_deleted": attack(ask("delete", "volumesnapshots", "nightly")),
    "events_deleted": attack(ask("deletecollection", "events")),
    "workload_collection_deleted": attack(ask("deletecollection", "persistentvolumeclaims")),
    "workload_delete_burst": attack(again(ask("delete", "services", "svc-{n}"), 25, 5)),
    "namespace_delete_storm": attack(again(ask("delete", "namespaces", "team-{n}"), 12, 5)),
    "pod_eviction_storm": attack(
        again(ask("create", "pods", "web-{n}", subresource="eviction"), 60)
    ),
}
