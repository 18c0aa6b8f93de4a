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


def lens_search(attributes: JsonObject) -> JsonObject:
    """The search behind a Lens panel, as Kibana puts it together: a missing value is a row only
    with ``otherBucket`` (x-pack/plugins/lens/public/datasources/form_based/operations/definitions/
    terms/index.tsx), and only of text (src/plugins/data/common/search/aggs/buckets/terms.ts)."""
    state = attributes["state"]
    [layer] = state["datasourceStates"]["formBased"]["layers"].values()
    columns = layer["columns"]
    keys = [name for name in layer["columnOrder"] if columns[name]["isBucketed"]]
    metrics = {name: columns[name] for name in columns if not columns[name]["isBucketed"]}
    aggregations: JsonObject = {}
    for name in reversed(keys):
        inner = {**_lens_metrics(metrics), **aggregations}
        aggregations = {name: {**_lens_bucket(columns[name], metrics), "aggs": inner}}
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [one["query"] for one in state["filters"]]}},
        "aggs": aggregations or _lens_metrics(metrics),
    }


_LENS = {"unique_count": "cardinality", "average": "avg", "percentile": "percentiles"}


def _lens_metrics(metrics: JsonObject) -> JsonObject:
    made = {}
    for name, column in metrics.items():
        kind = column["operationType"]
        if kind == "count":
            continue
        body: JsonObject = {"field": column["sourceField"]}
        if kind == "percentile":
            body["percents"] = [column["params"]["percentile"]]
        made[name] = {_LENS.get(kind, kind): body}
    return made


def _lens_bucket(column: JsonObject, metrics: JsonObject) -> JsonObject:
    parameters = column["params"]
    if column["operationType"] == "date_histogram":
        return {"date_histogram": {"field": column["sourceField"], "fixed_interval": INTERVAL,
                                   "min_doc_count": 1}}  # fmt: skip
    by = parameters["orderBy"]["columnId"]
    counted = metrics[by]["operationType"] == "count"
    percent = metrics[by]["params"].get("percentile")
    ordered = f"{by}.{percent}" if percent else by
    made: JsonObject = {
        "field": column["sourceField"],
        "size": parameters["size"],
        "order": {"_count" if counted else ordered: parameters["orderDirection"]},
    }
    asked = parameters["otherBucket"] and parameters["missingBucket"]
    if asked and column["dataType"] == "string":
        made["missing"] = MISSING
    return {"terms": made}


def lens_shown(cluster: Cluster, index: str, attributes: JsonObject) -> dict[tuple[Any, ...], Any]:
    """The rows that a Lens panel shows, without the row of all others."""
    body = lens_search(attributes)
    answer = cluster.request("POST", f"/{index}/_search", body=body)
    assert answer.status == 200, answer.body
    found = answer.json()
    [layer] = attributes["state"]["datasourceStates"]["formBased"]["layers"].values()
    columns = layer["columns"]
    keys = [name for name in layer["columnOrder"] if columns[name]["isBucketed"]]
    metrics = [
        {"id": name, "type": columns[name]["operationType"]}
        for name in layer["columnOrder"]
        if not columns[name]["isBucketed"]
    ]
    top = {**found.get("aggregations", {}), "doc_count": found["hits"]["total"]["value"]}
    return dict(_rows(top, keys, metrics, ()))
