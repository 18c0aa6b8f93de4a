"""Monitors about new findings: files for OpenSearch Alerting and Kibana."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.monitors import SEVERITY, kibana_rule, opensearch_monitor
from k8sidx.backends.cluster.index.target import findings_index, parse_target
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.cli import app
from tests.hunt.findings.test_saving import finding, kept


def test_setup_writes_a_monitor_and_a_rule_for_each_level(tmp_path: Path) -> None:
    url = "http://search.example.com:9200"
    run = CliRunner().invoke(
        app,
        ["setup", "--store", url, "--index", "audit-eu", "--monitors", str(tmp_path)],
    )
    assert run.exit_code == 0, run.output
    files = sorted(tmp_path.glob("*/*.json"))
    assert len(files) == 2 * len(SEVERITY)
    assert all("findings-audit-eu" in file.read_text() for file in files)


def test_each_finding_is_in_one_period_of_the_monitor(opensearch: Cluster, prefix: str) -> None:
    store = ClusterStore(opensearch.url, parse_target(prefix), ConnectionSettings())
    index = findings_index(prefix)
    now = datetime.now(UTC)
    kept(store, finding("erin"))
    level = finding("erin").level

    def hits(monitor: Any, since: datetime, until: datetime) -> int:
        [search] = monitor["inputs"]
        text = json.dumps(search["search"]["query"])
        for name, moment in (("start", since), ("end", until)):
            text = text.replace(f"{{{{period_{name}}}}}", str(int(moment.timestamp() * 1000)))
        path = f"/{','.join(search['search']['indices'])}/_search"
        answer = opensearch.request("POST", path, body=json.loads(text))
        assert answer.status == 200, answer.body
        return int(answer.json()["hits"]["total"]["value"])

    try:
        opensearch.request("POST", f"/{index}/_refresh")
        [created] = [record["event.created"] for record in store.findings().load().values()]
        periods = [created + timedelta(minutes=n) for n in (-1, 0, 1, 2)]
        of_level = opensearch_monitor(index, level)
        counts = [hits(of_level, a, b) for a, b in pairwise(periods)]
        assert counts == [0, 1, 0]
        assert hits(opensearch_monitor(index, "critical"), now - timedelta(days=9999), now) == 0
        rule = json.loads(kibana_rule(index, level)["params"]["esQuery"])
        answer = opensearch.request("POST", f"/{index}/_search", body=rule)
        assert answer.json()["hits"]["total"]["value"] == 1
    finally:
        opensearch.request("DELETE", f"/{index}")
