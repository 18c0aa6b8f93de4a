"""Secrets, tokens, certificates and ConfigMaps."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.building import event
from tests.hunt.library.cases import burst, pair, usual

ACCOUNT = "system:serviceaccount:shop:cart"
CONTROLLER = "system:serviceaccount:kube-system:deployment-controller"
OPERATOR = "system:serviceaccount:external-secrets:external-secrets"
NODE = "system:node:node-1"
ARC = "system:serviceaccount:azure-arc:azure-arc-kube-aad-proxy-sa"
CURL = "curl/8.5.0"
KUBELET = "kubelet/v1.37.2 (linux/amd64) kubernetes/0000000"
CLIENT = "kubernetes.io/kube-apiserver-client"
CSRS = "certificatesigningrequests"
MANAGER = "AWSWesleyClusterManagerLambda-AddonManagerRole-1A"


def secret(verb: str = "get", **more: Any) -> dict[str, Any]:
    return event(verb, "secrets", **more)


def everywhere(**more: Any) -> dict[str, Any]:
    return secret("list", namespace="", requestURI="/api/v1/secrets?limit=500", **more)


def token(**more: Any) -> dict[str, Any]:
    return event(
        "create", "serviceaccounts", name="deployer", subresource="token", code=201, **more
    )


def request_for(organization: str, name: str) -> str:
    """A certificate request as CertificateSigningRequest carries it."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(Encoding.PEM)).decode()


def csr(
    organization: str = "staff", name: str = "carol", signer: str = CLIENT, **more: Any
) -> dict[str, Any]:
    usages = ["client auth"] if signer == CLIENT else ["server auth"]
    spec = {"request": request_for(organization, name), "signerName": signer, "usages": usages}
    said: dict[str, Any] = {"name": "wanted", "code": 201, "namespace": ""}
    return event("create", CSRS, requestObject={"spec": spec}, **(said | more))


def approval(**more: Any) -> dict[str, Any]:
    said = {"name": "wanted", "namespace": "", "subresource": "approval"}
    return event("update", CSRS, **(said | more))


def configmap(verb: str, name: str, **more: Any) -> dict[str, Any]:
    return event(verb, "configmaps", namespace="kube-system", name=name, **more)


def by_amazon(body: dict[str, Any], role: str = MANAGER) -> dict[str, Any]:
    """The same request by the add-on manager of EKS, with an IAM role."""
    arn = f"arn:aws:sts::602401143452:assumed-role/{role}/0b1c"
    user = {"username": "eks:addon-manager", "extra": {"arn": [arn]}}
    return body | {"user": user, "sourceIPs": ["203.0.113.25"], "userAgent": "Go-http-client/1.1"}


def with_data(data: dict[str, str], **more: Any) -> dict[str, Any]:
    return event("create", "configmaps", name="app", requestObject={"data": data}, **more)


PAIRS = {
    "secret_get": pair(secret(name="s"), [secret(name="s", code=403), secret(user=NODE)]),
    "secret_list": pair(secret("list", code=403), [secret("get"), secret("list", user=CONTROLLER)]),
    "secret_list_sensitive_scope": pair(
        secret("list", namespace="kube-system"),
        [
            secret("list", namespace="kube-system", code=403),
            secret("list"),
            everywhere(user=OPERATOR),
        ],
    ),
    "secret_dump_all_namespaces": pair(
        everywhere(),
        [
            everywhere(code=403),
            secret("list"),
            *(secret(verb, namespace="", user=ACCOUNT, requestURI="/x?resourceVersion=0",
                     agent="cart/v1.4.0", seconds=seconds)
              for seconds, verb in enumerate(("list", "watch"))),
        ],
    ),
    "secret_access_script_client": pair(
        secret(agent=CURL), [secret(), secret(agent=CURL, code=403), event(agent=CURL)]
    ),
    "secret_access_new_caller": pair(
        secret(user="bob"),
        [secret(), secret(user="bob", code=403)],
        before=[*usual(), secret(seconds=-60)],
    ),
    "secret_access_node_or_sa": pair(
        secret(user=NODE, agent=CURL, code=403),
        [secret(user=NODE, agent=KUBELET), secret(user=ACCOUNT), secret(code=403)],
    ),
    "secret_write": pair(
        secret("patch"), [secret("patch", requestURI="/x?dryRun=All"), secret("create", code=409)]
    ),
    "secret_write_system_namespace": pair(
        secret("create", namespace="kube-system", code=201),
        [
            secret("create", code=201),
            secret("create", namespace="kube-system", name="sh.helm.release.v1.a.v1", code=201),
            secret("create", namespace="kube-system", user=CONTROLLER, code=201),
        ],
    ),
    "helm_release_read_burst": pair(
        burst(15, resource="secrets", name="sh.helm.release.v1.a{n}.v1", agent="Helm/3.16.2"),
        [
            *burst(14, resource="secrets", name="sh.helm.release.v1.a{n}.v1", agent="Helm/3.16.2"),
            *burst(20, resource="secrets", name="db-{n}", agent="Helm/3.16.2", user="bob"),
        ],
    ),
    "secret_overwrite_burst": pair(
        burst(10, verb="patch", resource="secrets", name="s{n}"),
        burst(20, verb="patch", resource="secrets", name="s"),
    ),
    "arc_proxy_secret_configmap": pair(
        secret(user=ARC), [secret(user=ARC, namespace="azure-arc"), secret(user=ACCOUNT)]
    ),
    "service_account_token_created": pair(
        token(),
        [
            token(user=NODE, agent=KUBELET),
            token(user=CONTROLLER, namespace="kube-system"),
            event("create", "serviceaccounts", name="deployer", code=201),
        ],
    ),
    "client_csr_created": pair(
        csr(), [csr(signer="kubernetes.io/kubelet-serving"), csr(user=NODE), csr(code=403)]
    ),
    "csr_created_or_approved": pair(
        approval(), [approval(code=403), event("update", CSRS, name="x", subresource="status")]
    ),
    "csr_self_approved": pair(
        [csr(), approval(seconds=60)], [csr(), approval(seconds=60, user="bob")]
    ),
    "csr_privileged_identity": pair(csr("system:masters", "eve", code=403), csr()),
    "configmap_private_credentials": pair(
        with_data({"app.properties": "user = x\naws_secret_access_key = abcdef\n"}),
        with_data({"app.properties": "password = ${DB_PASSWORD}\npassword_policy = strict\n"}),
    ),
    "aws_auth_changed": pair(
        [configmap("patch", "aws-auth"), by_amazon(configmap("patch", "aws-auth"), "mine")],
        [configmap("patch", "aws-auth", code=403), configmap("get", "aws-auth"),
         by_amazon(configmap("patch", "aws-auth"))],
    ),
    "dns_config_changed": pair(
        configmap("update", "coredns"),
        [by_amazon(configmap("update", "coredns")), configmap("update", "app")],
    ),
}  # fmt: skip
