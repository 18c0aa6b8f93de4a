"""What clusters say when they refuse, in plain words: asked of real ones where they do it on
demand, else as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from k8sidx.backends.cluster.http.api_errors import ClusterRefused, explain, refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.response import Answer


@pytest.fixture
def index(every_cluster: Cluster, prefix: str) -> Iterator[str]:
    """An index of one document with a full text and a number."""
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    properties = {"said": {"type": "text"}, "number": {"type": "integer"}}
    body = {"settings": settings, "mappings": {"properties": properties}}
    assert every_cluster.request("PUT", f"/{prefix}-a", body=body).status == 200
    document = {"said": "hello", "number": 1}
    every_cluster.request("POST", f"/{prefix}-a/_doc", params={"refresh": "true"}, body=document)
    yield f"{prefix}-a"
    _block(every_cluster, f"{prefix}-a", read_only_allow_delete=None)


def _block(cluster: Cluster, index: str, **blocks: bool | None) -> None:
    settings = {f"index.blocks.{name}": value for name, value in blocks.items()}
    assert cluster.request("PUT", f"/{index}/_settings", body=settings).status == 200


def searched(cluster: Cluster, index: str, aggregation: dict[str, Any]) -> ClusterRefused:
    body = {"size": 0, "aggs": {"x": aggregation}}
    return refusal(cluster.request("POST", f"/{index}/_search", body=body), "the search")


def written(cluster: Cluster, index: str, document: dict[str, Any]) -> ClusterRefused:
    return refusal(cluster.request("POST", f"/{index}/_doc", body=document), "the event")


def test_a_missing_index(every_cluster: Cluster, prefix: str) -> None:
    error = searched(every_cluster, f"{prefix}-none", {"terms": {"field": "a"}})
    assert str(error).startswith(f"the search: there is no index {prefix}-none. Ship events first")
    assert (error.kind, error.status, error.exit_code) == ("index_not_found_exception", 404, 3)


def test_a_closed_index(every_cluster: Cluster, index: str) -> None:
    every_cluster.request("POST", f"/{index}/_close")
    error = searched(every_cluster, index, {"terms": {"field": "number"}})
    every_cluster.request("POST", f"/{index}/_open")
    assert "an index is closed. Open it" in str(error)


def test_a_full_text_cannot_be_grouped(every_cluster: Cluster, index: str) -> None:
    error = searched(every_cluster, index, {"terms": {"field": "said"}})
    assert "the field said is full text, which cannot be grouped" in str(error)


def test_too_many_groups(every_cluster: Cluster, index: str) -> None:
    bounds = {"min": 0, "max": 1}
    fine = {"field": "number", "interval": 1e-5, "min_doc_count": 0, "extended_bounds": bounds}
    error = searched(every_cluster, index, {"histogram": fine})
    assert error.kind == "too_many_buckets_exception"
    assert "--since and --until, or raise search.max_buckets" in error.remedy


def test_a_full_disk_and_a_read_only_index(every_cluster: Cluster, index: str) -> None:
    _block(every_cluster, index, write=True)
    read_only = written(every_cluster, index, {"number": 1})
    _block(every_cluster, index, write=None)
    _block(every_cluster, index, read_only_allow_delete=True)
    full = written(every_cluster, index, {"number": 1})
    assert "read-only, since its disks are nearly full. Free or add disk space" in str(full)
    assert full.kind == "cluster_block_exception"
    assert "Remove the setting index.blocks.write" in read_only.remedy


def test_a_document_that_the_mapping_does_not_take(every_cluster: Cluster, index: str) -> None:
    error = written(every_cluster, index, {"number": "many"})
    assert "failed to parse field [number] of type [integer]" in str(error)
    assert 'For input string: "many"' in str(error)


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


OPENSEARCH_DENIED = (
    "no permissions for [indices:data/write/bulk[s], indices:admin/create] and User "
    "[name=shipper, backend_roles=[], requestedTenant=null]"
)
ELASTICSEARCH_DENIED = (
    "action [indices:data/write/bulk[s]] is unauthorized for user [shipper] with effective roles "
    "[reader] on indices [k8s-audit-2026.11.24], this action is granted by the index privileges "
    "[create_doc,create,delete,index,write,all]"
)


@pytest.mark.parametrize(
    ("status", "kind", "reason", "said"),
    [
        (
            403,
            "security_exception",
            OPENSEARCH_DENIED,
            "user shipper lacks the permission indices:data/write/bulk[s], indices:admin/create. "
            "Add it to a role",
        ),
        (
            403,
            "security_exception",
            ELASTICSEARCH_DENIED,
            "user [shipper] may not indices:data/write/bulk[s] on k8s-audit-2026.11.24. Grant it "
            "one of the privileges create_doc,create,delete,index,write,all.",
        ),
        (
            403,
            "security_exception",
            "action [cluster:monitor/main] is unauthorized for API key id [abc] of user [me], "
            "this action is granted by the cluster privileges [monitor,manage,all]",
            "API key id [abc] of user [me] may not cluster:monitor/main. Grant it one of the "
            "privileges monitor,manage,all.",
        ),
        (
            401,
            "security_exception",
            "unable to authenticate user [elastic] for REST request [/]",
            "does not accept the credentials: unable to authenticate user [elastic]",
        ),
        (401, "security_exception", "api key is expired", "the credentials have expired"),
        (
            401,
            "security_exception",
            "token expired",
            "the credentials have expired: token expired. Get new ones.",
        ),
        (
            429,
            "circuit_breaking_exception",
            "[parent] Data too large, data for [<http_request>] would be [1gb]",
            "lacks the memory for it now. Retry later",
        ),
        (
            429,
            "es_rejected_execution_exception",
            "rejected execution of TimedRunnable",
            "is overloaded. Retry later",
        ),
        (429, "rejected_execution_exception", "rejected", "is overloaded"),
        (
            400,
            "validation_exception",
            "Validation Failed: 1: this action would add [2] total shards, but this cluster "
            "currently has [1000]/[1000] maximum normal shards open;",
            "as many shards as it allows",
        ),
        (
            403,
            "cluster_block_exception",
            "blocked by: [FORBIDDEN/10/cluster create-index blocked (api)];",
            "its disks are nearly full",
        ),
        (
            503,
            "cluster_block_exception",
            "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];",
            "the cluster is not ready. Wait",
        ),
        (
            400,
            "illegal_argument_exception",
            "Limit of total fields [1000] has been exceeded",
            "as many fields as it allows",
        ),
        (503, "no_shard_available_action_exception", "", "on no running node (red)"),
    ],
)
def test_recorded_errors(status: int, kind: str, reason: str, said: str) -> None:
    cause = {"type": kind, "reason": reason}
    error = refusal(answer(status, {"error": {"root_cause": [cause], **cause}}), "it")
    assert said in str(error)
    assert error.kind == kind
    inside = {
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "root_cause": [],
        "failed_shards": [{"shard": 0, "index": "i", "reason": cause}],
    }
    assert said in f"{explain(inside, status).message}. {explain(inside, status).remedy}"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, {"Message": "User: anonymous is not authorized"}, "refused: User: anonymous"),
        (403, {"message": "The security token is expired"}, "refused: The security token"),
        (403, b"", "access is refused. On AWS"),
        (401, b"Unauthorized", "does not accept the credentials: Unauthorized"),
        (401, b"", "does not accept the credentials. Set K8SIDX_USERNAME"),
        (413, b"<html>too large</html>", "larger than the cluster takes"),
        (429, b"429 Too Many Requests /_bulk", "is overloaded: 429 Too Many Requests /_bulk"),
        (503, b"<html>", "unavailable behind its proxy (status 503). Retry"),
        (503, b"OpenSearch Security not initialized.", "OpenSearch Security not initialized"),
        (500, [], "returned status 500"),
        (404, {"error": "alias [x] missing", "status": 404}, "alias [x] missing"),
        (400, {"error": {"type": "odd_exception", "reason": None}}, "status 400: odd_exception"),
        (400, {"error": {"type": "odd", "reason": "x" * 5000}}, "x" * 400 + "…"),
    ],
)
def test_other_bodies(status: int, body: Any, said: str) -> None:
    error = refusal(answer(status, body), "it")
    assert said in str(error)
    assert len(str(error)) < 700


def test_an_item_of_a_bulk_answer(every_cluster: Cluster, index: str) -> None:
    lines = b'{"create":{}}\n{"number":"many"}\n'
    body = every_cluster.request("POST", f"/{index}/_bulk", body=lines).json()
    item = body["items"][0]["create"]
    found = explain(item["error"], item["status"])
    assert found.message.startswith("failed to parse field [number]") or "[1:" in found.message
    assert found.kind in ("mapper_parsing_exception", "document_parsing_exception")
