"""Creation of indices, before the first event is sent to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import (
    FORBIDDEN,
    RETRY_SECONDS,
    create_index,
    expect_success,
    retrying_request,
)
from k8sidx.backends.cluster.index.mapping import mapping
from k8sidx.backends.cluster.index.setup import put_templates
from k8sidx.backends.cluster.index.template import made_by_us, own_meta, write_target
from k8sidx.errors import StoreError

_LOOK = "filter_path=*.aliases,*.mappings._meta"


def ensure_index(
    cluster: Cluster, prefix: str, index: str, *, seconds: float = RETRY_SECONDS
) -> bool:
    """Ensure that events can be written to :func:`write_target` of the index.

    Makes the index, from the template; makes the template too, where there is none. One
    request when the index is there. May be called from several threads and processes at once.

    :param prefix: of the indices; names the template.
    :param index: a name from :class:`k8sidx.backends.cluster.index.names.IndexNames`.
    :param seconds: time limit of retries on a cluster that is overloaded or unreachable.
    :returns: whether it was created now.
    :raises ClusterUnreachable: when there is no response.
    :raises ClusterRefused: when it is too busy, or this user may not create it.
    :raises StoreError: when the index, or the template, is not ours.
    """
    path = f"/{quote(index, safe='')}"
    response = _get_index(cluster, path, seconds)
    is_new = response is None
    if response is None:
        if not _make(cluster, prefix, path, seconds):
            return False
        response = _get_index(cluster, path, seconds) or {}
    content = response.get(index, {})
    if not made_by_us(content.get("mappings", {}).get("_meta")):
        raise StoreError(
            f"the index {index} was not made by k8sidx.",
            remedy="Ship to another prefix with --index, or move that index away.",
        )
    if write_target(index) not in content.get("aliases", {}):
        raise StoreError(
            f"the index {index} was not made from the index template {prefix}: it is missing, or "
            "another goes before it.",
            remedy="Have an administrator run k8sidx setup, and see k8sidx doctor.",
        )
    return is_new


def _get_index(cluster: Cluster, path: str, seconds: float) -> Any:
    """Return settings and mapping of an index; ``None`` when it does not exist."""
    answer = retrying_request(cluster, "GET", f"{path}?{_LOOK}", seconds=seconds)
    return None if answer.status == 404 else expect_success(answer, "GET", path)


def _make(cluster: Cluster, prefix: str, path: str, seconds: float) -> bool:
    """Create an index, with its mapping, as its template may not be readable for this user.

    :returns: false when its write target belongs to an index that several days share.
    """
    try:
        put_templates(cluster, prefix, seconds=seconds)
    except ClusterRefused as refused:
        if refused.status != FORBIDDEN:
            raise
        remedy = f"{refused.remedy} Or have an administrator run k8sidx setup."
        raise ClusterRefused(refused.message, remedy=remedy, status=refused.status) from refused
    try:
        create_index(cluster, path, {"mappings": mapping(own_meta())}, seconds=seconds)
    except ClusterRefused as refused:
        if not is_taken(refused):
            raise
        return False
    return True


def is_taken(refused: ClusterRefused) -> bool:
    """Whether a cluster refused to give a write target to a second index."""
    return "more than one write index" in refused.message
