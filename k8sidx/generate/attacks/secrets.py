"""Secrets, tokens, certificates and ConfigMaps."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from k8sidx.generate.attack import attack
from k8sidx.generate.step import Step, again, ask, encoded

NODE = "system:node:node-2"
ARC = "system:serviceaccount:azure-arc:azure-arc-kube-aad-proxy-sa"
CSRS = "certificatesigningrequests"
CURL = "curl/8.5.0"


def certificate_request(name: str, organization: str) -> str:
    """A PKCS #10 request, the same each time: Ed25519 signs without chance."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, None)
    return encoded(signed.public_bytes(Encoding.PEM))


def requested(name: str, person: str, organization: str) -> Step:
    spec = {
        "request": certificate_request(person, organization),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    body = {
        "kind": "CertificateSigningRequest",
        "apiVersion": "certificates.k8s.io/v1",
        "metadata": {"name": name},
        "spec": spec,
        "status": {},
    }
    return ask("create", CSRS, name, body=body)


def approved(name: str, seconds: float = 0) -> Step:
    return ask("update", CSRS, name, subresource="approval", seconds=seconds)


def secret(verb: str = "get", name: str = "", **more: Any) -> Step:
    return ask(verb, "secrets", name, **more)


ATTACKS = {
    "secret_get": attack(secret(name="payments-db")),
    "secret_list": attack(secret("list")),
    "secret_get_denied": attack(again(secret(name="db-{n}", code=403), 12)),
    "secret_read_burst": attack(again(secret(name="db-{n}"), 30, 2)),
    "helm_release_read_burst": attack(
        again(secret(name="sh.helm.release.v1.app-{n}.v1"), 20), agent="Helm/3.16.2"
    ),
    "secret_list_sensitive_scope": attack(secret("list", namespace="kube-system")),
    "secret_dump_all_namespaces": attack(secret("list", namespace="", query=[("limit", "500")])),
    "secret_access_script_client": attack(secret(name="payments-db"), agent=CURL),
    "secret_access_new_caller": attack(
        secret(name="payments-db"), before=[ask("get", "pods", "web")]
    ),
    "secret_access_node_or_sa": attack(
        secret(name="payments-db", code=403), user=NODE, address="10.0.1.12", agent=CURL
    ),
    "secret_write": attack(secret("patch", "payments-db")),
    "secret_write_system_namespace": attack(
        secret("create", "cloud-token", namespace="kube-system")
    ),
    "secret_overwrite_burst": attack(again(secret("patch", "db-{n}"), 25)),
    "arc_proxy_secret_configmap": attack(secret(name="payments-db"), user=ARC),
    "service_account_token_created": attack(
        ask("create", "serviceaccounts", "deployer", subresource="token")
    ),
    "client_csr_created": attack(requested("carla", "carla", "engineering")),
    "csr_created_or_approved": attack(approved("carla")),
    "csr_self_approved": attack(requested("erich", "erich", "engineering"), approved("erich", 90)),
    "csr_privileged_identity": attack(requested("root", "root", "system:masters")),
    "configmap_private_credentials": attack(
        ask(
            "create",
            "configmaps",
            "legacy-settings",
            body={
                "kind": "ConfigMap",
                "apiVersion": "v1",
                "metadata": {"name": "legacy-settings"},
                "data": {"app.properties": "user = app\naws_secret_access_key = abcdefabcdef\n"},
            },
        )
    ),
    "aws_auth_changed": attack(ask("patch", "configmaps", "aws-auth", namespace="kube-system")),
    "dns_config_changed": attack(ask("update", "configmaps", "coredns", namespace="kube-system")),
}
