"""Retention policies. No distribution of the suite has ISM or ILM: a server in front of the
real one plays their documented APIs."""

from __future__ import annotations

from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.index.create import ensure_index
from k8sidx.backends.cluster.index.setup import carry_out, plan_setup
from k8sidx.errors import StoreError
from tests.backends.cluster.lifecycles import Lifecycles, lifecycles


def set_up(server: Lifecycles, prefix: str, retention: str = "") -> list[str]:
    """Run setup; the requests that it made."""
    cluster = open_cluster(server.url)
    try:
        done = list(carry_out(cluster, plan_setup(cluster, prefix, retention=retention)))
    finally:
        cluster.close()
    return [f"{request.method} {request.path}" for request, _ in done]


def age(policy: dict[str, Any]) -> str:
    """At which a policy deletes."""
    if "phases" in policy:
        return str(policy["phases"]["delete"]["min_age"])
    return str(policy["states"][0]["transitions"][0]["conditions"]["min_index_age"])


def test_a_policy_is_made_once_changed_and_kept(cluster: Cluster, prefix: str) -> None:
    name = f"{prefix}-retention"
    with lifecycles(cluster) as server:
        assert set_up(server, prefix, "90d")
        assert age(server.policies[name]) == "90d"
        assert set_up(server, prefix, "90d") == []
        assert set_up(server, prefix) == [], "without --retention it stays"
        [changed] = set_up(server, prefix, "30d")
        assert name in changed
        assert age(server.policies[name]) == "30d"


def test_indices_that_are_there_come_under_it_but_undated_ones(
    cluster: Cluster, prefix: str
) -> None:
    dated = f"{prefix}-2026.11.23"
    for index in (dated, f"{prefix}-undated"):
        ensure_index(cluster, prefix, index)
    with lifecycles(cluster) as server:
        set_up(server, prefix, "90d")
        assert server.attached
        for path, body in server.attached:
            assert dated in path
            assert "undated" not in path
            assert f"{prefix}-retention" in body.values()
        if cluster.product == "opensearch":  # Elasticsearch's indices cannot keep the setting here
            assert set_up(server, prefix, "90d") == []


def test_new_indices_come_under_it(cluster: Cluster, prefix: str) -> None:
    with lifecycles(cluster) as server:
        set_up(server, prefix, "90d")
        if cluster.product == "opensearch":
            [template] = server.policies[f"{prefix}-retention"]["ism_template"]
            assert template["index_patterns"] == [f"{prefix}-*.*"]
        else:
            assert server.named == {
                f"/_index_template/{prefix}": f"{prefix}-retention",
                f"/_index_template/{prefix}-undated": "",
                f"/_index_template/findings-{prefix}": "",
                f"/_index_template/summaries-{prefix}": "",
            }


def test_a_policy_of_somebody_else_is_not_touched(cluster: Cluster, prefix: str) -> None:
    theirs = {"description": "ours", "states": [], "phases": {}}
    with lifecycles(cluster) as server:
        server.policies[f"{prefix}-retention"] = theirs
        with pytest.raises(StoreError, match="was not made by k8sidx"):
            set_up(server, prefix, "90d")
        assert server.policies[f"{prefix}-retention"] is theirs
