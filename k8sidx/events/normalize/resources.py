"""Fields of services, Ingresses, namespaces, ConfigMaps and other resources."""

from __future__ import annotations

from typing import Any

from k8sidx.events.normalize.json_tree import (
    Fields,
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
# Service annotations that make a cloud's load balancer an internal one, and what they then say.
_INTERNAL = (
    ("service.beta.kubernetes.io/aws-load-balancer-internal", ("true", "0.0.0.0/0")),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", ("internal",)),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", ("true",)),
    ("networking.gke.io/load-balancer-type", ("internal",)),
    ("cloud.google.com/load-balancer-type", ("internal",)),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", ("true",)),
)
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
POD_SECURITY = "pod-security.kubernetes.io/enforce"


def other_fields(body: Fields, target: str, verb: str, into: Fields) -> None:
    """The fields of an object that is neither workload nor RBAC.

    :param target: its resource.
    """
    match target:
        case "services":
            service_fields(body, into)
        case "ingresses":
            # A patch that does not speak of TLS leaves it as it is.
            if verb != "patch" or "tls" in mapping(body, "spec") or _is_whole(body):
                ingress_fields(body, into)
        case "namespaces":
            namespace_fields(body, into)
        case "configmaps":
            put_list(into, "configmap.credentials", credential_keys(body))
        case "serviceaccounts":
            names = [text(one, "name") for one in mappings(body, "imagePullSecrets")]
            put_list(into, "serviceaccount.image_pull_secrets", [name for name in names if name])
        case "persistentvolumes":
            spec = mapping(body, "spec")
            paths = [text(mapping(spec, kind), "path") for kind in ("hostPath", "local")]
            put_text(into, "volume.host_path", next((node_path(p) for p in paths if p), ""))


def service_fields(body: Fields, into: Fields) -> None:
    """Type, ports and addresses of a Service, and what is behind it."""
    spec = mapping(body, "spec")
    metadata = mapping(body, "metadata")
    put_text(into, "service.type", spec.get("type"))
    ports = [_number(one.get("port")) for one in mappings(spec, "ports")]
    put_list(into, "service.ports", _distinct(ports))
    put_list(into, "service.external_ips", _distinct(texts(spec, "externalIPs")))
    labels = (mapping(metadata, "labels"), mapping(spec, "selector"))
    apps = [text(metadata, "name"), *(text(one, key) for one in labels for key in _APP_LABELS)]
    put_list(into, "service.apps", _distinct(apps))
    annotations = mapping(metadata, "annotations")
    ranges = texts(spec, "loadBalancerSourceRanges")
    internal = any(text(annotations, key).lower() in values for key, values in _INTERNAL)
    if internal or (ranges and not _EVERYWHERE.intersection(ranges)):
        into["service.internal"] = True


def ingress_fields(body: Fields, into: Fields) -> None:
    """Whether an Ingress has TLS; one without any rule and backend serves nothing."""
    spec = mapping(body, "spec")
    serves = spec.get("rules") or spec.get("defaultBackend") or spec.get("backend")
    if serves and not mappings(spec, "tls"):
        into["ingress.without_tls"] = True


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


def _distinct(values: list[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]
