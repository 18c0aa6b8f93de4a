"""Indices that are there, and are ours, before an event goes to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from k8sidx.cluster.connection import Cluster
from k8sidx.cluster.requests import PATIENCE, expect_success, patient_request
from k8sidx.cluster.setup import put_templates
from k8sidx.cluster.template import made_by_us, write_target
from k8sidx.errors import StoreError

_LOOK = "filter_path=*.aliases,*.mappings._meta"


def ensure_index(cluster: Cluster, prefix: str, index: str, *, seconds: float = PATIENCE) -> None:
    """Make sure that events can be written to :func:`write_target` of the index.

    Makes the index, from the template; makes the template too, where there is none. One
    request when the index is there. May be called from several threads and processes at once.

    :param prefix: of the indices; names the template.
    :param index: a name that :class:`k8sidx.cluster.index.IndexNames` gives.
    :param seconds: how long to go on asking a cluster that is pressed or away.
    :raises ClusterUnreachable: when no answer came.
    :raises Pressed: when it is too busy.
    :raises Refused: when it refuses.
    :raises Forbidden: when we may not make it.
    :raises StoreError: when the index, or the template, is not ours.
    """
    path = f"/{quote(index, safe='')}"
    found = _look(cluster, path, seconds)
    if found is None:
        put_templates(cluster, prefix, seconds=seconds)
        answer = patient_request(cluster, "PUT", path, seconds=seconds)
        if b"resource_already_exists_exception" not in answer.body:  # else another was faster
            expect_success(answer, "PUT", path)
            _must_have_our_mapping(cluster, prefix, index, seconds)
        found = _look(cluster, path, seconds)
    if found is None or not _is_ours(found, index):
        raise StoreError(
            f"the index {index} was not made by k8sidx.",
            remedy="Ship to another prefix with --index, or move that index away.",
        )


def _look(cluster: Cluster, path: str, seconds: float) -> Any:
    """What an index says of itself; ``None`` when there is none."""
    answer = patient_request(cluster, "GET", f"{path}?{_LOOK}", seconds=seconds)
    return None if answer.status == 404 else expect_success(answer, "GET", path)


def _is_ours(found: Any, index: str) -> bool:
    one = found.get(index, {})
    meta = one.get("mappings", {}).get("_meta")
    return made_by_us(meta) and write_target(index) in one.get("aliases", {})


def _must_have_our_mapping(cluster: Cluster, prefix: str, index: str, seconds: float) -> None:
    path = f"/{quote(index, safe='')}"
    if _is_ours(_look(cluster, path, seconds) or {}, index):
        return
    # We made it a moment ago and nobody can have written to it by its other name.
    expect_success(patient_request(cluster, "DELETE", path, seconds=seconds), "DELETE", path)
    raise StoreError(
        f"the index {index} comes up without the mapping of k8sidx.",
        remedy=f"Another index template goes before {prefix}; see k8sidx doctor.",
    )
