"""Metrics, health and JSON logs of commands that run until they are stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from docs.generate.metrics import with_current_table
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.cli import app
from k8sidx.cli.telemetry.metrics import METRICS, PREFIX, Sample, Shipping, WatchRuns, sample_names
from k8sidx.cli.telemetry.server import application
from k8sidx.shipping.pipeline import ship
from k8sidx.shipping.report import ShipProgress
from k8sidx.shipping.spool.spool import Spool
from k8sidx.shipping.state import State
from tests.building import event, write_log

DEPLOY = Path(__file__).parents[2] / "deploy"


def get(source: Any, path: str) -> tuple[str, str]:
    """Return the status and the body of a request."""
    status: list[str] = []
    body = application(source)(
        {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": ""},
        lambda text, headers, *_: status.append(text),
    )
    return status[0], b"".join(body).decode()


@pytest.fixture
def shipped(tmp_path: Path) -> Iterator[Shipping]:
    """A run that has stored a log, found three of its events stored already, and one broken."""
    log = write_log(tmp_path / "audit.log", [event(seconds=n) for n in range(5)])
    store = EmbeddedStore(tmp_path / "store")
    ship([str(write_log(tmp_path / "some.log", [event(seconds=n) for n in range(3)]))], store)
    with log.open("a") as file:
        file.write("{broken\n")
    with Spool(tmp_path / "spool") as spool, State(tmp_path / "state.json") as state:
        shipping = Shipping(spool)
        ship([str(log)], store, None, shipping.update, state=state)
        yield shipping


def test_metrics_have_the_outcome_of_every_event(shipped: Shipping) -> None:
    status, text = get(shipped, "/metrics")
    assert status == "200 OK"
    assert 'k8sidx_events_total{outcome="indexed"} 2.0' in text
    assert 'k8sidx_events_total{outcome="duplicates"} 3.0' in text
    assert 'k8sidx_events_total{outcome="rejected"} 1.0' in text
    assert "k8sidx_lag_bytes 0.0" in text
    assert re.search(r"k8sidx_last_delivery_timestamp_seconds 1\.\d+e\+09", text)


def test_counts_of_one_run_after_the_other_add_up(shipped: Shipping) -> None:
    later = ShipProgress()
    later.report.indexed = 10
    shipped.update(later)
    assert shipped.counts()["indexed"] == 12


def test_bytes_that_are_not_stored_are_the_lag(shipped: Shipping) -> None:
    progress = ShipProgress()
    shipped.update(progress)
    from k8sidx.shipping.sources.follow.registry import LogFile

    progress.register.add(LogFile("audit.log", "audit.log", size=100))
    size, seconds = shipped.lag()
    assert size == 100
    assert 0 <= seconds < 60


def test_readiness_is_that_of_the_spool_and_of_the_last_run(shipped: Shipping) -> None:
    assert get(shipped, "/readyz")[0] == "200 OK"
    assert shipped.spool is not None
    shipped.spool.size = 10
    assert get(shipped, "/readyz")[0] == "503 Service Unavailable"
    assert get(shipped, "/healthz")[0] == "200 OK"
    assert get(shipped, "/other")[0] == "404 Not Found"
    runs = WatchRuns()
    assert get(runs, "/readyz")[0] == "503 Service Unavailable"
    runs.ended(0.1, succeeded=True)
    assert get(runs, "/readyz")[0] == "200 OK"
    runs.ended(0.1, succeeded=False)
    assert get(runs, "/readyz")[0] == "503 Service Unavailable"


def test_every_metric_of_the_table_can_have_a_sample(shipped: Shipping) -> None:
    from k8sidx.shipping.webhook.app import Counters

    shipped.counters = Counters()
    runs = WatchRuns(levels={"high": 1})
    samples: list[Sample] = [*shipped.samples(), *runs.samples()]
    assert {sample.name for sample in samples} == METRICS.keys()
    assert all(bool(sample.label) == bool(METRICS[sample.name].label) for sample in samples)


def test_dashboard_and_alert_rules_name_metrics_that_exist() -> None:
    dashboard = (DEPLOY / "grafana" / "k8sidx.json").read_text("utf-8")
    rules = (DEPLOY / "prometheus" / "k8sidx.rules.yaml").read_text("utf-8")
    assert json.loads(dashboard)["panels"]
    assert yaml.safe_load(rules)["groups"][0]["rules"]
    named = set(re.findall(rf"\b{PREFIX}[a-z_]+", dashboard + rules))
    assert named <= sample_names()
    assert len(named) > 8


def test_the_page_has_every_metric() -> None:
    page = (DEPLOY.parent / "docs" / "metrics.md").read_text("utf-8")
    assert with_current_table(page) == page, "make generated"


def test_messages_are_json_lines_where_they_are_wanted(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event()])
    run = CliRunner().invoke(
        app, ["ship", str(log), "--store", str(tmp_path / "s"), "--log-format", "json"]
    )
    assert run.exit_code == 0
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert "1 event read" in lines[0]["message"]
    assert lines[0]["time"]
    failed = CliRunner().invoke(app, ["ship", "none", "--log-format", "json"])
    assert json.loads(failed.stderr)["message"].startswith("k8sidx: ")


def test_metrics_of_a_run_that_ends_are_refused(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event()])
    run = CliRunner().invoke(app, ["ship", str(log), "--metrics", ":0"])
    assert run.exit_code == 2
    assert "--follow" in run.stderr
