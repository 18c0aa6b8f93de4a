"""Removing what a test made on a cluster, and nothing else."""

from __future__ import annotations

from k8sidx.backends.cluster.http.client import Cluster


def remove_all(cluster: Cluster, prefix: str) -> None:
    """Remove the indices, data streams, templates and policies whose names begin with the
    prefix. Names are looked up first: wildcards in deletions are refused by default."""
    streams = _names(cluster, f"/_data_stream/{prefix}*", "data_streams")
    everything = (
        f"/_cat/indices/{prefix}*,summaries-{prefix}*,findings-{prefix}*"
        "?format=json&h=index&expand_wildcards=all"
    )
    answer = cluster.request("GET", everything)
    indices = [one["index"] for one in answer.json()] if answer.status == 200 else []
    templates = [
        name
        for start in ("", "summaries-", "findings-")
        for name in _names(cluster, f"/_index_template/{start}{prefix}*", "index_templates")
    ]
    components = _names(cluster, f"/_component_template/{prefix}*", "component_templates")
    paths = [f"/_data_stream/{name}" for name in streams]
    paths += [f"/{name}" for name in indices]
    paths += [f"/_index_template/{name}" for name in templates]
    paths += [f"/_component_template/{name}" for name in components]
    for policies in ("/_plugins/_ism/policies", "/_ilm/policy"):
        path = f"{policies}/{prefix}-retention"
        if cluster.request("GET", path).status == 200:
            paths.append(path)
    for path in paths:
        answer = cluster.request("DELETE", path)
        assert answer.status in (200, 404), (path, answer.body)


def _names(cluster: Cluster, path: str, key: str) -> list[str]:
    answer = cluster.request("GET", path)
    return [one["name"] for one in answer.json()[key]] if answer.status == 200 else []
