"""Objects that the requests behind findings are about, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from k8sidx.backends.result import Value
from k8sidx.investigate.requests import Request
from k8sidx.show.render.requests import caller
from k8sidx.show.render.sheet import Sheet

ROWS = 300
"""Objects listed per group."""
_GROUPS: Mapping[str, frozenset[str]] = {
    "Secrets and ConfigMaps": frozenset({"secrets", "configmaps"}),
    "Pods and workloads": frozenset(
        {"pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs",
         "replicationcontrollers", "podtemplates"}
    ),
    "Roles, bindings and accounts": frozenset(
        {"roles", "clusterroles", "rolebindings", "clusterrolebindings", "serviceaccounts",
         "certificatesigningrequests", "users", "groups"}
    ),
}  # fmt: skip
OTHERS = "Other objects and paths"


@dataclass(frozen=True, slots=True)
class ObjectGroup:
    """Objects of some kinds.

    :param left: objects that are not listed.
    """

    sheet: Sheet
    left: int


def object_groups(requests: Iterable[Request]) -> list[ObjectGroup]:
    """Return the groups that have objects; in each the one with most requests first."""
    by_group: dict[str, dict[tuple[str, str, str, str], list[Request]]] = {}
    for request in requests:
        key = (request.cluster, request.resource, request.namespace, request.name)
        by_group.setdefault(_group(request), {}).setdefault(key, []).append(request)
    return [
        _object_group(title, by_group[title]) for title in (*_GROUPS, OTHERS) if title in by_group
    ]


def _group(request: Request) -> str:
    resource = request.resource.partition("/")[0]
    return next((title for title, names in _GROUPS.items() if resource in names), OTHERS)


def _object_group(
    title: str, objects: Mapping[tuple[str, str, str, str], Sequence[Request]]
) -> ObjectGroup:
    ordered = sorted(objects.items(), key=lambda item: (-len(item[1]), item[0]))
    named = any(cluster for cluster, *_ in objects)
    columns = ("object", "what was done", "by", "requests", "first", "last")
    rows: list[tuple[Value, ...]] = []
    for (cluster, resource, namespace, name), requests in ordered[:ROWS]:
        times = [request.time for request in requests if request.time]
        did = Counter(f"{request.verb} {request.outcome}" for request in requests)
        row: tuple[Value, ...] = (
            _object_name(resource, namespace, name),
            ", ".join(f"{text} ({count})" if count > 1 else text for text, count in did.items()),
            ", ".join(dict.fromkeys(map(caller, requests))),
            len(requests),
            min(times, default=None),
            max(times, default=None),
        )
        rows.append((cluster, *row) if named else row)
    sheet = Sheet(("cluster", *columns) if named else columns, rows, title)
    return ObjectGroup(sheet, len(ordered) - len(rows))


def _object_name(resource: str, namespace: str, name: str) -> str:
    if resource.startswith("/"):
        return resource
    return (
        f"{resource} {namespace}/{name or '(all)'}"
        if namespace
        else f"{resource} {name or '(all)'}"
    )
