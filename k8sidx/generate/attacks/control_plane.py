"""Admission, certificates, security tools and the configuration of the control plane."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.attacks.roles import RBAC, binding
from k8sidx.generate.step import Step, ask

EVERYBODY = {"kind": "Group", "apiGroup": RBAC, "name": "system:authenticated"}

NODE = "system:node:node-1"


def token(seconds: int, **more: str) -> Step:
    body = {"kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
    return ask("create", "serviceaccounts", "app", subresource="token", body=body, code=201, **more)


REVIEW = {
    "user": "system:serviceaccount:monitoring:agent",
    "resourceAttributes": {"verb": "create", "resource": "nodes", "subresource": "proxy"},
}
SNIPPET = {"nginx.ingress.kubernetes.io/configuration-snippet": "more_set_headers x;"}
ROLE = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/admin"}
SHARING = {"containers": [{"name": "a", "image": "b"}], "shareProcessNamespace": True}

ATTACKS = {
    "service_account_token_short": attack(token(600)),
    "system_account_long_token": attack(token(31_536_000, namespace="kube-system")),
    "kubelet_asked_directly": attack(
        ask("create", "subjectaccessreviews", namespace="", body={"spec": REVIEW}, code=201),
        user=NODE, address="10.0.1.11", agent="kubelet/v1.37.2 (linux/amd64) kubernetes/0000000",
    ),
    "ingress_injection": attack(
        ask("create", "ingresses", "web", body={"metadata": {"annotations": SNIPPET}}, code=201)
    ),
    "cloud_identity_bound": attack(
        ask("patch", "serviceaccounts", "app", body={"metadata": {"annotations": ROLE}})
    ),
    "container_escape_settings": attack(
        ask("create", "pods", "p", body={"kind": "Pod", "spec": SHARING}, code=201)
    ),
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
