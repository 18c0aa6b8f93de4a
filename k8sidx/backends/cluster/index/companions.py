"""Templates and mappings of the indices beside the events: saved findings and daily summaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from k8sidx.backends.cluster.http.client import Cluster, Product
from k8sidx.backends.cluster.http.retrying import expect_success, retrying_request
from k8sidx.backends.cluster.index.mapping import mapping_of
from k8sidx.backends.cluster.index.target import findings_index
from k8sidx.backends.cluster.index.template import (
    Body,
    IndexOptions,
    own_meta,
    place_settings,
    template_body,
    template_path,
    write_target,
)
from k8sidx.backends.finding_record import FIELDS

_KEYWORD = {"type": "keyword"}


def summaries_index(prefix: str) -> str:
    """Return the name of the index, which the pattern of a prefix's events does not match."""
    return f"summaries-{prefix}"


def forget_summaries(cluster: Cluster, prefix: str) -> None:
    """Delete the summaries, which have values that stored events had before they were changed.

    :raises ClusterRefused: when they cannot be deleted.
    """
    path = f"/{quote(summaries_index(prefix), safe='')}"
    answer = retrying_request(cluster, "DELETE", path)
    if answer.status != 404:
        expect_success(answer, "DELETE", path)


def findings_mapping() -> Body:
    """Return the mapping of saved findings."""
    return mapping_of(FIELDS, own_meta())


def states_mapping() -> Body:
    """Return the mapping of the state changes of saved findings."""
    names = ("key", "finding", "series", "action", "by")
    return {
        "_meta": own_meta(),
        "dynamic": False,
        "properties": {
            **dict.fromkeys(names, _KEYWORD),
            **{name: {"type": "date"} for name in ("at", "seen", "until")},
            "note": {"type": "text"},
        },
    }


def summaries_mapping() -> Body:
    """Return the mapping of daily summaries, whose ``rows`` are not indexed."""
    return {
        "_meta": own_meta(),
        "dynamic": False,
        "properties": {
            "question": _KEYWORD,
            "day": _KEYWORD,
            "state": _KEYWORD,
            "part": {"type": "integer"},
            "parts": {"type": "integer"},
        },
    }


def companion_templates(
    prefix: str, options: IndexOptions, product: Product, flavor: str = "server"
) -> dict[str, Body]:
    """Return the bodies of ``PUT /_index_template/…`` by the template's name.

    :param options: of the events' indices. Findings and summaries have the same replicas, one
        shard, and no lifecycle: they are few, and are updated.
    """
    own = replace(options, shards=1, lifecycle="")
    described = {
        findings_index(prefix): ("Saved findings", findings_mapping()),
        summaries_index(prefix): ("Daily summaries", summaries_mapping()),
    }
    return {
        name: template_body(
            name,
            about,
            {
                "aliases": {write_target("{index}"): {}},
                "settings": place_settings(own, product, flavor),
                "mappings": mappings,
            },
        )
        for name, (about, mappings) in described.items()
    }


def new_index(cluster: Cluster, name: str, mappings: Body, **more: Any) -> Body:
    """Return the body that creates one of these indices.

    The settings come from its template; without one, they are those of a new setup.
    """
    answer = retrying_request(cluster, "GET", template_path(name))
    settings = place_settings(IndexOptions(), cluster.product, cluster.flavor)
    if answer.status != 200 and settings:
        more["settings"] = settings
    return {"mappings": mappings, **more}


def lacking(properties: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return the names that a mapping's ``properties`` do not have."""
    return [name for name in names if not _has(properties, name)]


def _has(properties: Mapping[str, Any], name: str) -> bool:
    first, _, rest = name.partition(".")
    inner = properties.get(first)
    if inner is None or not rest:
        return inner is not None
    return _has(inner.get("properties", {}), rest)
