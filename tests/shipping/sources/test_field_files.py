"""Inputs as people have them, from ``../shared/data/field``: every event is read, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.events.decode.decoding import DecodedEvent, file_records

FIELD = Path(__file__).parents[4] / "shared" / "data" / "field"

pytestmark = pytest.mark.skipif(not FIELD.is_dir(), reason="no ../shared/data/field")


def test_must_gather_contains_24_events() -> None:
    assert len(audit_ids("archive-must-gather.tar.gz")) == 24


@pytest.mark.parametrize(
    "name", ["prefix-kubectl-logs.log", "csv-cloudwatch-console.csv", "partial-cri.log"]
)
def test_file_contains_the_expected_events_and_nothing_else(name: str) -> None:
    expected = json.loads((FIELD / "expect.json").read_text())["files"]
    (ids,) = [entry["expect_audit_ids"] for entry in expected if entry["file"] == name]
    assert audit_ids(name) == ids


def audit_ids(name: str) -> list[str]:
    """Return the audit ids of a file in which every record is an event."""
    records = file_records(FIELD / name)
    events = [record for record in records if isinstance(record, DecodedEvent)]
    assert len(events) == len(records), records
    return [event.body["auditID"] for event in events]
