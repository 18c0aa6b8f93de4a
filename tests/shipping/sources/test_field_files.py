"""Inputs as people have them, from ``../shared/data/field``: every event is stored, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from k8sidx.api import open_store, ship

FIELD = Path(__file__).parents[4] / "shared" / "data" / "field"
CASES = json.loads((FIELD / "expect.json").read_text())["files"] if FIELD.is_dir() else []
INPUTS = {case["file"]: case for case in CASES if "expect_events" in case and ".bulk" not in case}

pytestmark = pytest.mark.skipif(not FIELD.is_dir(), reason="no ../shared/data/field")


@pytest.mark.parametrize("name", INPUTS)
def test_each_event_of_a_file_is_stored(name: str, tmp_path: Path) -> None:
    case = INPUTS[name]
    rows = shipped(FIELD / name, tmp_path)
    # "3; or 3 rejected": a reader that rejects them would do; this one reads them.
    assert len(rows) == int(str(case["expect_events"]).split(",")[0].split(";")[0])
    if "expect_audit_ids" in case:
        assert sorted(row["auditID"] for row in rows) == sorted(case["expect_audit_ids"])
    if "expect_user" in case:
        assert {row["user.username"] for row in rows} == {case["expect_user"]}
    stored = b"".join(path.read_bytes() for path in files_of(tmp_path))
    texts = json.dumps(rows, default=str)
    for secret in case.get("must_not_be_stored", ()):
        assert secret not in texts
        assert secret.encode() not in stored


def test_values_of_other_types_are_read(tmp_path: Path) -> None:
    rows = shipped(FIELD / "types-epoch-codetext-ipstring.ndjson", tmp_path)
    by_id = {row["auditID"]: row for row in rows}
    assert f"{by_id['t-1']['@timestamp']:%FT%T.%f}".startswith("2024-05-06T10:13:33.350")
    assert by_id["t-2"]["responseStatus.code"] == 403
    assert by_id["t-3"]["sourceIPs"][-1] == "10.0.0.1"
    assert all(row["source.ip"] for row in rows)


def test_a_decision_is_read_where_gke_leaves_it_out(tmp_path: Path) -> None:
    (row,) = shipped(FIELD / "gke-denied-granted-omitted.json", tmp_path)
    assert row["annotations.authorization.k8s.io/decision"] == "forbid"
    assert row["responseStatus.code"] == 403
    assert row["event.outcome"] == "failure"


def shipped(path: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a new store that has the events of a file."""
    report = ship([str(path)], open_store(str(folder / "store"), create=True))
    assert report.rejected == 0
    return [row for part in files_of(folder) for row in pq.read_table(part).to_pylist()]


def files_of(folder: Path) -> Iterator[Path]:
    return (folder / "store" / "events").rglob("*.parquet")
