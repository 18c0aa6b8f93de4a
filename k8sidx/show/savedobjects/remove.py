"""Removal of imported dashboards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.savedobjects.client import Tenancy, refuse
from k8sidx.show.savedobjects.export import FLAVORS, dashboard_objects
from k8sidx.show.savedobjects.identifiers import Names

_FIND = "/api/saved_objects/_find"
_TYPES = ("dashboard", "visualization", "search", "index-pattern")
"""Types of our objects; what refers to others comes first."""
_PAGE = 500

Key = tuple[str, str]


class StoredObject(NamedTuple):
    """An object of the server.

    :param origin: id of the file that it was imported from.
    """

    type: str
    id: str
    title: str
    origin: str


@dataclass(frozen=True, slots=True)
class Removal:
    """Objects to remove, and those that others still need.

    :param objects: in the order of their removal.
    :param kept: number of objects that dashboards which stay have in common with these.
    """

    objects: tuple[StoredObject, ...]
    kept: int


def plan_removal(
    server: Cluster, chosen: Sequence[Dashboard], names: Names, tenancy: Tenancy
) -> Removal:
    """Return the objects of dashboards that the server has.

    :raises StoreError: when the server refuses the request.
    """
    present = list(_stored(server, tenancy))
    by_origin = {(obj.type, obj.origin) for obj in present}
    ids = {dashboard.id for dashboard in chosen}
    staying = [
        other
        for other in dashboards()
        if other.id not in ids and ("dashboard", names.dashboard(other.id)) in by_origin
    ]
    needed = {key for other in staying for key in _keys(other, names)}
    wanted = {key for dashboard in chosen for key in _keys(dashboard, names)}
    everything = not staying and len(ids) == len(dashboards())
    objects = [
        obj
        for obj in present
        if (obj.type, obj.origin) in wanted - needed
        or (everything and names.is_own(obj.origin) and obj.type in _TYPES)
    ]
    kept = sum((obj.type, obj.origin) in wanted & needed for obj in present)
    return Removal(tuple(sorted(objects, key=lambda obj: _TYPES.index(obj.type))), kept)


def remove(server: Cluster, removal: Removal, tenancy: Tenancy) -> int:
    """Remove objects, and return how many were still there.

    :raises StoreError: when the server refuses one.
    """
    count = 0
    for obj in removal.objects:
        path = f"/api/saved_objects/{obj.type}/{quote(obj.id, safe='')}"
        answer = server.request("DELETE", f"{tenancy.prefix}{path}", headers=tenancy.headers)
        if answer.status != 404:
            refuse(answer, server)
            count += 1
    return count


def _keys(dashboard: Dashboard, names: Names) -> set[Key]:
    """Return type and id of a dashboard's objects in every flavor."""
    return {
        (obj["type"], obj["id"])
        for flavor in FLAVORS
        for obj in dashboard_objects(dashboard, flavor, names)
    }


def _stored(server: Cluster, tenancy: Tenancy) -> Iterator[StoredObject]:
    page = 1
    while True:
        parameters = [("type", kind) for kind in _TYPES]
        parameters += [("fields", "title"), ("per_page", str(_PAGE)), ("page", str(page))]
        answer = server.request(
            "GET", f"{tenancy.prefix}{_FIND}?{urlencode(parameters)}", headers=tenancy.headers
        )
        refuse(answer, server)
        objects: list[dict[str, Any]] = answer.json().get("saved_objects", [])
        for obj in objects:
            title = str((obj.get("attributes") or {}).get("title", ""))
            origin = str(obj.get("originId") or obj["id"])
            yield StoredObject(str(obj["type"]), str(obj["id"]), title, origin)
        if len(objects) < _PAGE:
            return
        page += 1
