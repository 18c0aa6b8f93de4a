"""Activity streams: something is made, something is deleted."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.step import ask

STREAMS = {
    "clusterrole": "clusterroles",
    "clusterrolebinding": "clusterrolebindings",
    "configmap": "configmaps",
    "deployment": "deployments",
    "namespace": "namespaces",
    "role": "roles",
    "rolebinding": "rolebindings",
    "secret": "secrets",
    "service": "services",
    "serviceaccount": "serviceaccounts",
}

ATTACKS = {
    **{
        f"activity_{kind}_created": attack(ask("create", resource, "debug-tools"))
        for kind, resource in STREAMS.items()
    },
    **{
        f"activity_{kind}_deleted": attack(ask("delete", resource, "debug-tools"))
        for kind, resource in STREAMS.items()
    },
    "aks_allowed_create": attack(ask("create", "pods", "debug-tools")),
}
