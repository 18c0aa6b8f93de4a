"""From where, and with which client."""

from __future__ import annotations

from k8sidx.generate.attack import attack
from k8sidx.generate.step import ISSUED_ID, ask

ACCOUNT = "system:serviceaccount:shop:cart"
CONTROLLER = "system:serviceaccount:kube-system:clusterrole-aggregation-controller"
NODE = "system:node:node-1"
OFFICE = "198.51.100.200"
POD_TOKEN, MINTED_TOKEN = "JTI=5f0c8a3e-pod", "JTI=5f0c8a3e-minted"
TOR_EXIT = "203.0.113.66"
ABROAD, OTHER_PROVIDER = "203.0.113.201", "192.0.2.251"
"""Addresses that are in another country, or another provider's, for whoever has a database with
the addresses of documentation (docs/places.md)."""
CERTIFICATE = "X509SHA256=5f0c8a3e-person"

ATTACKS = {
    "suspicious_tool_user_agent": attack(
        ask("create", "selfsubjectaccessreviews"),
        agent="rakkess/v0.5.1 (linux/amd64) kubernetes/$Format",
    ),
    "new_user_agent": attack(
        ask("list", "pods"), before=[ask("list", "pods", agent="k9s/v0.32.5")], agent="curl/8.5.0"
    ),
    "forbidden_new_user_agent": attack(
        ask("list", "nodes", code=403), agent="kubiscan/1.6 python-urllib3/2.2"
    ),
    "workload_change_new_caller": attack(
        ask("patch", "deployments", "web"),
        before=[ask("patch", "deployments", "web", address=OFFICE)],
    ),
    "threat_intel_source_ip": attack(
        ask("list", "pods"), address=TOR_EXIT, lists={"threat_addresses": [TOR_EXIT]}
    ),
    "system_principal_public_ip": attack(
        ask("list", "configmaps"), user=ACCOUNT, address="192.0.2.250", agent="curl/8.5.0"
    ),
    "credential_two_places": attack(
        ask("list", "configmaps", credential=POD_TOKEN, address="10.244.2.12", agent="cart/v1.4.0"),
        ask("list", "secrets", credential=POD_TOKEN, seconds=40),
        user=ACCOUNT,
        address="10.244.9.34",
        agent="curl/8.5.0",
    ),
    "minted_token_used": attack(
        ask(
            "create",
            "serviceaccounts",
            "cart",
            subresource="token",
            code=201,
            annotations={ISSUED_ID: MINTED_TOKEN},
        ),
        ask("list", "secrets", credential=MINTED_TOKEN, user=ACCOUNT, seconds=5),
    ),
    "new_source_country": attack(
        ask("list", "pods"), before=[ask("list", "pods", address=OFFICE)], address=ABROAD
    ),
    "new_source_provider": attack(
        ask("list", "pods"), before=[ask("list", "pods", address=OFFICE)], address=OTHER_PROVIDER
    ),
    "impossible_travel": attack(
        ask("list", "pods", address=OFFICE), ask("list", "secrets", seconds=60), address=ABROAD
    ),
    "credential_impossible_travel": attack(
        ask("list", "pods", address=OFFICE, credential=CERTIFICATE),
        ask("list", "secrets", credential=CERTIFICATE, seconds=60),
        address=ABROAD,
    ),
    "unversioned_program": attack(
        ask("list", "secrets"), agent="lootkube/v0.0.0 (linux/amd64) kubernetes/$Format"
    ),
    "identity_foreign_caller": attack(
        ask("list", "secrets", namespace=""), user=CONTROLLER, address="10.244.9.9"
    ),
    "claimed_address_internal": attack(ask("list", "pods", claimed=["127.0.0.1"])),
    "node_identity_other_client": attack(
        ask("list", "pods", namespace=""), user=NODE, address="10.0.1.11", agent="curl/8.5.0"
    ),
}
