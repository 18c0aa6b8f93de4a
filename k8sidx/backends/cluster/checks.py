"""Health checks of a cluster: product, setup and state.

Each check sends its own requests, so that one which is forbidden, or which a service does not
offer, reports that and does not affect the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from k8sidx.backends.check import Check, State, age, failed, latest_event
from k8sidx.backends.cluster.http.api_errors import ClusterRefused, refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.response import Answer
from k8sidx.backends.cluster.http.retrying import FORBIDDEN, expect_success, retrying_request
from k8sidx.backends.cluster.index.document import epoch_path
from k8sidx.backends.cluster.index.lifecycle import lifecycle_of
from k8sidx.backends.cluster.index.mapping import field_count
from k8sidx.backends.cluster.index.setup import (
    own_indices,
    plain_settings,
    plan_setup,
    read_templates,
)
from k8sidx.backends.cluster.index.template import (
    VERSION,
    made_by_us,
    template_path,
    version_of,
    write_target,
)
from k8sidx.errors import K8sidxError

if TYPE_CHECKING:
    from k8sidx.backends.cluster.store import ClusterStore

TESTED = {"opensearch": (2, 3), "elasticsearch": (8, 9)}
SKEW_SECONDS = 60
_FULL = 0.8
_SECONDS = 5.0
_SETUP = "Run k8sidx setup."
_NAMES = 3


def check_cluster(store: ClusterStore, now: Callable[[], datetime]) -> Iterator[Check]:
    """Run all checks of a cluster store; ends early when it cannot be reached.

    :param now: clock of this machine.
    """
    try:
        cluster = store.cluster
    except K8sidxError as error:
        yield failed("store", error)
        return
    yield _check_product(store)
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("clock", lambda: _check_clock(cluster, now)),
        ("disk", lambda: _check_disk(cluster)),
        ("shards", lambda: _check_shards(cluster, store.target.dated)),
    ]
    if not store.target.is_pattern:
        prefix = store.target.prefix
        checks += [
            ("template", lambda: _check_template(cluster, prefix)),
            ("retention", lambda: _check_retention(cluster, prefix)),
            ("indices", lambda: _check_indices(cluster, prefix)),
            ("fields", lambda: _check_fields(cluster, prefix)),
            ("read-only", lambda: _check_blocks(cluster, prefix)),
            ("writing", lambda: _check_writing(cluster, prefix)),
            ("latest event", lambda: _check_latest(cluster, prefix, now())),
        ]
    for name, check in checks:
        try:
            yield check()
        except ClusterRefused as refused:
            state: State = "warn" if refused.status in (FORBIDDEN, 400, 404, 405, 410) else "fail"
            seen = f"cannot be looked at: {refused.message}"
            yield Check(name, state, seen, refused.remedy, 3 if state == "fail" else 0)
        except K8sidxError as error:
            yield failed(name, error)


def _check_product(store: ClusterStore) -> Check:
    cluster = store.cluster
    version = ".".join(map(str, cluster.version))
    seen = f"{store.location}: {cluster.product} {version or cluster.flavor}"
    if cluster.flavor == "server" and cluster.version[0] not in TESTED[cluster.product]:
        mend = "It is newer than this k8sidx was tested with; upgrade k8sidx: pip install -U k8sidx"
        return Check("store", "warn", seen, mend)
    return Check("store", "ok", seen)


def _check_clock(cluster: Cluster, now: Callable[[], datetime]) -> Check:
    answer = _get(cluster, "/_nodes/stats/fs?filter_path=nodes.*.timestamp")
    theirs = _time_of(answer)
    if theirs is None:
        return Check("clock", "ok", "the cluster does not tell its time")
    skew = (theirs - now()).total_seconds()
    if abs(skew) > SKEW_SECONDS:
        way = "ahead of" if skew > 0 else "behind"
        seen = f"the cluster's is {age(int(abs(skew)))} {way} ours"
        return Check("clock", "warn", seen, "Set both by NTP: --since 1h depends on them.")
    return Check("clock", "ok", f"within {SKEW_SECONDS} seconds of the cluster's")


def _time_of(answer: Answer) -> datetime | None:
    """Return the time in the ``Date`` header of a proxy or a service, or that of the nodes: the
    servers themselves send no such header."""
    if "date" in answer.headers:
        return parsedate_to_datetime(answer.headers["date"])
    nodes = answer.json().get("nodes", {}).values() if answer.status == 200 else ()
    millis = [node["timestamp"] for node in nodes if "timestamp" in node]
    return datetime.fromtimestamp(max(millis) / 1000, UTC) if millis else None


def _check_disk(cluster: Cluster) -> Check:
    nodes = _get_json(cluster, "/_cat/allocation?format=json&h=node,disk.percent")
    used = {node["node"]: int(node["disk.percent"]) for node in nodes if node["disk.percent"]}
    low, high, flood = _watermarks(cluster)
    if not used:
        return Check("disk", "ok", "the service's own affair")
    node, percent = max(used.items(), key=lambda item: item[1])
    seen = f"at most {percent}% full ({node}); watermarks {low}%, {high}%, {flood}%"
    mend = "Free or add disk space; a shorter k8sidx setup --retention helps."
    if percent >= high:
        return Check("disk", "fail", f"{seen}: indices become read-only", mend, 3)
    if percent >= low:
        return Check("disk", "warn", seen, mend)
    return Check("disk", "ok", seen)


def _watermarks(cluster: Cluster) -> tuple[int, int, int]:
    """Return low, high and flood stage in percent; the products' defaults for absolute sizes."""
    path = "/_cluster/settings?include_defaults=true&flat_settings=true"
    levels = _get_json(cluster, path)
    marks = []
    for name, usual in (("low", 85), ("high", 90), ("flood_stage", 95)):
        key = f"cluster.routing.allocation.disk.watermark.{name}"
        scopes = (
            levels.get(scope, {}).get(key) for scope in ("transient", "persistent", "defaults")
        )
        setting = str(next((value for value in scopes if value), ""))
        number = setting.removesuffix("%")
        marks.append(int(float(number)) if setting.endswith("%") else usual)
    return marks[0], marks[1], marks[2]


def _check_shards(cluster: Cluster, pattern: str) -> Check:
    path = f"/_cat/indices/{quote(pattern, safe=',*')}?format=json&h=index,health"
    listed = _get_json(cluster, path)
    by_health = {
        health: [index["index"] for index in listed if index["health"] == health]
        for health in ("red", "yellow")
    }
    if red := by_health["red"]:
        seen = f"{len(red):,} indices lack a part of their events: {_some(red)}"
        return Check("shards", "fail", seen, "Bring the missing nodes back.", 3)
    if yellow := by_health["yellow"]:
        seen = f"{len(yellow):,} indices lack a copy: {_some(yellow)}"
        mend = "With one node run k8sidx setup --replicas 0; else bring the missing nodes back."
        return Check("shards", "warn", seen, mend)
    return Check("shards", "ok", f"{len(listed):,} indices, all of their parts there")


def _check_template(cluster: Cluster, prefix: str) -> Check:
    present = read_templates(cluster, prefix, seconds=_SECONDS).get(prefix)
    if present is None:
        mend = "Run k8sidx setup; k8sidx ship makes it, too, where it may."
        return Check("template", "warn", "there is none", mend)
    version = version_of(present.get("_meta"))
    path = f"/_index_template/_simulate_index/{quote(prefix, safe='')}-1970.01.01"
    answer = cluster.request("POST", path)
    resolved = expect_success(answer, "POST", path).get("template", {})
    if not made_by_us(resolved.get("mappings", {}).get("_meta")):
        others = [template.get("name", "") for template in answer.json().get("overlapping", [])]
        seen = f"another goes before it; there are also {_some(others)}"
        mend = f"Take the indices {prefix}-* out of the other template."
        return Check("template", "fail", seen, mend, 3)
    if version < VERSION:
        return Check("template", "warn", f"version {version}, this k8sidx has {VERSION}", _SETUP)
    plan = plan_setup(cluster, prefix)
    if any(request.path == template_path(prefix) for request in plan.requests):
        return Check("template", "warn", "somebody changed it", _SETUP)
    return Check("template", "ok", f"{prefix}, version {version}")


def _check_retention(cluster: Cluster, prefix: str) -> Check:
    lifecycle = lifecycle_of(cluster, prefix)
    if lifecycle.forbidden:
        raise lifecycle.forbidden
    if not lifecycle.available:
        seen = f"this cluster has no {lifecycle.what}"
        return Check(
            "retention", "warn", seen, "Delete old indices yourself; their names are dates."
        )
    if not lifecycle.present:
        mend = "Run k8sidx setup --retention 90d, or delete old indices yourself."
        return Check("retention", "warn", "indices are kept for ever", mend)
    return Check("retention", "ok", f"{lifecycle.name}: {lifecycle.retention()}")


def _check_indices(cluster: Cluster, prefix: str) -> Check:
    indices = _indices(cluster, prefix, "*.aliases,*.mappings._meta,*.mappings.dynamic")
    guessed, lame, old = [], [], []
    for name, index in indices.items():
        mapping = index.get("mappings", {})
        if not made_by_us(mapping.get("_meta")) or str(mapping.get("dynamic")) != "false":
            guessed.append(name)
        elif write_target(name) not in index.get("aliases", {}):
            lame.append(name)
        elif version_of(mapping.get("_meta")) < VERSION:
            old.append(name)
    if guessed:
        seen = (
            f"{len(guessed):,} were not made by k8sidx, and guess their mapping: {_some(guessed)}"
        )
        mend = "Delete them, ship their events again, and find out who writes there."
        return Check("indices", "fail", seen, mend, 3)
    if lame:
        return Check(
            "indices", "fail", f"{len(lame):,} cannot be written: {_some(lame)}", _SETUP, 3
        )
    if old:
        return Check("indices", "warn", f"{len(old):,} lack new fields: {_some(old)}", _SETUP)
    return Check("indices", "ok", f"{len(indices):,}, all with the mapping of k8sidx")


def _check_fields(cluster: Cluster, prefix: str) -> Check:
    limit_of = "*.mappings,*.settings.index.mapping.total_fields.limit"
    crowded, most = [], 0
    for name, index in _indices(cluster, prefix, limit_of).items():
        settings = plain_settings(index.get("settings", {}))
        limit = int(settings.get("index.mapping.total_fields.limit", 1000))
        count = field_count(index.get("mappings", {}).get("properties", {}))
        most = max(most, count)
        if count > limit * _FULL:
            crowded.append(f"{name} ({count:,} of {limit:,})")
    if crowded:
        seen = f"{len(crowded):,} indices are near their limit: {_some(crowded)}"
        return Check("fields", "warn", seen, "Something else writes there; give it another index.")
    return Check("fields", "ok", f"at most {most:,} in an index")


def _check_blocks(cluster: Cluster, prefix: str) -> Check:
    blocked = set()
    for name, index in _indices(cluster, prefix, "*.settings.index.blocks").items():
        blocks = plain_settings(index.get("settings", {}))
        on = [block for block, set_to in blocks.items() if str(set_to) == "true"]
        if any("read" in block or "write" in block for block in on):
            blocked.add(name)
    if blocked:
        names = sorted(blocked)
        seen = f"{len(names):,} indices take no events: {_some(names)}"
        mend = "Free disk space, then take index.blocks.* off; the disk's goes by itself."
        return Check("read-only", "fail", seen, mend, 3)
    return Check("read-only", "ok", "no index is")


def _check_writing(cluster: Cluster, prefix: str) -> Check:
    """Send an invalid document, which the server parses only with the permission to write."""
    writable = [index.name for index in own_indices(cluster, prefix) if index.has_write_target]
    target = write_target(writable[-1] if writable else f"{prefix}-doctor")
    line = orjson.dumps({"create": {"_index": target}}) + b'\n"no event"\n'
    headers = {"content-type": "application/x-ndjson"}
    answer = cluster.request("POST", "/_bulk?require_alias=true", body=line, headers=headers)
    if answer.status != FORBIDDEN:
        item = expect_success(answer, "POST", "/_bulk")["items"][0]["create"]
        answer = Answer(item["status"], {}, orjson.dumps({"error": item.get("error")}))
    if answer.status == FORBIDDEN:
        error = refusal(answer, "writing events")
        return Check("writing", "fail", error.message, error.remedy, 3)
    if not writable:
        return Check("writing", "ok", "to be seen when there is an index")
    return Check("writing", "ok", "allowed")


def _check_latest(cluster: Cluster, prefix: str, now: datetime) -> Check:
    path = f"/{quote(prefix, safe='')}-*/_search?ignore_unavailable=true"
    last = {"last": {"max": {"field": epoch_path("@timestamp")}}}
    answer = cluster.request("POST", path, body={"size": 0, "aggs": last})
    aggregations = expect_success(answer, "POST", path).get("aggregations", {})
    value = aggregations.get("last", {}).get("value")
    return latest_event(None if value is None else int(value), now)


def _indices(cluster: Cluster, prefix: str, what: str) -> Mapping[str, Any]:
    path = f"/{quote(prefix, safe='')}-*"
    indices: Mapping[str, Any] = _get_json(cluster, f"{path}?filter_path={what}")
    return indices


def _get_json(cluster: Cluster, path: str) -> Any:
    return expect_success(_get(cluster, path), "GET", path)


def _get(cluster: Cluster, path: str) -> Answer:
    return retrying_request(cluster, "GET", path, seconds=_SECONDS)


def _some(names: list[str]) -> str:
    return ", ".join(sorted(names)[:_NAMES]) + (", …" if len(names) > _NAMES else "")
