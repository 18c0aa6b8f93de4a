"""A state file names the cluster and the indices that it is of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.errors import UsageError
from k8sidx.shipping.pipeline import ShipOptions, ShipReport, ship
from k8sidx.shipping.state import State
from tests.building import event, write_log


def test_ship_refuses_a_state_file_of_other_indices(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    log = write_log(tmp_path / "audit.log", [event()])

    def shipped(name: str) -> ShipReport:
        store = ClusterStore(cluster.url, parse_target(name), ConnectionSettings())
        options = ShipOptions(dead_letter=tmp_path / "dead.jsonl", processes=1)
        with State(tmp_path / "state.json") as state:
            return ship([str(log)], store, options, state=state)

    assert shipped(prefix).indexed == 1
    uuid = cluster.request("GET", "/_cluster/stats").json()["cluster_uuid"]
    content = json.loads((tmp_path / "state.json").read_text())
    assert content["store"] == {"id": f"{uuid}/{prefix}", "events": None}
    assert shipped(prefix).read == 0
    with pytest.raises(UsageError, match="is another one"):
        shipped(f"{prefix}-2")
