"""Whatever an event holds: it is stored, and the mapping stays what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docs.generate.mapping import document
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.create import ensure_index
from k8sidx.backends.cluster.index.mapping import Properties, field_count, flat_properties
from k8sidx.backends.cluster.index.template import FIELD_LIMIT
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.backends.cluster.hostile import hostile_events
from tests.building import SHARED, write_log
from tests.shipping.clusters import dead_letters, rows, shipped

DATA = SHARED / "data"
PAGE = Path(__file__).parents[3] / "docs" / "mapping.md"
FOLDERS = ("apiserver", "cases", "envelopes")


def mappings_of(cluster: Cluster, prefix: str) -> dict[str, Properties]:
    """Properties of each index under the prefix."""
    answer = cluster.request("GET", f"/{prefix}-*/_mapping")
    found = {name: one["mappings"] for name, one in answer.json().items()}
    assert all(one["dynamic"] == "false" for one in found.values())
    return {name: one["properties"] for name, one in found.items()}


def flat(properties: Properties, above: str = "") -> Properties:
    """By dotted names."""
    found: Properties = {}
    for name, one in properties.items():
        if "properties" in one:
            found |= flat(one["properties"], f"{above}{name}.")
        else:
            found[f"{above}{name}"] = one
    return found


def plain(value: Any) -> Any:
    """Servers give some flags back as text."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return str(value).lower()


def test_the_page_is_as_generated() -> None:
    assert PAGE.read_text("utf-8") == document(), "run make generated"


def test_a_hundred_hostile_events_are_stored_and_change_no_mapping(
    every_cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    events = list(hostile_events())
    report = shipped(
        every_cluster.url, prefix, write_log(tmp_path / "a.log", events), folder=tmp_path
    )
    assert dead_letters(tmp_path) == []
    assert (report.read, report.indexed, report.rejected) == (100, 100, 0)
    assert len(rows(every_cluster, prefix)) == 100
    mappings = mappings_of(every_cluster, prefix)
    assert len(mappings) > 1, "of several days"
    for properties in mappings.values():
        assert field_count(properties) < FIELD_LIMIT
        assert plain(flat(properties)) == plain(flat_properties())


def test_a_document_of_a_stranger_changes_no_mapping_either(cluster: Cluster, prefix: str) -> None:
    index = f"{prefix}-2026.11.23"
    ensure_index(cluster, prefix, index)
    stranger = {f"unknown-{n}": {"deeper": n} for n in range(2000)}
    made = cluster.request("POST", f"/{index}/_doc", body=stranger)
    assert made.status == 201, made.body
    assert plain(flat(mappings_of(cluster, prefix)[index])) == plain(flat_properties())


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_server_rejects_anything_of_the_shared_data(
    folder: str, cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no ../shared/data/{folder}")
    letters = tmp_path / "embedded.jsonl"
    options = ShipOptions(dead_letter=letters)
    here = ship([str(DATA / folder)], EmbeddedStore(tmp_path / "store"), options)
    there = shipped(cluster.url, prefix, DATA / folder, folder=tmp_path)
    assert (there.read, there.indexed, there.duplicates, there.rejected) == (
        here.read, here.indexed, here.duplicates, here.rejected,
    )  # fmt: skip
    assert {one["reason"] for one in dead_letters(tmp_path)} == {
        one["reason"] for one in _letters(letters)
    }
    for properties in mappings_of(cluster, prefix).values():
        assert plain(flat(properties)) == plain(flat_properties())


def _letters(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_text().splitlines()] if path.exists() else []
