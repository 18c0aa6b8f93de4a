"""No index comes into being without our mapping."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.create import ensure_index
from k8sidx.backends.cluster.index.setup import carry_out, plan_setup
from k8sidx.backends.cluster.index.template import write_target
from k8sidx.errors import StoreError


def bulk(cluster: Cluster, index: str, document: dict[str, object]) -> dict[str, object]:
    """One document by bulk, as the shipper sends it; what became of it."""
    lines = [json.dumps({"create": {"_index": write_target(index)}}), json.dumps(document), ""]
    answer = cluster.request(
        "POST",
        "/_bulk?require_alias=true&refresh=true",
        body="\n".join(lines).encode(),
        headers={"content-type": "application/x-ndjson"},
    )
    result: dict[str, object] = answer.json()["items"][0]["create"]
    return result


def mapping_of(cluster: Cluster, index: str) -> dict[str, object]:
    answer = cluster.request("GET", f"/{index}/_mapping")
    assert answer.status == 200
    mappings: dict[str, object] = answer.json()[index]["mappings"]
    return mappings


def test_an_index_is_made_with_our_mapping(every_cluster: Cluster, prefix: str) -> None:
    index = f"{prefix}-2026.11.23"
    ensure_index(every_cluster, prefix, index)
    assert mapping_of(every_cluster, index)["dynamic"] == "false"
    assert bulk(every_cluster, index, {"verb": "get", "of.nobody": {"x": 1}})["status"] == 201
    found = every_cluster.request("GET", f"/{prefix}-*/_search").json()["hits"]["hits"]
    assert [hit["_index"] for hit in found] == [index], "the alias doubles nothing"
    assert "of" not in mapping_of(every_cluster, index)["properties"]  # type: ignore[operator]


def test_it_can_be_asked_again_and_from_many_threads(cluster: Cluster, prefix: str) -> None:
    index = f"{prefix}-2026.11.23"
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: ensure_index(cluster, prefix, index), range(6)))
    assert mapping_of(cluster, index)["dynamic"] == "false"


def test_bulk_cannot_make_an_index_when_template_and_index_are_gone(
    cluster: Cluster, prefix: str
) -> None:
    index = f"{prefix}-2026.11.23"
    ensure_index(cluster, prefix, index)
    for path in (f"/{index}", f"/_index_template/{prefix}"):
        assert cluster.request("DELETE", path).status == 200
    refused = bulk(cluster, index, {"verb": "get"})
    assert refused["status"] == 404
    assert "require_alias" in json.dumps(refused["error"])
    assert cluster.request("HEAD", f"/{index}").status == 404
    ensure_index(cluster, prefix, index)
    assert bulk(cluster, index, {"verb": "get"})["status"] == 201


def test_an_index_of_somebody_else_is_left_alone(cluster: Cluster, prefix: str) -> None:
    index = f"{prefix}-2026.11.23"
    cluster.request("PUT", f"/{index}/_doc/1?refresh=true", body={"verb": {"of": "another"}})
    with pytest.raises(StoreError, match="was not made by k8sidx"):
        ensure_index(cluster, prefix, index)
    assert cluster.request("GET", f"/{index}/_count").json()["count"] == 1


def test_a_template_of_somebody_else_is_left_alone(cluster: Cluster, prefix: str) -> None:
    theirs = {"index_patterns": [f"{prefix}-*"], "priority": 500, "_meta": {"made_by": "them"}}
    cluster.request("PUT", f"/_index_template/{prefix}", body=theirs)
    with pytest.raises(StoreError, match=r"index template .* was not made by k8sidx"):
        ensure_index(cluster, prefix, f"{prefix}-2026.11.23")
    found = cluster.request("GET", f"/_index_template/{prefix}").json()["index_templates"]
    assert found[0]["index_template"]["_meta"] == {"made_by": "them"}


def test_a_template_that_goes_before_ours_is_noticed(cluster: Cluster, prefix: str) -> None:
    theirs = {"index_patterns": [f"{prefix}-*"], "priority": 5000}
    cluster.request("PUT", f"/_index_template/{prefix}-theirs", body=theirs)
    index = f"{prefix}-2026.11.23"
    with pytest.raises(StoreError, match="another goes before it"):
        ensure_index(cluster, prefix, index)
    assert mapping_of(cluster, index)["dynamic"] == "false", "even so"
    cluster.request("DELETE", f"/_index_template/{prefix}-theirs")
    list(carry_out(cluster, plan_setup(cluster, prefix)))
    ensure_index(cluster, prefix, index)
    assert bulk(cluster, index, {"verb": "get"})["status"] == 201
