"""Fields promoted from request and response objects: names, pods, RBAC, certificates.

Objects hold whatever a client sent; a value of another type than Kubernetes defines is
passed over here and stays in the whole event.
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8sidx.events.normalize.custom_workload import CUSTOM_WORKLOADS
from k8sidx.events.normalize.json_patch import patched
from k8sidx.events.normalize.json_tree import (
    Fields,
    mapping,
    mappings,
    put_list,
    put_text,
    text,
    texts,
)
from k8sidx.events.normalize.settings import RESOURCES as WITH_SETTINGS
from k8sidx.events.normalize.settings import object_settings

WORKLOADS = CUSTOM_WORKLOADS | frozenset(
    {
        "pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs",
        "replicationcontrollers", "podtemplates", "deploymentconfigs", "rollouts",
    }
)  # fmt: skip
RBAC_RESOURCES = frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})
OTHERS = frozenset(
    {
        "configmaps", "ingresses", "namespaces", "persistentvolumes", "serviceaccounts",
        "serviceaccounts/token", "services", "subjectaccessreviews",
    }
)  # fmt: skip
WRITES = frozenset({"create", "update", "patch"})
PSP = "kubernetes.io/psp"
RULES_KEPT = 1000
"""A role with more verb x resource pairs than this keeps the first; hostile input could
multiply three lists of thousands."""


def promoted_fields(
    request: Any, response: Any, verb: str | None, target: str, name: str | None, into: Fields
) -> None:
    """Put all fields that come from the bodies.

    :param target: resource, or resource/subresource, of the request.
    :param name: the object's name in the request.
    """
    if type(request) is list:
        into["request.json_patch"] = True
        requested: Any = patched(request)
    else:
        requested = request
    if type(request) is dict:
        body_fields("requestObject", request, into)
    if type(response) is dict:
        body_fields("responseObject", response, into)
        answer_fields(response, into)
    if target == "pods/exec":
        if type(request) is dict:
            command_fields(request, into)
        return
    if verb not in WRITES:
        if type(request) is dict and request.get("dryRun") == ["All"]:
            into["request.dry_run"] = True
        return
    if is_written_workload(verb, target):
        put_text(into, "pod.workload", name)
    # The requested object counts; where the policy left it out, the resulting one does.
    bodies = [body for body in (requested, response) if type(body) is dict]
    if not bodies:
        return
    if target in WORKLOADS or target == "pods/ephemeralcontainers":
        from k8sidx.events.normalize.pod import pod_fields

        pod_fields(bodies[0], target, name, into)
    elif target in RBAC_RESOURCES:
        binding_fields(requested if type(request) is list else {}, into)
        role_fields(bodies[0] if "rules" in bodies[0] else bodies[-1], into)
    elif target.startswith("certificatesigningrequests"):
        certificate_fields(bodies[0], into)
    if target in WITH_SETTINGS:
        put_list(into, "object.settings", object_settings(bodies[0], target, verb or ""))
    if target in OTHERS:
        from k8sidx.events.normalize.resources import other_fields

        other_fields(bodies[0], target, verb, into)


def is_written_workload(verb: str | None, target: str) -> bool:
    """Whether a request writes an object that pods are made from."""
    return verb in WRITES and (target in WORKLOADS or target == "pods/ephemeralcontainers")


def promotes(verb: str | None, target: str) -> bool:
    """Whether :func:`promoted_fields` looks further into the bodies of a request than at what
    every object has."""
    return target == "pods/exec" or (
        verb in WRITES
        and (
            is_written_workload(verb, target)
            or target in RBAC_RESOURCES
            or target in OTHERS
            or target in WITH_SETTINGS
            or target.startswith("certificatesigningrequests")
        )
    )


FROM_MASKED = frozenset({"configmap.credentials", "csr.subject"})
"""Fields made of values that redaction replaces: they have names, not the values."""


def may_hold_secrets(field: str, value: Any) -> bool:
    """Return whether a promoted field is to be taken from the redacted body."""
    return field not in FROM_MASKED and isinstance(value, str | list)


def promoted_again(
    request: bytes, response: bytes, verb: str | None, target: str, name: str | None, into: Fields
) -> None:
    """Take the texts among the promoted fields from bodies that redaction changed.

    :param request: the redacted body as canonical JSON, empty where there is none.
    """
    again: Fields = {}
    bodies = [msgspec.json.decode(body) if body else None for body in (request, response)]
    promoted_fields(bodies[0], bodies[1], verb, target, name, again)
    for field, value in list(into.items()):
        if not may_hold_secrets(field, value):
            continue
        if field in again:
            into[field] = again[field]
        else:
            del into[field]


def body_fields(name: str, body: Fields, into: Fields) -> None:
    """Put the fields of either body under their audit paths; ``name`` is the body's key."""
    put_text(into, f"{name}.kind", body.get("kind"))
    metadata = body.get("metadata")
    if type(metadata) is dict:
        put_text(into, f"{name}.metadata.name", metadata.get("name"))
        put_text(into, f"{name}.metadata.namespace", metadata.get("namespace"))
    if "roleRef" in body:
        role = mapping(body, "roleRef")
        put_text(into, f"{name}.roleRef.kind", role.get("kind"))
        put_text(into, f"{name}.roleRef.name", role.get("name"))
    if "subjects" in body:
        subjects = mappings(body, "subjects")
        if subjects:
            into[f"{name}.subjects.kind"] = [text(subject, "kind") for subject in subjects]
            into[f"{name}.subjects.name"] = [text(subject, "name") for subject in subjects]
            into[f"{name}.subjects.namespace"] = [
                text(subject, "namespace") for subject in subjects
            ]


def answer_fields(body: Fields, into: Fields) -> None:
    """Put the fields that only the returned object has."""
    metadata = mapping(body, "metadata")
    put_text(into, "responseObject.metadata.uid", metadata.get("uid"))
    annotations = metadata.get("annotations")
    if type(annotations) is dict and PSP in annotations:
        put_text(
            into, "responseObject.metadata.annotations.kubernetes.io/psp", annotations.get(PSP)
        )
    status = body.get("status")
    if type(status) is dict:
        put_text(into, "responseObject.status.reason", status.get("reason"))


def binding_fields(patch: Fields, into: Fields) -> None:
    """Put the role and the subjects of a binding, from the request, else from the response.

    :param patch: the object that a JSON patch requests; the subjects that it adds count.
    """
    added = mappings(patch, "subjects")
    if added:
        parts = ([text(subject, key) for key in ("kind", "namespace", "name")] for subject in added)
        into["rbac.subjects"] = ["/".join(names) for names in parts]
    for name in ("requestObject", "responseObject"):
        if "rbac.role" not in into and f"{name}.roleRef.name" in into:
            into["rbac.role"] = into[f"{name}.roleRef.name"]
            put_text(into, "rbac.role_kind", into.get(f"{name}.roleRef.kind"))
        if "rbac.subjects" not in into and f"{name}.subjects.name" in into:
            into["rbac.subjects"] = [
                "/".join(parts)
                for parts in zip(
                    into[f"{name}.subjects.kind"],
                    into[f"{name}.subjects.namespace"],
                    into[f"{name}.subjects.name"],
                    strict=True,
                )
            ]


def role_fields(body: Fields, into: Fields) -> None:
    """Verbs, resources and API groups of a role's rules, and which go together."""
    rules = mappings(body, "rules")
    if not rules:
        return
    verbs: dict[str, None] = {}
    resources: dict[str, None] = {}
    groups: dict[str, None] = {}
    pairs: dict[str, None] = {}
    for rule in rules:
        rule_verbs = texts(rule, "verbs")
        rule_groups = [group or "core" for group in texts(rule, "apiGroups")]
        targets = [f"{g}/{r}" for g in rule_groups or ["core"] for r in texts(rule, "resources")]
        targets += texts(rule, "nonResourceURLs")
        verbs.update(dict.fromkeys(rule_verbs))
        groups.update(dict.fromkeys(rule_groups))
        resources.update(dict.fromkeys(texts(rule, "resources")))
        for verb in rule_verbs:
            if len(pairs) >= RULES_KEPT:
                break
            pairs.update(dict.fromkeys(f"{verb}:{target}" for target in targets[:RULES_KEPT]))
    put_list(into, "rbac.verbs", list(verbs))
    put_list(into, "rbac.resources", list(resources))
    put_list(into, "rbac.api_groups", list(groups))
    put_list(into, "rbac.rules", list(pairs)[:RULES_KEPT])


def certificate_fields(body: Fields, into: Fields) -> None:
    """Signer, usages and subject of a CertificateSigningRequest, before its redaction."""
    spec = mapping(body, "spec")
    put_text(into, "csr.signer_name", spec.get("signerName"))
    put_list(into, "csr.usages", texts(spec, "usages"))
    request = spec.get("request")
    if type(request) is str and request:
        from k8sidx.events.normalize.certificate import subject_of

        put_text(into, "csr.subject", subject_of(request))


def command_fields(body: Fields, into: Fields) -> None:
    """The command of exec where a converter put it into the body (``PodExecOptions``)."""
    command = texts(body, "command")
    if command:
        into["exec.command"] = command
        into["exec.command_line"] = " ".join(command)
    put_text(into, "exec.container", body.get("container"))
