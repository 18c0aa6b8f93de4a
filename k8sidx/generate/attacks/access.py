"""Requests without permission: anonymous requests, refusals, claimed and stolen identities."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.step import again, ask

ANONYMOUS = "system:anonymous"
ACCOUNT = "system:serviceaccount:shop:cart"
ROOT = {"username": "root", "groups": ["system:masters", "system:authenticated"]}
IMPERSONATION = 'users "root" is forbidden: User "{user}" cannot impersonate resource "users"'
ESCALATION = (
    'roles.rbac.authorization.k8s.io "helper" is forbidden: user is attempting to grant RBAC '
    "permissions not currently held"
)
KINDS = (
    "configmaps", "cronjobs", "daemonsets", "deployments", "endpoints", "ingresses", "jobs",
    "networkpolicies", "pods", "roles", "secrets", "services",
)  # fmt: skip

ATTACKS = {
    "anonymous_request_allowed": attack(
        ask("list", "pods", namespace="kube-system"), user=ANONYMOUS, agent="curl/8.5.0"
    ),
    "anonymous_request": attack(
        ask("get", path="/api/v1/nodes", resource="nodes", code=403),
        user=ANONYMOUS,
        agent="zgrab/0.x",
    ),
    "anonymous_pod_list": attack(
        ask("list", "pods", namespace="", code=403), user=ANONYMOUS, agent="masscan/1.3"
    ),
    "anonymous_pod_write": attack(
        ask("create", "pods", code=403), user=ANONYMOUS, agent="curl/8.5.0"
    ),
    "anonymous_endpoint_scan": attack(
        [
            ask("list", kind, namespace="", code=403, seconds=number)
            for number, kind in enumerate(KINDS)
        ],
        user=ANONYMOUS,
        agent="nuclei/3.3",
    ),
    "unauthorized_burst": attack(
        again(ask("list", "secrets", namespace="", code=401, stage="ResponseStarted"), 60, 0.5),
        user="",
        agent="python-requests/2.32.3",
    ),
    "rbac_inventory_read": attack(
        [
            ask("list", kind, namespace="", seconds=number)
            for number, kind in enumerate(("roles", "clusterroles", "clusterrolebindings"))
        ]
    ),
    "rbac_list_refused": attack(
        again(ask("list", "roles", namespace="", code=403), 3),
        agent="OpenAPI-Generator/31.0.0/python",
    ),
    "permission_review_burst": attack(again(ask("create", "selfsubjectaccessreviews"), 30)),
    "forbidden_create": attack(ask("create", "deployments", code=403)),
    "forbidden_burst_user": attack(
        [
            ask("list", kind, namespace="payments", code=403, seconds=number)
            for number, kind in enumerate(KINDS)
        ]
    ),
    "forbidden_burst_public_ip": attack(again(ask("get", "pods", "web-{n}", code=403), 20)),
    "forbidden_list_burst": attack(
        again(ask("list", "secrets", namespace="team-{n}", code=403), 12)
    ),
    "forbidden_surge": attack(again(ask("get", "pods", "web-{n}", code=403), 600, 0.2)),
    "permission_enumeration_user": attack(
        [
            ask("list", kind, namespace="data", code=403, seconds=number * 2)
            for number, kind in enumerate(KINDS)
        ]
    ),
    "multi_resource_discovery": attack(
        [
            ask("list", kind, namespace="", seconds=number)
            for number, kind in enumerate(("pods", "nodes", "roles", "secrets", "configmaps"))
        ]
    ),
    "self_subject_review_workload": attack(
        ask("create", "selfsubjectaccessreviews"), user=ACCOUNT, address="10.244.9.31"
    ),
    "self_subject_rules_review": attack(ask("create", "selfsubjectrulesreviews")),
    "service_account_rare_operation": attack(
        ask("list", "persistentvolumeclaims"),
        before=[ask("get", "pods", "web")],
        user="system:serviceaccount:shop:frontend",
        address="10.244.1.11",
    ),
    "service_account_forbidden": attack(
        ask("get", "secrets", "payments-db", namespace="payments", code=403),
        before=[ask("get", "pods", "web", code=403)],
        user="system:serviceaccount:shop:orders",
        address="10.244.3.13",
    ),
    "default_admin_user": attack(ask("list", "pods"), user="kubernetes-admin"),
    "impersonate_privileged_identity": attack(ask("list", "secrets", impersonated=ROOT)),
    "trusted_impersonator_elsewhere": attack(
        ask("list", "secrets", impersonated={"username": "carol", "groups": ["dev"]}),
        user="system:serviceaccount:kube-oidc-proxy:kube-oidc-proxy",
        address="192.0.2.250",
    ),
    "impersonation_denied": attack(ask("list", "secrets", code=403, message=IMPERSONATION)),
    "rbac_escalation_denied": attack(
        ask("create", "roles", "helper", code=403, message=ESCALATION, admitted=True)
    ),
    "unlisted_user": attack(ask("list", "pods"), lists={"known_users": ["ci-bot"]}),
    "legacy_token_used": attack(
        ask(
            "list",
            "pods",
            annotations={"authentication.k8s.io/legacy-token": "system:serviceaccount:ci:bot"},
        ),
        user="system:serviceaccount:ci:bot",
        address="10.244.9.32",
    ),
}
