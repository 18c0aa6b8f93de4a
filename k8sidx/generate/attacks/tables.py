"""Rows of top-N hunts: clients that never stop, and requests that are made once."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.step import ask

FLOOD = attack(
    ask("list", "pods"),
    share=0.04,
    user="system:serviceaccount:shop:inventory-sync",
    agent="inventory-sync/0.3",
)
"""A workload that asks for pods in a loop: one of the ten busiest clients."""

HARVEST = attack(ask("get", "configmaps", "settings"), share=0.02, agent="okhttp/4.12.0")
"""A person's credentials in a loop: the busiest of the people."""

REFUSED = attack(ask("list", "secrets", code=403), share=0.004)
"""A client that is refused and tries again: one of the ten who are refused most."""

ATTACKS = {
    "topn_active_service_accounts": FLOOD,
    "topn_source_ip": FLOOD,
    "topn_status_code": attack(
        ask("create", "pods", "web-0", subresource="eviction", code=429),
        share=0.004,
        user="system:serviceaccount:shop:scaler",
    ),
    "topn_user_agent": FLOOD,
    "topn_user_by_agent": HARVEST,
    "topn_user_by_ip": HARVEST,
    "topn_forbidden_list_resource": REFUSED,
    "topn_forbidden_user": REFUSED,
    "rare_rbac_reason": attack(
        ask(
            "get",
            "pods",
            "web",
            annotations={
                "authorization.k8s.io/reason": "RBAC: allowed by ClusterRoleBinding "
                '"break-glass" of ClusterRole "cluster-admin" to User "on-call"'
            },
        ),
        alone=True,
    ),
    "rare_kubectl_call": attack(ask("list", "podtemplates"), alone=True),
    "unauthorized_or_forbidden": attack(ask("list", "pods", code=403)),
}
