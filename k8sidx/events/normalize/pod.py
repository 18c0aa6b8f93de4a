"""Fields of pods that matter to hunts, from the pod itself or a workload's template.

Fields of the PodSpec of core/v1; init and ephemeral containers count.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from k8sidx.events.normalize.custom_workload import CUSTOM_WORKLOADS, custom_template
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
from k8sidx.events.normalize.settings import pod_settings

EPHEMERAL = "ephemeralContainers"
_CONTAINERS = ("containers", "initContainers", EPHEMERAL)
_HOST = (
    ("hostNetwork", "pod.host_network"),
    ("hostPID", "pod.host_pid"),
    ("hostIPC", "pod.host_ipc"),
)
MIRROR = "kubernetes.io/config.mirror"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
"""Sysctls of the set that Kubernetes calls safe
(https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/)."""
# A CronJob names its Jobs by the minute that they are for, in minutes since 1970.
_SCHEDULED = re.compile(r"-\d{7,}$")


def _template(body: Fields) -> Fields:
    """Return the object with the PodSpec and the metadata of the pods: in a Pod, a PodTemplate,
    a workload with a template or a CronJob."""
    if mapping(body, "template"):
        return mapping(body, "template")
    spec = mapping(body, "spec")
    job = mapping(mapping(spec, "jobTemplate"), "spec")
    return mapping(job or spec, "template") or body


def pod_fields(body: Fields, target: str, name: str | None, into: Fields) -> None:
    """Put the fields of a pod or of a workload's template.

    :param target: resource, or resource/subresource, of the request.
    :param name: the object's name in the request; a part of an object may have none.
    """
    template = custom_template(body) if target in CUSTOM_WORKLOADS else _template(body)
    spec = mapping(template, "spec")
    added_only = target == f"pods/{EPHEMERAL.lower()}"
    keys = (EPHEMERAL,) if added_only else _CONTAINERS
    containers = [container for key in keys for container in mappings(spec, key)]
    if added_only:
        # The request may repeat the pod; only the containers that it adds count.
        _container_fields(containers, into)
        _security_fields({}, {}, containers, into)
        return
    metadata = mapping(body, "metadata")
    _owner_fields(metadata, target, name, into)
    if MIRROR in mapping(metadata, "annotations"):
        into["pod.mirror"] = True
    for key, name in _HOST:
        if spec.get(key) is True:
            into[name] = True
    for key, name in (
        ("serviceAccountName", "pod.service_account"),
        ("nodeName", "pod.node_name"),
        ("priorityClassName", "pod.priority_class"),
    ):
        put_text(into, name, spec.get(key))
    paths = [text(mapping(volume, "hostPath"), "path") for volume in mappings(spec, "volumes")]
    put_list(into, "pod.host_paths", [node_path(path) for path in paths if path])
    if any(_is_everything(toleration) for toleration in mappings(spec, "tolerations")):
        into["pod.tolerates_all"] = True
    put_list(into, "pod.escapes", _escapes(spec, containers))
    put_list(into, "object.settings", pod_settings(body, template, containers))
    volumes = [mapping(volume, "image") for volume in mappings(spec, "volumes")]
    mounted = [{"image": text(image, "reference")} for image in volumes if image]
    _container_fields([*containers, *mounted], into)
    if not into.get("pod.host_network"):
        # On the node's network every port of a container is one of the node.
        ports = [
            port.get("hostPort")
            for container in containers
            for port in mappings(container, "ports")
        ]
        put_list(into, "pod.host_ports", distinct(str(p) for p in ports if type(p) is int and p))
    annotations = mapping(mapping(template, "metadata"), "annotations")
    _security_fields(mapping(spec, "securityContext"), annotations, containers, into)


def node_path(path: str) -> str:
    """Return the path without ``//``, ``/./`` and a last ``/``, which change nothing."""
    return posixpath.normpath(re.sub("^/+", "/", path))


def _owner_fields(metadata: Fields, target: str, requested: str | None, into: Fields) -> None:
    owners = mappings(metadata, "ownerReferences")
    controller = next(
        (reference for reference in owners if reference.get("controller") is True), {}
    )
    kind, owner = text(controller, "kind"), text(controller, "name")
    put_text(into, "pod.owner_kind", kind)
    name = (
        owner or requested or text(metadata, "name") or text(metadata, "generateName").rstrip("-")
    )
    if kind == "ReplicaSet" and "pod-template-hash" in mapping(metadata, "labels"):
        name = name.rpartition("-")[0] or name
    elif kind == "Job" or (target == "jobs" and not owner):
        name = _SCHEDULED.sub("", name)
    put_text(into, "pod.workload", name)


def _container_fields(containers: list[Fields], into: Fields) -> None:
    images = distinct(text(container, "image") for container in containers)
    put_list(into, "pod.images", images)
    put_list(into, "pod.image_names", distinct(_image_name(image) for image in images))
    put_list(into, "pod.containers", distinct(text(container, "name") for container in containers))
    commands = [
        " ".join(texts(container, "command") + texts(container, "args")) for container in containers
    ]
    put_list(into, "pod.commands", distinct(commands))


def _image_name(image: str) -> str:
    """Return the name of an image: ``b`` of ``registry:5000/a/b:1@sha256:…``."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()


def _security_fields(
    pod: Fields, annotations: Fields, containers: list[Fields], into: Fields
) -> None:
    contexts = [mapping(container, "securityContext") for container in containers]
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
    put_list(into, "pod.capabilities", distinct(n.upper().removeprefix("CAP_") for n in added))
    put_list(into, "pod.unconfined", _unconfined((pod, *contexts), annotations))


def _unconfined(contexts: Iterable[Fields], annotations: Fields) -> list[str]:
    """Return the protections that are disabled explicitly; a missing value disables none."""
    names: dict[str, None] = {}
    for context in contexts:
        for key, name in (("seccompProfile", "seccomp"), ("appArmorProfile", "apparmor")):
            if text(mapping(context, key), "type") == "Unconfined":
                names[name] = None
        if context.get("procMount") == "Unmasked":
            names["proc"] = None
    if any(
        key.startswith(_APPARMOR) and value == "unconfined" for key, value in annotations.items()
    ):
        names["apparmor"] = None
    return list(names)


def _escapes(spec: Fields, containers: list[Fields]) -> list[str]:
    """Return ways out of a container that have no field of their own."""
    escapes = ["gitRepo" for volume in mappings(spec, "volumes") if mapping(volume, "gitRepo")]
    contexts = [mapping(node, "securityContext") for node in (spec, *containers)]
    if any(mapping(context, "windowsOptions").get("hostProcess") is True for context in contexts):
        escapes.append("hostProcess")
    if spec.get("shareProcessNamespace") is True:
        escapes.append("shareProcessNamespace")
    names = [text(sysctl, "name") for sysctl in mappings(contexts[0], "sysctls")]
    escapes += [f"sysctl:{name}" for name in names if name and name not in SAFE_SYSCTLS]
    return distinct(escapes)


def _is_root(context: Fields) -> bool:
    user = context.get("runAsUser")
    return context.get("runAsNonRoot") is False or (user == 0 and user is not False)


def _is_everything(toleration: Fields) -> bool:
    return (
        toleration.get("operator") == "Exists"
        and not toleration.get("key")
        and toleration.get("effect") in (None, "", "NoSchedule")
    )
