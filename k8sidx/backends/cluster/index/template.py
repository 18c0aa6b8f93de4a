"""Index template and retention policy of our indices.

An index template makes each new index what it has to be: its mapping, its settings, and a
name to write under. That name is an alias, ``<index>.write``, and only the template gives it:
bulk requests go to it with ``require_alias``, so that an index which the server would make up
by itself, with a mapping guessed from the first event, cannot come into being. It is the alias's
write index: a cluster refuses a second one, so that the name of a day is either that of its own
index or that of one it shares with others (:mod:`k8sidx.backends.cluster.index.cache`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from k8sidx.backends.cluster.http.client import Product
from k8sidx.backends.cluster.index.mapping import WORDS, mapping
from k8sidx.backends.cluster.index.names import UNDATED

VERSION = 3
"""Of the template. Raise it with any change of what :func:`index_template` gives."""

FIELD_LIMIT = 400
"""``index.mapping.total_fields.limit``; objects, aliases and subfields count."""

MADE_BY = "k8sidx"
_PRIORITY = 200
_SORT = {
    "user.username": "asc",
    "target.resource": "asc",
    "verb": "asc",
    "@timestamp": "desc",
}
"""Index sorting stores similar events together: a third less disk than in order of arrival, and
faster groups (measured in docs/design.md)."""

_FOR_WORDS = (
    f"message.{WORDS}",
    "user.username",
    "objectRef.name",
    "objectRef.namespace",
    "userAgent",
    "sourceIPs.keyword",
)
"""Default fields of a search without field names, as in the search bar of a dashboard."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """Options of a user.

    :param shards: primary shards of an index.
    :param replicas: replicas of each; ``None`` for one with a second node.
    :param lifecycle: name of the ILM policy of Elasticsearch.
    """

    shards: int = 1
    replicas: int | None = None
    lifecycle: str = ""


def write_target(index: str) -> str:
    """Return the alias under which bulk requests write to an index."""
    return f"{index}.write"


def dated_pattern(prefix: str) -> str:
    """Return the pattern of a prefix's dated indices, which excludes the one of undated events."""
    return f"{prefix}-*.*"


def policy_name(prefix: str) -> str:
    """Return the name of the retention policy."""
    return f"{prefix}-retention"


def template_path(name: str) -> str:
    """Return the path of an index template."""
    return f"/_index_template/{quote(name, safe='')}"


def made_by_us(meta: object) -> bool:
    """Whether a ``_meta`` is one of ours."""
    return isinstance(meta, Mapping) and meta.get("made_by") == MADE_BY


def version_of(meta: object) -> int:
    """Return the version in a ``_meta`` of ours; 0 without one."""
    version = meta.get("version") if isinstance(meta, Mapping) else None
    return version if type(version) is int else 0


def own_meta() -> Body:
    """Return the ``_meta`` of our templates, mappings and policies."""
    return {"made_by": MADE_BY, "version": VERSION}


def index_templates(
    prefix: str, options: IndexOptions, product: Product, flavor: str = "server"
) -> dict[str, Body]:
    """Return the bodies of ``PUT /_index_template/…`` by the template's name.

    Elasticsearch ties a lifecycle to a template, so that the index of undated events, which
    is written for ever, has a template without one.
    """
    made = {prefix: _index_template(f"{prefix}-*", options, product, flavor)}
    if product == "elasticsearch" and options.lifecycle:
        undated = f"{prefix}-{UNDATED}"
        kept = replace(options, lifecycle="")
        made[undated] = _index_template(undated, kept, product, flavor)
    return made


def _index_template(pattern: str, options: IndexOptions, product: Product, flavor: str) -> Body:
    return template_body(
        pattern,
        "Kubernetes audit events",
        {
            "aliases": {write_target("{index}"): {"is_write_index": True}},
            "settings": index_settings(options, product, flavor),
            "mappings": mapping(own_meta()),
        },
    )


def template_body(pattern: str, about: str, template: Body) -> Body:
    """Return an index template; of two that match an index, the one with the longer pattern has
    priority."""
    return {
        "index_patterns": [pattern],
        "priority": _PRIORITY + len(pattern),
        "version": VERSION,
        "_meta": {"description": about, **own_meta()},
        "template": template,
    }


def index_settings(options: IndexOptions, product: Product, flavor: str = "server") -> Body:
    """Return the settings of an index by their full names."""
    settings: Body = {
        "index.mapping.total_fields.limit": FIELD_LIMIT,
        "index.query.default_field": list(_FOR_WORDS),
        "index.sort.field": list(_SORT),
        "index.sort.order": list(_SORT.values()),
    }
    if flavor == "server":
        settings["index.codec"] = "best_compression"
    return settings | place_settings(options, product, flavor)


def place_settings(options: IndexOptions, product: Product, flavor: str = "server") -> Body:
    """Return the settings about shards, replicas and lifecycle. Serverless offers refuse them."""
    if flavor != "server":
        return {}
    settings: Body = {"index.number_of_shards": options.shards}
    if options.replicas is None:
        settings["index.auto_expand_replicas"] = "0-1"
    else:
        settings["index.number_of_replicas"] = options.replicas
    if product == "elasticsearch" and options.lifecycle:
        settings["index.lifecycle.name"] = options.lifecycle
    return settings


def policy_description(retention: str) -> str:
    """Return the description of an ISM policy, the only member that can mark it as ours."""
    return f"Made by {MADE_BY}: deletes audit events after {retention}"


def ism_policy(prefix: str, retention: str) -> Body:
    """Return the body of OpenSearch's ``PUT /_plugins/_ism/policies/…``.

    :param retention: age after which an index is deleted, for example ``90d``.
    """
    old = {"state_name": "deleted", "conditions": {"min_index_age": retention}}
    return {
        "policy": {
            "description": policy_description(retention),
            "default_state": "kept",
            "states": [
                {"name": "kept", "actions": [], "transitions": [old]},
                {"name": "deleted", "actions": [{"delete": {}}], "transitions": []},
            ],
            "ism_template": [
                {"index_patterns": [dated_pattern(prefix)], "priority": _PRIORITY + len(prefix)}
            ],
        }
    }


def ilm_policy(retention: str) -> Body:
    """Return the body of Elasticsearch's ``PUT /_ilm/policy/…``.

    :param retention: age after which an index is deleted, for example ``90d``.
    """
    return {
        "policy": {
            "_meta": own_meta(),
            "phases": {
                "hot": {"actions": {}},
                "delete": {"min_age": retention, "actions": {"delete": {}}},
            },
        }
    }
