"""The mapping and the templates, as generated."""

from __future__ import annotations

import json
from pathlib import Path

from docs.generate.template_files import files
from k8sidx.backends.cluster.index.document import document
from k8sidx.backends.cluster.index.mapping import field_count, flat_properties, mapping
from k8sidx.backends.cluster.index.template import (
    FIELD_LIMIT,
    IndexOptions,
    index_templates,
    own_meta,
)
from k8sidx.events.fields.table import FIELDS, Kind
from tests.building import event, normalized

MAPPINGS = Path(__file__).parents[3] / "mappings"


def test_the_files_are_as_generated() -> None:
    made = {name: json.dumps(body, indent=2) + "\n" for name, body in files()}
    there = {
        path.relative_to(MAPPINGS).as_posix(): path.read_text("utf-8")
        for path in MAPPINGS.rglob("*.json")
    }
    assert there == made, "run make generated"


def test_the_mapping_stays_under_the_field_limit() -> None:
    assert field_count(mapping(own_meta())["properties"]) < FIELD_LIMIT == 400


def test_every_field_but_the_id_and_json_is_mapped() -> None:
    mapped = flat_properties()
    wanted = {field.name for field in FIELDS if field.kind is not Kind.JSON} - {"event.id"}
    assert wanted <= set(mapped)
    assert mapped["sourceIPs"]["type"] == "ip"
    assert mapped["user.username"]["ignore_above"] == 2 * 1024
    assert mapped["event.action"] == {"type": "alias", "path": "verb"}
    assert mapped["audit"] == {"type": "object", "enabled": False}


def test_a_document_has_mapped_keys_only() -> None:
    written = document(normalized(event("create", "pods", subresource="exec", user="alice")))
    assert set(json.loads(written)) <= set(flat_properties())


def test_a_longer_prefix_goes_before_a_shorter_one() -> None:
    [short] = index_templates("k8s-audit", IndexOptions(), "opensearch").values()
    [long] = index_templates("k8s-audit-eu", IndexOptions(), "opensearch").values()
    assert short["priority"] < long["priority"]


def test_the_index_of_undated_events_has_no_lifecycle() -> None:
    options = IndexOptions(lifecycle="k8s-audit-retention")
    made = index_templates("k8s-audit", options, "elasticsearch")
    settings = {name: body["template"]["settings"] for name, body in made.items()}
    assert settings["k8s-audit"]["index.lifecycle.name"] == "k8s-audit-retention"
    assert "index.lifecycle.name" not in settings["k8s-audit-undated"]
    assert made["k8s-audit"]["priority"] < made["k8s-audit-undated"]["priority"]


def test_serverless_is_not_told_about_machines() -> None:
    made = index_templates("k8s-audit", IndexOptions(), "elasticsearch", "elastic-serverless")
    settings = made["k8s-audit"]["template"]["settings"]
    refused = {"index.number_of_shards", "index.auto_expand_replicas", "index.codec"}
    assert not refused & set(settings)
