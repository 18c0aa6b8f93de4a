"""Fields of services, Ingresses, namespaces, ConfigMaps and other resources."""

from __future__ import annotations

import re
from typing import Any

from k8sidx.events.normalize.json_tree import (
    Fields,
    distinct,
    mapping,
    mappings,
    put_list,
    put_text,
    text,
    texts,
)
from k8sidx.events.normalize.pod import node_path
from k8sidx.events.normalize.secrets_scan import credential_keys

_APP_LABELS = (
    "app",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/name",
    "k8s-app",
    "name",
)
# Service annotations that make a cloud's load balancer internal, with the values that do.
_INTERNAL = (
    ("service.beta.kubernetes.io/aws-load-balancer-internal", ("true", "0.0.0.0/0")),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", ("internal",)),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", ("true",)),
    ("networking.gke.io/load-balancer-type", ("internal",)),
    ("cloud.google.com/load-balancer-type", ("internal",)),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", ("true",)),
)
# Annotations that give the pods of a service account a role of the cloud.
_CLOUD_IDENTITY = (
    "eks.amazonaws.com/role-arn",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
)
_NGINX = "nginx.ingress.kubernetes.io/"
_BREAKS_OUT = re.compile(r"[\n\r;{}#]|load_module|lua_|ssl_engine")
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
POD_SECURITY = "pod-security.kubernetes.io/enforce"


def other_fields(body: Fields, target: str, verb: str, into: Fields) -> None:
    """Put the fields of an object that is neither workload nor RBAC.

    :param target: its resource.
    """
    match target:
        case "services":
            service_fields(body, into)
        case "ingresses":
            put_list(into, "ingress.injections", injections(body))
            # A patch without TLS leaves it as it is.
            if verb != "patch" or "tls" in mapping(body, "spec") or _is_whole(body):
                ingress_fields(body, into)
        case "namespaces":
            namespace_fields(body, into)
        case "configmaps":
            put_list(into, "configmap.credentials", credential_keys(body))
        case "serviceaccounts":
            names = [text(reference, "name") for reference in mappings(body, "imagePullSecrets")]
            put_list(into, "serviceaccount.image_pull_secrets", [name for name in names if name])
            annotations = mapping(mapping(body, "metadata"), "annotations")
            bound = [text(annotations, key) for key in _CLOUD_IDENTITY]
            put_list(into, "serviceaccount.cloud_identity", distinct(bound))
        case "serviceaccounts/token":
            seconds = mapping(body, "spec").get("expirationSeconds")
            if type(seconds) is int and 0 <= seconds < 2**31:
                into["token.expiration_seconds"] = seconds
        case "subjectaccessreviews":
            review_fields(mapping(body, "spec"), into)
        case "persistentvolumes":
            spec = mapping(body, "spec")
            paths = [text(mapping(spec, kind), "path") for kind in ("hostPath", "local")]
            put_text(into, "volume.host_path", next((node_path(p) for p in paths if p), ""))


def service_fields(body: Fields, into: Fields) -> None:
    """Put type, ports and addresses of a Service, and the applications behind it."""
    spec = mapping(body, "spec")
    metadata = mapping(body, "metadata")
    put_text(into, "service.type", spec.get("type"))
    ports = [_number(port.get("port")) for port in mappings(spec, "ports")]
    put_list(into, "service.ports", distinct(ports))
    put_list(into, "service.external_ips", distinct(texts(spec, "externalIPs")))
    labels = (mapping(metadata, "labels"), mapping(spec, "selector"))
    apps = [
        text(metadata, "name"),
        *(text(entries, key) for entries in labels for key in _APP_LABELS),
    ]
    put_list(into, "service.apps", distinct(apps))
    annotations = mapping(metadata, "annotations")
    ranges = texts(spec, "loadBalancerSourceRanges")
    internal = any(text(annotations, key).lower() in values for key, values in _INTERNAL)
    if internal or (ranges and not _EVERYWHERE.intersection(ranges)):
        into["service.internal"] = True


def ingress_fields(body: Fields, into: Fields) -> None:
    """Put whether an Ingress has TLS; one without any rule and backend serves nothing."""
    spec = mapping(body, "spec")
    serves = spec.get("rules") or spec.get("defaultBackend") or spec.get("backend")
    if serves and not mappings(spec, "tls"):
        into["ingress.without_tls"] = True


def injections(body: Fields) -> list[str]:
    """Return annotations and paths that would become configuration of nginx, not a value."""
    annotations = mapping(mapping(body, "metadata"), "annotations")
    injected = [
        key
        for key, value in annotations.items()
        if key.startswith(_NGINX)
        and (key.endswith("-snippet") or (type(value) is str and _BREAKS_OUT.search(value)))
    ]
    for rule in mappings(mapping(body, "spec"), "rules"):
        paths = [text(entry, "path") for entry in mappings(mapping(rule, "http"), "paths")]
        injected += [path for path in paths if _BREAKS_OUT.search(path)]
    return distinct(injected)


def review_fields(spec: Fields, into: Fields) -> None:
    """Put the user and the access that a SubjectAccessReview is about."""
    put_text(into, "review.user", spec.get("user"))
    access = mapping(spec, "resourceAttributes")
    if access:
        parts = [text(access, "group") or "core", text(access, "resource")]
        parts += [text(access, "subresource")] if text(access, "subresource") else []
        put_text(into, "review.access", f"{text(access, 'verb')}:{'/'.join(parts)}")


def namespace_fields(body: Fields, into: Fields) -> None:
    """The Pod Security level that the request sets or takes away."""
    labels = mapping(mapping(body, "metadata"), "labels")
    if POD_SECURITY in labels:
        into["namespace.pod_security"] = text(labels, POD_SECURITY) or "none"


def _is_whole(body: Fields) -> bool:
    """An object that was applied as a whole (server-side apply), no part of one."""
    return bool(text(body, "kind")) and "spec" in body


def _number(value: Any) -> str:
    return str(value) if type(value) is int else ""
