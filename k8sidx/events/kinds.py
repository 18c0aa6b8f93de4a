"""Kinds of Kubernetes: plural, singular and short names.

The short names are those that ``kubectl api-resources`` lists for the built-in kinds.
"""

from __future__ import annotations

_SHORT = {
    "cj": "cronjobs", "cm": "configmaps", "crd": "customresourcedefinitions",
    "crds": "customresourcedefinitions", "csr": "certificatesigningrequests",
    "deploy": "deployments", "ds": "daemonsets", "ep": "endpoints", "ev": "events",
    "hpa": "horizontalpodautoscalers", "ing": "ingresses", "limits": "limitranges",
    "netpol": "networkpolicies", "no": "nodes", "ns": "namespaces",
    "pc": "priorityclasses", "pdb": "poddisruptionbudgets", "po": "pods",
    "pv": "persistentvolumes", "pvc": "persistentvolumeclaims", "quota": "resourcequotas",
    "rc": "replicationcontrollers", "rs": "replicasets", "sa": "serviceaccounts",
    "sc": "storageclasses", "sts": "statefulsets", "svc": "services",
}  # fmt: skip
_NAMESPACED = frozenset({
    "bindings", "configmaps", "controllerrevisions", "cronjobs", "daemonsets", "deployments",
    "endpoints", "endpointslices", "events", "horizontalpodautoscalers", "ingresses", "jobs",
    "leases", "limitranges", "localsubjectaccessreviews", "networkpolicies",
    "persistentvolumeclaims", "poddisruptionbudgets", "pods", "podtemplates", "replicasets",
    "replicationcontrollers", "resourcequotas", "rolebindings", "roles", "secrets",
    "serviceaccounts", "services", "statefulsets",
})  # fmt: skip
_CLUSTER_SCOPED = frozenset({
    "apiservices", "certificatesigningrequests", "clusterrolebindings", "clusterroles",
    "csidrivers", "csinodes", "customresourcedefinitions", "flowschemas", "ingressclasses",
    "mutatingwebhookconfigurations", "namespaces", "nodes", "persistentvolumes",
    "priorityclasses", "prioritylevelconfigurations", "runtimeclasses",
    "selfsubjectaccessreviews", "selfsubjectrulesreviews", "storageclasses",
    "subjectaccessreviews", "tokenreviews", "validatingadmissionpolicies",
    "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
    "volumeattachments",
})  # fmt: skip
_KNOWN = _NAMESPACED | _CLUSTER_SCOPED
_UNCHANGED = frozenset({"endpoints"})


def plural(kind: str) -> str:
    """Return the resource of a kind: its plural in lower case.

    :param kind: a kind (``Deployment``), a resource or a short name; a group after a dot is
        left out.
    """
    name = kind.strip().lower().partition(".")[0]
    if name in _SHORT:
        return _SHORT[name]
    if name in _KNOWN or _singular(name) + "s" == name:
        return name
    if name.endswith("y") and not name.endswith(("ay", "ey", "oy")):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"


def singular(resource: str) -> str:
    """Return the singular of a resource: ``pod``, ``networkpolicy``, ``ingress``."""
    return resource if resource in _UNCHANGED else _singular(resource)


def is_known(kind: str) -> bool:
    """Whether the name is that of a built-in kind."""
    return plural(kind) in _KNOWN


def is_cluster_scoped(resource: str) -> bool:
    """Whether objects of a built-in resource belong to no namespace."""
    return resource in _CLUSTER_SCOPED


def _singular(resource: str) -> str:
    if resource.endswith("ies"):
        return f"{resource[:-3]}y"
    if resource.endswith(("sses", "xes", "uses", "ches", "shes")):
        return resource[:-2]
    return resource[:-1] if resource.endswith("s") and not resource.endswith("ss") else resource
