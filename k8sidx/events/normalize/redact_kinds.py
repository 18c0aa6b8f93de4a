"""Kinds of objects that hold secrets, where in them these are, and the masks for them."""

from __future__ import annotations

from typing import Any

from k8sidx.events.normalize.redact_marks import MARK, is_mark

APPLIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "kapp.k14s.io/original",
        "kapp.k14s.io/original-diff",
        "objectset.rio.cattle.io/applied",
        "banzaicloud.com/last-applied",
        "argocd.argoproj.io/last-applied-configuration",
    }
)
"""Annotations in which tools keep the object as it was applied."""

KIND_OF_RESOURCE = {
    "secrets": "Secret",
    "secrets/status": "Secret",
    "configmaps": "ConfigMap",
    "tokenreviews": "TokenReview",
    "certificatesigningrequests": "CertificateSigningRequest",
    "certificatesigningrequests/approval": "CertificateSigningRequest",
    "certificatesigningrequests/status": "CertificateSigningRequest",
    "serviceaccounts/token": "TokenRequest",
    "helmreleases": "HelmRelease",
    "helmcharts": "HelmChart",
    "helmchartconfigs": "HelmChartConfig",
}
PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Secret": (("data",), ("stringData",), ("binaryData",)),
    "ConfigMap": (("data",), ("binaryData",)),
    "TokenRequest": (("status", "token"),),
    "TokenReview": (("spec", "token"), ("status", "user"), ("status", "error")),
    "CertificateSigningRequest": (("spec", "request"), ("status", "certificate")),
    "HelmRelease": (("spec", "values"),),
    "ExternalSecret": (("spec", "target", "template", "data"),),
    "ClusterExternalSecret": (("spec", "externalSecretSpec", "target", "template", "data"),),
    "PushSecret": (("spec", "template", "data"),),
    "SealedSecret": (("spec", "template", "data"),),
    "SecretStore": (("spec", "provider", "fake", "data"),),
    "ClusterSecretStore": (("spec", "provider", "fake", "data"),),
    "HelmChart": (("spec", "valuesContent"), ("spec", "set")),
    "HelmChartConfig": (("spec", "valuesContent"), ("spec", "set")),
}


def mask_parts(node: dict[str, Any], kind: str) -> bool:
    """Mask the parts of an object of a kind that are secret."""
    changed = False
    for path in PARTS.get(kind, ()):
        changed |= _mask_path(node, path)
    return changed


def _mask_path(node: dict[str, Any], path: tuple[str, ...]) -> bool:
    for key in path[:-1]:
        child = node.get(key)
        if not isinstance(child, dict):
            return False
        node = child
    return mask_entry(node, path[-1])


def mask_entry(node: dict[str, Any], key: str) -> bool:
    """Mask a member, or each member of it."""
    value = node.get(key)
    if value is None or is_mark(value):
        return False
    if isinstance(value, dict):
        changed = any(not is_mark(entry) for entry in value.values())
        node[key] = dict.fromkeys(value, MARK)
        return changed
    node[key] = MARK
    return True
