"""Admission, certificates, security tools and the configuration of the control plane."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import pair
from tests.hunt.library.roles import binding

SYSTEM: dict[str, Any] = {"namespace": "kube-system"}
CONTROLLER = "system:serviceaccount:kube-system:root-ca-cert-publisher"
CSRS = "certificatesigningrequests"
POLICY = "mutatingadmissionpolicies"
MASTERS = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}


def everybody(group: str, role: str = "view", **more: Any) -> dict[str, Any]:
    return binding(role, {"kind": "Group", "name": group}, **more)


def refused(message: str, code: int = 403, **more: Any) -> dict[str, Any]:
    status = {"metadata": {}, "code": code, "message": message}
    return event("create", "deployments", decision="allow", code=code, **more) | {
        "responseStatus": status
    }


DENIED = 'admission webhook "validate.kyverno.svc" denied the request: no'
BY_POLICY = (
    "deployments.apps \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied "
    "request: no"
)


def token(seconds: int, **more: Any) -> dict[str, Any]:
    body = {"kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
    said: dict[str, Any] = {"name": "app", "subresource": "token", "code": 201}
    return event("create", "serviceaccounts", requestObject=body, **(said | more))


def review(whom: str, subresource: str, **more: Any) -> dict[str, Any]:
    asked = {"verb": "create", "resource": "nodes", "subresource": subresource}
    body = {"spec": {"user": whom, "resourceAttributes": asked}}
    said: dict[str, Any] = {"user": "system:node:node-1", "namespace": "", "code": 201}
    return event("create", "subjectaccessreviews", requestObject=body, **(said | more))


def ingress(annotations: dict[str, str], path: str = "/", **more: Any) -> dict[str, Any]:
    rules = [{"http": {"paths": [{"path": path}]}}]
    body = {"metadata": {"annotations": annotations}, "spec": {"rules": rules}}
    return event("create", "ingresses", name="web", requestObject=body, code=201, **more)


def annotated(key: str, **more: Any) -> dict[str, Any]:
    body = {"metadata": {"annotations": {key: "reader"}}}
    return event("patch", "serviceaccounts", name="app", requestObject=body, **more)


def pod(**spec: Any) -> dict[str, Any]:
    containers = {"containers": [{"name": "a", "image": "b"}]}
    return event("create", name="p", requestObject={"spec": containers | spec}, code=201)


NGINX = "nginx.ingress.kubernetes.io/"
YEAR = 31_536_000

PAIRS = {
    "service_account_token_short": pair(
        token(600),
        [token(YEAR), token(600, **SYSTEM), token(3600, user="system:node:node-1")],
    ),
    "system_account_long_token": pair(
        token(YEAR, **SYSTEM),
        [token(3600, **SYSTEM), token(YEAR), token(YEAR, code=403, **SYSTEM)],
    ),
    "kubelet_asked_directly": pair(
        review("system:serviceaccount:monitoring:agent", "proxy"),
        [
            review("kube-apiserver-kubelet-client", "proxy"),
            review("system:serviceaccount:monitoring:agent", "metrics"),
            review("bob", "proxy", user="alice"),
        ],
    ),
    "ingress_injection": pair(
        [
            ingress({f"{NGINX}configuration-snippet": "x"}),
            ingress({f"{NGINX}auth-url": "http://a/#;}\nload_module x"}),
            ingress({}, "/a;{ lua }"),
        ],
        [
            ingress({f"{NGINX}auth-url": "http://auth.shop.svc/check"}, "/api/v1"),
            ingress({"example.com/note": "a;b"}),
        ],
    ),
    "cloud_identity_bound": pair(
        [annotated("eks.amazonaws.com/role-arn"), annotated("azure.workload.identity/client-id")],
        [annotated("example.com/owner"), annotated("eks.amazonaws.com/role-arn", code=403)],
    ),
    "container_escape_settings": pair(
        [
            pod(volumes=[{"name": "g", "gitRepo": {"repository": "https://evil.example/x"}}]),
            pod(shareProcessNamespace=True),
            pod(securityContext={"windowsOptions": {"hostProcess": True}}),
            pod(securityContext={"sysctls": [{"name": "kernel.core_pattern", "value": "|/x"}]}),
        ],
        pod(
            shareProcessNamespace=False,
            securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]},
        ),
    ),
    "authenticated_access_granted": pair(
        [
            everybody("system:authenticated"),
            everybody("system:serviceaccounts", verb="patch"),
            everybody("system:masters", cluster=False),
        ],
        [
            everybody("system:authenticated", "system:discovery"),
            everybody("developers"),
            everybody("system:serviceaccounts:shop"),
            everybody("system:authenticated", code=403),
        ],
    ),
    "mutating_policy_made": pair(
        [
            event("create", POLICY, name="p", code=201),
            event("patch", "mutatingadmissionpolicybindings", name="b", code=201),
        ],
        [
            event("create", POLICY, name="p", code=403),
            event("patch", POLICY, name="p"),
            event("create", "validatingadmissionpolicies", name="p", code=201),
        ],
    ),
    "admission_refused": pair(
        [refused(DENIED, 400), refused(BY_POLICY, 422)],
        [refused("no"), refused(DENIED, 200), refused(DENIED, requestURI="/x?dryRun=All")],
    ),
    "security_tool_disabled": pair(
        [
            event("delete", "daemonsets", name="falco", namespace="falco"),
            event("patch", "deployments", name="kyverno-admission-controller", subresource="scale"),
            event("delete", "validatingwebhookconfigurations", name="gatekeeper-webhook"),
            event("create", "policyexceptions", name="x", code=201),
        ],
        [
            event("delete", "daemonsets", name="falco", namespace="falco", code=403),
            event("patch", "daemonsets", name="falco", namespace="falco", subresource="status"),
            event("delete", "deployments", name="falconry-shop"),
            event("get", "daemonsets", name="falco", namespace="falco"),
        ],
    ),
    "control_plane_config_changed": pair(
        [
            event("update", "configmaps", name="extension-apiserver-authentication", **SYSTEM),
            event("patch", "configmaps", name="kube-root-ca.crt"),
        ],
        [
            event("get", "configmaps", name="kubeadm-config", **SYSTEM),
            event("update", "configmaps", name="kube-root-ca.crt", user=CONTROLLER),
            event("update", "configmaps", name="cluster-info"),
        ],
    ),
    "masters_group_used": pair(
        event(source="203.0.113.9") | {"user": MASTERS},
        [event(), event(source="127.0.0.1") | {"user": MASTERS}],
    ),
    "namespace_deleted": pair(
        event("delete", "namespaces", name="shop"),
        [
            event("delete", "namespaces", name="shop", code=403),
            event("update", "namespaces", name="shop", subresource="finalize"),
            event("delete", "pods", name="shop"),
        ],
    ),
    "csr_removed_or_refused": pair(
        [
            event("delete", CSRS, name="x", namespace=""),
            event("patch", CSRS, name="x", subresource="approval", code=403, namespace=""),
        ],
        [
            event("delete", CSRS, name="x", namespace="", code=403),
            event("patch", CSRS, name="x", subresource="approval", namespace=""),
            event("delete", CSRS, user="system:serviceaccount:kube-system:certificate-controller"),
        ],
    ),
    "trust_bundle_changed": pair(
        [
            event("update", "clustertrustbundles", name="x", namespace=""),
            event("create", "podcertificaterequests", name="x", code=201),
        ],
        [
            event("get", "clustertrustbundles", name="x", namespace=""),
            event("create", "podcertificaterequests", user="system:node:node-1", code=201),
        ],
    ),
}
