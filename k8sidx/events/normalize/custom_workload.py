"""Pods inside of custom resources, such as those of Argo Workflows, Tekton and Kubeflow.

Each of them nests pod templates, or parts of one, in a place of its own. What counts is what the
controller makes of it: containers with their security contexts, volumes and settings of the pod,
wherever they are.
"""

from __future__ import annotations

from typing import Any

from k8sidx.events.normalize.json_tree import Fields, mapping, mappings

CUSTOM_WORKLOADS = frozenset(
    {
        # Argo Workflows, Tekton, Kubeflow, KEDA, Ray, Spark and agents' sandboxes.
        "workflows", "cronworkflows", "workflowtemplates", "clusterworkflowtemplates", "tasks",
        "clustertasks", "taskruns", "pipelines", "pipelineruns", "pytorchjobs", "tfjobs", "mpijobs",
        "xgboostjobs", "paddlejobs", "jaxjobs", "trainjobs", "notebooks", "scaledjobs",
        "rayclusters", "rayjobs", "rayservices", "sparkapplications", "scheduledsparkapplications",
        "sandboxes", "sandboxtemplates", "clonesets", "jobsets", "leaderworkersets",
    }
)  # fmt: skip
"""Custom resources whose controllers make pods of what they hold."""

_LISTS = ("containers", "initContainers", "ephemeralContainers", "steps", "sidecars")
_SINGLE = ("container", "script", "stepTemplate", "driver", "executor")
_FLAGS = ("hostPID", "hostIPC", "hostNetwork", "shareProcessNamespace")
_TEXTS = ("serviceAccountName", "nodeName", "priorityClassName")
_MOST = 5_000
"""Nodes of an object that are looked at."""


def custom_template(body: Fields) -> Fields:
    """Return a pod template with everything that the pods of an object may have."""
    spec: Fields = {"containers": [], "volumes": [], "tolerations": []}
    nodes: list[Any] = [mapping(body, "spec")]
    metadata: list[Fields] = []
    for node in nodes:
        if len(nodes) > _MOST:
            break
        if type(node) is list:
            nodes += [child for child in node if type(child) in (dict, list)]
        elif type(node) is dict:
            _add(node, spec)
            metadata.append(mapping(node, "metadata"))
            nodes += [child for child in node.values() if type(child) in (dict, list)]
    annotations: Fields = {}
    labels: Fields = {}
    for each in metadata:
        annotations |= mapping(each, "annotations")
        labels |= mapping(each, "labels")
    return {"metadata": {"annotations": annotations, "labels": labels}, "spec": spec}


def _add(node: Fields, spec: Fields) -> None:
    """Add what a part of the object says about pods."""
    for key in _LISTS:
        spec["containers"] += mappings(node, key)
    spec["containers"] += [mapping(node, key) for key in _SINGLE if mapping(node, key)]
    for key in ("volumes", "tolerations"):
        spec[key] += mappings(node, key)
    for key in _FLAGS:
        if node.get(key) is True:
            spec[key] = True
    if node.get("hostUsers") is False:
        spec["hostUsers"] = False
    for key in _TEXTS:
        if type(node.get(key)) is str:
            spec.setdefault(key, node[key])
    context = mapping(node, "securityContext")
    if context and "image" not in node:
        spec["securityContext"] = mapping(spec, "securityContext") | context
