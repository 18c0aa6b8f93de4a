"""Admission, certificates, security tools and the configuration of the control plane."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.attacks.roles import RBAC, binding
from k8sidx.generate.step import ask

EVERYBODY = {"kind": "Group", "apiGroup": RBAC, "name": "system:authenticated"}

ATTACKS = {
    "authenticated_access_granted": attack(binding("edit", EVERYBODY)),
    "mutating_policy_made": attack(
        ask("create", "mutatingadmissionpolicies", "sidecar", code=201)
    ),
    "admission_refused": attack(
        ask(
            "create", "deployments", "web", code=403, admitted=True,
            message='admission webhook "validate.kyverno.svc" denied the request: privileged',
        )
    ),
    "security_tool_disabled": attack(ask("delete", "daemonsets", "falco", namespace="falco")),
    "control_plane_config_changed": attack(
        ask("update", "configmaps", "extension-apiserver-authentication", namespace="kube-system")
    ),
    "masters_group_used": attack(ask("list", "secrets", groups=["system:masters"])),
    "namespace_deleted": attack(ask("delete", "namespaces", "payments")),
    "csr_removed_or_refused": attack(ask("delete", "certificatesigningrequests", "carla")),
    "trust_bundle_changed": attack(ask("update", "clustertrustbundles", "internal:ca")),
}  # fmt: skip
