"""A write alias over two indices stops the run; it is not the events' fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.template import write_target
from tests.building import event, write_log
from tests.shipping.clusters import dead_letters, shipped


@pytest.mark.parametrize("made_by", ["this version", "an earlier version"])
def test_events_go_to_the_write_index_of_an_alias_of_two_or_ship_fails(
    made_by: str, cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    first = write_log(tmp_path / "a.log", [event()])
    assert shipped(cluster.url, prefix, first, folder=tmp_path).indexed == 1
    answer = cluster.request("GET", f"/{prefix}-*")
    [index] = answer.json()
    copy = f"{prefix}-0000.00.00-copy"
    body: dict[str, Any] = {"aliases": {write_target(index): {}}}
    assert cluster.request("PUT", f"/{copy}", body=body).status == 200
    if made_by == "an earlier version":
        plain = {"index": index, "alias": write_target(index), "is_write_index": False}
        asked = cluster.request("POST", "/_aliases", body={"actions": [{"add": plain}]})
        assert asked.status == 200
    log = write_log(tmp_path / "b.log", [event(seconds=n, name="b") for n in range(50)])
    report = shipped(cluster.url, prefix, log, folder=tmp_path)
    if made_by == "this version":
        assert (report.indexed, report.failure) == (50, None)
        assert cluster.request("GET", f"/{copy}/_count").json()["count"] == 0
        return
    assert report.failure is not None
    assert "write index" in report.failure.message
    assert (report.rejected, dead_letters(tmp_path)) == (0, [])
