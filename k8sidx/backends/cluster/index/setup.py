"""Setup of a cluster: the plan of templates, mapping and lifecycle policy, and its execution.

A plan is made from what is there, so that setup can be repeated: what is as it should be is
left alone, what an older k8sidx made is brought up to date, and what somebody else made is
never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import (
    FORBIDDEN,
    RETRY_SECONDS,
    expect_success,
    retrying_request,
)
from k8sidx.backends.cluster.index.companions import (
    companion_templates,
    findings_mapping,
    lacking,
)
from k8sidx.backends.cluster.index.lifecycle import Lifecycle, lifecycle_of
from k8sidx.backends.cluster.index.mapping import mapping
from k8sidx.backends.cluster.index.target import findings_index
from k8sidx.backends.cluster.index.template import (
    VERSION,
    IndexOptions,
    dated_pattern,
    index_templates,
    made_by_us,
    own_meta,
    place_settings,
    template_path,
    version_of,
    write_target,
)
from k8sidx.backends.finding_record import FIELDS
from k8sidx.backends.setup import SetupPlan, SetupRequest
from k8sidx.errors import StoreError, StoreVersion

_NAMES_IN_A_PATH = 50
"""Indices in one request: a path may have 4,096 bytes."""


class OwnIndex(NamedTuple):
    """Present state of one of our indices.

    :param lifecycle: name of its ILM policy; empty without one.
    """

    name: str
    version: int
    lifecycle: str
    has_write_target: bool


def plan_setup(
    cluster: Cluster,
    prefix: str,
    *,
    shards: int | None = None,
    replicas: int | None = None,
    retention: str = "",
) -> SetupPlan:
    """Compare the cluster with the wanted setup, and return the necessary requests.

    :param shards: of each index; by default as in an existing template of ours, else 1.
    :param replicas: the same; else 1 with a second node.
    :param retention: age after which indices are deleted, for example ``90d``; without it,
        an existing policy of ours stays, and there is none otherwise.
    :raises StoreError: when something that k8sidx did not create has a name that we need.
    :raises StoreVersion: when a newer k8sidx set this up.
    :raises ClusterRefused: when this user may not read the present state.
    """
    plan = SetupPlan()
    present = read_templates(cluster, prefix)
    lifecycle = lifecycle_of(cluster, prefix)
    if retention and lifecycle.forbidden:
        raise lifecycle.forbidden
    if retention and not lifecycle.available:
        plan.notes.append(lifecycle.why_not)
    wanted = bool(retention) and lifecycle.available
    changes = wanted and not lifecycle.is_as_wanted(retention)
    if changes:
        plan.requests.append(SetupRequest(*lifecycle.put(retention), "retention policy"))
    options = _options(present.get(prefix), shards, replicas)
    if cluster.product == "elasticsearch" and lifecycle.available:
        options = replace(options, lifecycle=lifecycle.name_with(retention))
    wanted_templates = {
        **index_templates(prefix, options, cluster.product, cluster.flavor),
        **companion_templates(prefix, options, cluster.product, cluster.flavor),
    }
    for name, body in wanted_templates.items():
        if not _alike(present.get(name), body):
            path = template_path(name)
            plan.requests.append(SetupRequest("PUT", path, body, "index template"))
    plan.requests += _findings_updates(cluster, prefix, options)
    indices = own_indices(cluster, prefix)
    plan.requests += _index_updates(indices)
    if changes or (wanted and lifecycle.shows_on_indices):
        plan.requests += _under_policy(lifecycle, indices, prefix)
    if not retention and lifecycle.available and not lifecycle.present:
        plan.notes.append("Indices are kept for ever; --retention 90d deletes those older.")
    return plan


def carry_out(
    cluster: Cluster, plan: SetupPlan
) -> Iterator[tuple[SetupRequest, ClusterRefused | None]]:
    """Send the requests of a plan.

    :yields: each request, with the refusal where the cluster does not let us; the others are
        made all the same.
    :raises ClusterRefused: when the cluster refuses one for another reason.
    """
    for request in plan.requests:
        answer = retrying_request(cluster, request.method, request.path, body=request.body)
        try:
            expect_success(answer, request.method, request.path)
        except ClusterRefused as refused:
            if refused.status != FORBIDDEN:
                raise
            yield request, refused
        else:
            yield request, None


def put_templates(cluster: Cluster, prefix: str, *, seconds: float = RETRY_SECONDS) -> None:
    """Create or update the index template, the minimal setup.

    A user that may not look at templates is taken to have an administrator who set it up.

    :raises ClusterRefused: when it is missing and this user may not create it.
    :raises StoreError: when k8sidx did not create the template of that name.
    :raises StoreVersion: when a newer k8sidx set this up.
    """
    try:
        present = read_templates(cluster, prefix, seconds=seconds)
    except ClusterRefused as refused:
        if refused.status != FORBIDDEN:
            raise
        return
    if prefix in present and version_of(present[prefix].get("_meta")) == VERSION:
        return
    options = _options(present.get(prefix), None, None)
    for name, body in index_templates(prefix, options, cluster.product, cluster.flavor).items():
        path = template_path(name)
        answer = retrying_request(cluster, "PUT", path, body=body, seconds=seconds)
        expect_success(answer, "PUT", path)


def read_templates(
    cluster: Cluster, prefix: str, *, seconds: float = RETRY_SECONDS
) -> dict[str, Any]:
    """Return our present index templates by name.

    :raises StoreError: when another template has one of their names.
    :raises StoreVersion: when a newer k8sidx created one.
    """
    any_options = IndexOptions(lifecycle="any")
    of_events = index_templates(prefix, any_options, cluster.product, cluster.flavor)
    templates = {}
    for name in (*of_events, *companion_templates(prefix, any_options, cluster.product)):
        path = template_path(name)
        answer = retrying_request(cluster, "GET", path, seconds=seconds)
        if answer.status == 404:
            continue
        [entry] = expect_success(answer, "GET", path)["index_templates"]
        template = entry["index_template"]
        _must_be_ours(template.get("_meta"), f"the index template {name}")
        templates[name] = template
    return templates


def own_indices(cluster: Cluster, prefix: str) -> list[OwnIndex]:
    """Return our present indices by name."""
    path = f"/{quote(prefix, safe='')}-*"
    look = "filter_path=*.aliases,*.mappings._meta,*.settings.index.lifecycle.name"
    answer = retrying_request(cluster, "GET", f"{path}?{look}")
    if answer.status == 404:
        return []
    indices = []
    for name, content in sorted(expect_success(answer, "GET", path).items()):
        meta = content.get("mappings", {}).get("_meta")
        index = content.get("settings", {}).get("index", {})
        if made_by_us(meta):
            lifecycle = index.get("lifecycle", {}).get("name", "")
            writable = write_target(name) in content.get("aliases", {})
            indices.append(OwnIndex(name, version_of(meta), lifecycle, writable))
    return indices


def _must_be_ours(meta: object, what: str) -> None:
    if not made_by_us(meta):
        raise StoreError(
            f"{what} is there already and was not made by k8sidx.",
            remedy="Choose another prefix with --index, or delete it.",
        )
    if version_of(meta) > VERSION:
        raise StoreVersion(
            f"{what} was made by a newer k8sidx.", remedy="Upgrade this one: pip install -U k8sidx"
        )


def _options(template: Any, shards: int | None, replicas: int | None) -> IndexOptions:
    """Return the requested options, by default those of the present template."""
    settings = plain_settings(template["template"].get("settings", {})) if template else {}
    if shards is None:
        shards = int(settings.get("index.number_of_shards", 1))
    if replicas is None and "index.number_of_replicas" in settings:
        replicas = int(settings["index.number_of_replicas"])
    lifecycle = str(settings.get("index.lifecycle.name", ""))
    return IndexOptions(shards, replicas, lifecycle)


def _index_updates(indices: Sequence[OwnIndex]) -> Iterator[SetupRequest]:
    """Yield requests that add fields of later versions to the indices of older ones, and the alias
    to those that were created while the template was missing."""
    for index in indices:
        if index.version < VERSION:
            path = f"/{quote(index.name, safe='')}/_mapping"
            yield SetupRequest("PUT", path, mapping(own_meta()), "fields of an older index")
        if not index.has_write_target:
            add = {"index": index.name, "alias": write_target(index.name)}
            yield SetupRequest(
                "POST", "/_aliases", {"actions": [{"add": add}]}, "name to write under"
            )


def _findings_updates(
    cluster: Cluster, prefix: str, options: IndexOptions
) -> Iterator[SetupRequest]:
    """Yield requests that bring an index of findings up to date: an older k8sidx made it without
    the template, with one replica even on a single node, and fewer fields."""
    index = findings_index(prefix)
    path = f"/{quote(index, safe='')}"
    answer = retrying_request(cluster, "GET", f"{path}?filter_path=*.mappings,*.settings")
    if answer.status == 404:
        return
    content = expect_success(answer, "GET", path).get(index, {})
    mappings = content.get("mappings", {})
    if not made_by_us(mappings.get("_meta")):
        return
    if lacking(mappings.get("properties", {}), (field.name for field in FIELDS)):
        yield SetupRequest("PUT", f"{path}/_mapping", findings_mapping(), "fields of findings")
    present = plain_settings(content.get("settings", {}))
    wanted = place_settings(options, cluster.product, cluster.flavor)
    changes = {
        name: value
        for name, value in wanted.items()
        if name.endswith("_replicas") and str(present.get(name)) != str(value)
    }
    if changes:
        if "index.number_of_replicas" in changes:
            changes["index.auto_expand_replicas"] = False
        yield SetupRequest("PUT", f"{path}/_settings", changes, "replicas of findings")


def _under_policy(
    lifecycle: Lifecycle, indices: Sequence[OwnIndex], prefix: str
) -> Iterator[SetupRequest]:
    dated = [index for index in indices if "." in index.name.removeprefix(f"{prefix}-")]
    waiting = [index.name for index in dated if index.lifecycle != lifecycle.name]
    for start in range(0, len(waiting), _NAMES_IN_A_PATH):
        names = ",".join(waiting[start : start + _NAMES_IN_A_PATH])
        for request in lifecycle.attach(quote(names, safe=",")):
            yield SetupRequest(*request, f"retention of {dated_pattern(prefix)}")


def _alike(present: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether a template is up to date; servers return settings nested and as text."""
    if present is None:
        return False
    return bool(_comparable(present) == _comparable(wanted))


def _comparable(template: Any) -> Any:
    inner = template["template"]
    return _as_text(
        {
            **{key: template.get(key) for key in ("index_patterns", "priority", "version")},
            "_meta": template.get("_meta"),
            "aliases": inner.get("aliases", {}),
            "settings": plain_settings(inner.get("settings", {})),
            "mappings": inner.get("mappings", {}),
        }
    )


def plain_settings(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return settings by their full names, however nested they are."""
    plain: dict[str, Any] = {}
    for name, value in settings.items():
        full = f"{above}.{name}" if above else name
        if isinstance(value, Mapping):
            plain.update(plain_settings(value, full))
        else:
            plain[full] = value
    return plain


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_text(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_as_text(element) for element in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
