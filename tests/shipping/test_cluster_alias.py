"""A write alias over two indices stops the run; it is not the events' fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.template import write_target
from tests.building import event, write_log
from tests.shipping.clusters import dead_letters, shipped


def test_ship_fails_when_the_write_alias_leads_to_two_indices(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    first = write_log(tmp_path / "a.log", [event()])
    assert shipped(cluster.url, prefix, first, folder=tmp_path).indexed == 1
    answer = cluster.request("GET", f"/{prefix}-*")
    [index] = answer.json()
    body: dict[str, Any] = {"aliases": {write_target(index): {}}}
    assert cluster.request("PUT", f"/{prefix}-0000.00.00-copy", body=body).status == 200
    log = write_log(tmp_path / "b.log", [event(seconds=n, name="b") for n in range(50)])
    report = shipped(cluster.url, prefix, log, folder=tmp_path)
    assert report.failure is not None
    assert "write index" in report.failure.message
    assert (report.rejected, dead_letters(tmp_path)) == (0, [])
