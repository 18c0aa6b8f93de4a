"""``k8sidx doctor`` on clusters: what is wrong is seen, said and mended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8sidx.backends.check import Check
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.index.create import ensure_index
from k8sidx.backends.cluster.index.setup import carry_out, plan_setup
from k8sidx.backends.cluster.index.target import parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings, checked
from k8sidx.cli import app
from tests.building import event, write_log
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.servers.node import Node
from tests.servers.secured import Secured
from tests.shipping.clusters import shipped


def examined(
    url: str,
    prefix: str,
    *,
    ahead: timedelta = timedelta(),
    settings: ConnectionSettings | None = None,
) -> dict[str, Check]:
    """The checks by name.

    :param ahead: how far our clock is ahead.
    """
    store = ClusterStore(url, parse_target(prefix), settings or ConnectionSettings())
    checks = store.checks(lambda: datetime.now(UTC) + ahead)
    return {check.name: check for check in checks}


def set_up(cluster: Cluster, prefix: str) -> None:
    list(carry_out(cluster, plan_setup(cluster, prefix)))


def test_a_good_cluster_needs_nothing(every_cluster: Cluster, prefix: str, tmp_path: Path) -> None:
    set_up(every_cluster, prefix)
    shipped(every_cluster.url, prefix, write_log(tmp_path / "a", [event()]), folder=tmp_path)
    every_cluster.request("POST", f"/{prefix}-*/_refresh")
    checks = examined(every_cluster.url, prefix)
    bad = {name: check for name, check in checks.items() if check.state != "ok"}
    assert set(bad) == {"retention"}, "these distributions have no lifecycle management"
    assert every_cluster.product in checks["store"].seen
    assert checks["latest event"].seen.startswith("2026-11-23 12:00:00Z")


def test_the_command_gives_what_was_seen_and_ends_with_3(cluster: Cluster, prefix: str) -> None:
    cluster.request("PUT", f"/{prefix}-2026.11.23/_doc/1", body={"verb": "get"})
    arguments = ["doctor", "--store", cluster.url, "--index", prefix, "-o", "json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 3
    checks = {one["check"]: one for one in json.loads(done.stdout)}
    assert checks["indices"]["state"] == "fail"
    assert f"{prefix}-2026.11.23" in checks["indices"]["seen"]
    assert "guess their mapping" in checks["indices"]["seen"]


def test_nothing_set_up_is_a_warning(cluster: Cluster, prefix: str) -> None:
    checks = examined(cluster.url, prefix)
    assert checks["template"].state == "warn"
    assert "k8sidx setup" in checks["template"].mend
    assert checks["writing"].state == "ok"


def test_a_template_that_goes_before_ours_is_found(cluster: Cluster, prefix: str) -> None:
    set_up(cluster, prefix)
    theirs = {"index_patterns": [f"{prefix}-*"], "priority": 5000}
    cluster.request("PUT", f"/_index_template/{prefix}-theirs", body=theirs)
    check = examined(cluster.url, prefix)["template"]
    assert check.state == "fail"
    assert "another goes before it" in check.seen


def test_a_template_that_somebody_changed_is_found(cluster: Cluster, prefix: str) -> None:
    set_up(cluster, prefix)
    path = f"/_index_template/{prefix}"
    [one] = cluster.request("GET", path).json()["index_templates"]
    template = one["index_template"]
    del template["template"]["mappings"]["properties"]["verb"]
    for made in ("created_date", "created_date_millis", "modified_date", "modified_date_millis"):
        template.pop(made, None)
    del template["template"]["mappings"]["properties"]["event"]["properties"]["action"]
    del template["template"]["settings"]["index"]["sort"]
    assert cluster.request("PUT", path, body=template).status == 200
    check = examined(cluster.url, prefix)["template"]
    assert (check.state, check.seen) == ("warn", "somebody changed it")


def test_read_only_indices_are_found(cluster: Cluster, prefix: str) -> None:
    index = f"{prefix}-2026.11.23"
    ensure_index(cluster, prefix, index)
    cluster.request(
        "PUT", f"/{index}/_settings", body={"index.blocks.read_only_allow_delete": True}
    )
    check = examined(cluster.url, prefix)["read-only"]
    assert check.state == "fail"
    assert index in check.seen
    cluster.request(
        "PUT", f"/{index}/_settings", body={"index.blocks.read_only_allow_delete": None}
    )
    assert examined(cluster.url, prefix)["read-only"].state == "ok"


def test_missing_copies_are_found(cluster: Cluster, prefix: str) -> None:
    index = f"{prefix}-2026.11.23"
    ensure_index(cluster, prefix, index)
    copies = {"index.auto_expand_replicas": False, "index.number_of_replicas": 1}
    cluster.request("PUT", f"/{index}/_settings", body=copies)
    check = examined(cluster.url, prefix)["shards"]
    assert check.state == "warn"
    assert index in check.seen


def test_an_index_with_too_many_fields_is_found(cluster: Cluster, prefix: str) -> None:
    stranger = {f"f{n}": n for n in range(900)}
    cluster.request("PUT", f"/{prefix}-stranger/_doc/1", body=stranger)
    check = examined(cluster.url, prefix)["fields"]
    assert check.state == "warn"
    assert "900 of 1,000" in check.seen


@pytest.mark.parametrize(
    ("ahead", "way"), [(timedelta(hours=1), "behind"), (-timedelta(hours=1), "ahead of")]
)
def test_a_wrong_clock_is_found(
    ahead: timedelta, way: str, opensearch: Cluster, prefix: str
) -> None:
    check = examined(opensearch.url, prefix, ahead=ahead)["clock"]
    assert check.state == "warn"
    assert way in check.seen


def test_a_full_disk_is_found(own_node: Node) -> None:
    marks = {f"cluster.routing.allocation.disk.watermark.{name}": "1%" for name in ("low", "high")}
    cluster = ClusterStore(own_node.url, parse_target("x"), ConnectionSettings()).cluster
    assert cluster.request("PUT", "/_cluster/settings", body={"persistent": marks}).status == 200
    check = examined(own_node.url, "x")["disk"]
    assert (check.state, check.exit_code) == ("fail", 3)
    assert "watermarks 1%, 1%, 95%" in check.seen


def test_a_cluster_that_is_away_ends_the_checks() -> None:
    checks = examined("http://127.0.0.1:1", "x")
    assert list(checks) == ["store"]
    assert checks["store"].exit_code == 3


def test_foreign_indices_are_not_asked_for_what_is_ours(cluster: Cluster, prefix: str) -> None:
    assert list(examined(cluster.url, f"{prefix}-*")) == ["store", "clock", "disk", "shards"]


@pytest.mark.parametrize("name", ["secured_opensearch", "secured_elasticsearch"])
def test_a_user_who_may_not_write_is_told(name: str, request: pytest.FixtureRequest) -> None:
    server: Secured = request.getfixturevalue(name)
    elastic = server.product == "elasticsearch"
    prefix = unique_prefix()
    administrator = open_cluster(server.url, _as(server, server.user, server.password))
    ensure_index(administrator, prefix, f"{prefix}-2026.11.23")
    password = f"Gh7-{server.password}-x9"
    server.add_user(
        "reader",
        password,
        cluster=["monitor"] if elastic else ["cluster_monitor", "indices:data/write/bulk"],
        indices={
            f"{prefix}-*": ["read", "view_index_metadata"] if elastic else ["indices:admin/get"]
        },
    )
    checks = examined(server.url, prefix, settings=_as(server, "reader", password))
    allowed = examined(server.url, prefix, settings=_as(server, server.user, server.password))
    remove_all(administrator, prefix)
    administrator.close()
    assert checks["writing"].state == "fail"
    assert checks["writing"].mend
    assert checks["store"].state == "ok"
    assert (allowed["writing"].state, allowed["writing"].seen) == ("ok", "allowed")
    assert allowed["indices"].state == "ok"


def _as(server: Secured, user: str, password: str) -> ConnectionSettings:
    return checked({"username": user, "password": password, "ca_cert": server.ca})
