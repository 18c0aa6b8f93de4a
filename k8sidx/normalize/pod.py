"""What of a pod matters to a hunter, from the pod itself or a workload's template.

Fields of the PodSpec of core/v1; init and ephemeral containers count.
"""

from __future__ import annotations

from typing import Any

from k8sidx.normalize.objects import (
    Fields,
    mapping,
    mappings,
    put_list,
    put_text,
    text,
    texts,
)

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_HOST = (
    ("hostNetwork", "pod.host_network"),
    ("hostPID", "pod.host_pid"),
    ("hostIPC", "pod.host_ipc"),
)


def pod_spec(body: Fields) -> Fields:
    """The PodSpec in a Pod, a PodTemplate, a workload with a template or a CronJob."""
    template = mapping(body, "template")
    if template:
        return mapping(template, "spec")
    spec = mapping(body, "spec")
    job = mapping(mapping(spec, "jobTemplate"), "spec")
    template = mapping(job or spec, "template")
    return mapping(template, "spec") if template else spec


def pod_fields(body: Fields, into: Fields) -> bool:
    """Put the pod's fields; false when the object holds no containers and no volumes."""
    spec = pod_spec(body)
    containers = [one for key in _CONTAINERS for one in mappings(spec, key)]
    volumes = mappings(spec, "volumes")
    if not containers and not volumes and not any(spec.get(key) for key, _ in _HOST):
        return False
    owners = mappings(mapping(body, "metadata"), "ownerReferences")
    controller = next((one for one in owners if one.get("controller") is True), None)
    if controller:
        put_text(into, "pod.owner_kind", controller.get("kind"))
    for key, name in _HOST:
        if spec.get(key) is True:
            into[name] = True
    put_text(into, "pod.service_account", spec.get("serviceAccountName"))
    paths = [text(mapping(volume, "hostPath"), "path") for volume in volumes]
    put_list(into, "pod.host_paths", [path for path in paths if path])
    _container_fields(containers, into)
    _security_fields(mapping(spec, "securityContext"), containers, into)
    return True


def _container_fields(containers: list[Fields], into: Fields) -> None:
    put_list(into, "pod.images", _distinct(text(one, "image") for one in containers))
    put_list(into, "pod.containers", _distinct(text(one, "name") for one in containers))
    commands = [" ".join(texts(one, "command") + texts(one, "args")) for one in containers]
    put_list(into, "pod.commands", _distinct(commands))


def _security_fields(pod: Fields, containers: list[Fields], into: Fields) -> None:
    contexts = [mapping(one, "securityContext") for one in containers]
    if any(context.get("privileged") is True for context in contexts):
        into["pod.privileged"] = True
    if any(context.get("allowPrivilegeEscalation") is True for context in contexts):
        into["pod.allow_privilege_escalation"] = True
    if any(_is_root(context) for context in (pod, *contexts)):
        into["pod.run_as_root"] = True
    added = [
        name for context in contexts for name in texts(mapping(context, "capabilities"), "add")
    ]
    # The kernel's names may be written with or without CAP_.
    put_list(into, "pod.capabilities", _distinct(n.upper().removeprefix("CAP_") for n in added))


def _is_root(context: Fields) -> bool:
    user = context.get("runAsUser")
    return context.get("runAsNonRoot") is False or (user == 0 and user is not False)


def _distinct(values: Any) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]
