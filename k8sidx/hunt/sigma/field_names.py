"""Mapping of field names in foreign Sigma rules to names of the field table.

No audit.k8s.io/v1 event has a field ``hostPath``; rules of SigmaHQ, pySigma's own pipelines
and Elastic's Kubernetes integration use such names. Paths into a pod or a pod template map to
the fields that are promoted from both.
"""

from __future__ import annotations

import re

SHORT = {
    "apiGroup": "objectRef.apiGroup",
    "apiVersion": "objectRef.apiVersion",
    "capabilities": "pod.capabilities",
    "clientIP": "sourceIPs",
    "code": "responseStatus.code",
    "command": "exec.command_line",
    "decision": "annotations.authorization.k8s.io/decision",
    "groups": "user.groups",
    "hostIPC": "pod.host_ipc",
    "hostNetwork": "pod.host_network",
    "hostPID": "pod.host_pid",
    "hostPath": "pod.host_paths",
    "image": "pod.images",
    "name": "objectRef.name",
    "namespace": "objectRef.namespace",
    "privileged": "pod.privileged",
    "resource": "objectRef.resource",
    "sourceIP": "sourceIPs",
    "subresource": "objectRef.subresource",
    "user": "user.username",
    "username": "user.username",
}
"""Names without a path."""

_POD = {
    "hostIPC": "pod.host_ipc",
    "hostNetwork": "pod.host_network",
    "hostPID": "pod.host_pid",
    "serviceAccount": "pod.service_account",
    "serviceAccountName": "pod.service_account",
    "volumes.hostPath": "pod.host_paths",
    "volumes.hostPath.path": "pod.host_paths",
}
_CONTAINER = {
    "args": "pod.commands",
    "command": "pod.commands",
    "image": "pod.images",
    "name": "pod.containers",
    "securityContext.allowPrivilegeEscalation": "pod.allow_privilege_escalation",
    "securityContext.capabilities.add": "pod.capabilities",
    "securityContext.privileged": "pod.privileged",
}
_BODY = {
    "roleRef.kind": "rbac.role_kind",
    "roleRef.name": "rbac.role",
    "rules.apiGroups": "rbac.api_groups",
    "rules.resources": "rbac.resources",
    "rules.verbs": "rbac.verbs",
    "spec.signerName": "csr.signer_name",
    "spec.type": "service.type",
    "spec.usages": "csr.usages",
}
_ELASTIC = "kubernetes.audit."
_IN_POD = re.compile(
    r"(?:requestObject|responseObject)\.spec\."
    r"(?:jobTemplate\.spec\.)?(?:template\.spec\.)?(.+)"
)
_IN_CONTAINER = re.compile(r"(?:containers|initContainers|ephemeralContainers)\.(.+)")
_IN_BODY = re.compile(r"(?:requestObject|responseObject)\.(.+)")
_INDEXES = re.compile(r"\[(?:\d+|\*)?\]")


def stored_name(name: str, known: frozenset[str]) -> str:
    """Return the name in the field table of a rule's field; unknown names are unchanged.

    :param known: names in the field table, which take precedence.
    """
    if name in known:
        return name
    plain = _INDEXES.sub("", name.removeprefix(_ELASTIC))
    if plain.startswith("annotations."):
        # Elastic's integration stores annotations with their dots as underscores.
        key, slash, rest = plain.partition("/")
        plain = f"{key.replace('_', '.')}{slash}{rest}"
    if plain in known:
        return plain
    return SHORT.get(plain) or _in_body(plain) or plain


def _in_body(name: str) -> str:
    body = _IN_BODY.fullmatch(name)
    if body and body[1] in _BODY:
        return _BODY[body[1]]
    pod = _IN_POD.fullmatch(name)
    if not pod:
        return ""
    container = _IN_CONTAINER.fullmatch(pod[1])
    return _CONTAINER.get(container[1], "") if container else _POD.get(pod[1], "")
