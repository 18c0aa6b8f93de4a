"""What a browser does with a saved visualization: the search that it sends, the rows it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from k8sidx.backends.cluster.http.client import Cluster

JsonObject = dict[str, Any]
MISSING = "__missing__"
INTERVAL = "5m"


def search_of(visualization: JsonObject) -> JsonObject:
    """The search behind a visualization, as OpenSearch Dashboards puts it together."""
    attributes = visualization["attributes"]
    state = orjson.loads(attributes["visState"])
    source = orjson.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    metrics = [one for one in state["aggs"] if one["schema"] == "metric"]
    keys = [one for one in state["aggs"] if one["schema"] != "metric"]
    filters = [one["query"] for one in source["filter"] if not one["meta"]["disabled"]]
    aggregations = _metrics(metrics)
    for key in reversed(keys):
        inner = {**_metrics(metrics), **aggregations}
        aggregations = {key["id"]: {**_bucket(key, metrics), "aggs": inner}}
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": filters}},
        "aggs": aggregations,
    }


def _metrics(metrics: list[JsonObject]) -> JsonObject:
    made = {}
    for one in metrics:
        if one["type"] != "count":
            parameters = {k: v for k, v in one["params"].items() if k in ("field", "percents")}
            made[one["id"]] = {one["type"]: parameters}
    return made


def _bucket(key: JsonObject, metrics: list[JsonObject]) -> JsonObject:
    parameters = key["params"]
    if key["type"] == "date_histogram":
        return {"date_histogram": {"field": parameters["field"], "fixed_interval": INTERVAL,
                                   "min_doc_count": 1}}  # fmt: skip
    ordered = parameters["orderBy"]
    counted = any(one["id"] == ordered and one["type"] == "count" for one in metrics)
    made: JsonObject = {
        "field": parameters["field"],
        "size": parameters["size"],
        "order": {"_count" if counted else ordered: parameters["order"]},
    }
    if parameters["missingBucket"]:
        made["missing"] = MISSING
    return {"terms": made}


def shown(cluster: Cluster, index: str, visualization: JsonObject) -> dict[tuple[Any, ...], Any]:
    """The rows that it shows: the metrics of each combination of keys.

    Keys are texts, numbers, or milliseconds of a time; ``None`` where a field is missing.
    """
    answer = cluster.request("POST", f"/{index}/_search", body=search_of(visualization))
    assert answer.status == 200, answer.body
    found = answer.json()
    state = orjson.loads(visualization["attributes"]["visState"])
    metrics = [one for one in state["aggs"] if one["schema"] == "metric"]
    keys = [one["id"] for one in state["aggs"] if one["schema"] != "metric"]
    top = {**found.get("aggregations", {}), "doc_count": found["hits"]["total"]["value"]}
    return dict(_rows(top, keys, metrics, ()))


def _rows(
    bucket: Mapping[str, Any], keys: list[str], metrics: list[JsonObject], above: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    if not keys:
        yield above, tuple(_value(bucket, one) for one in metrics)
        return
    for inner in bucket[keys[0]]["buckets"]:
        key = inner["key"]
        yield from _rows(inner, keys[1:], metrics, (*above, None if key == MISSING else key))


def _value(bucket: Mapping[str, Any], metric: JsonObject) -> Any:
    if metric["type"] == "count":
        return bucket["doc_count"]
    found = bucket[metric["id"]]
    return next(iter(found["values"].values())) if "values" in found else found["value"]
