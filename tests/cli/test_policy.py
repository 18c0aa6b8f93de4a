"""``k8sidx policy``: what it prints, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from k8sidx.cli import app
from k8sidx.events.audit_policy import parse_policy
from tests.building import event
from tests.stores import stored

METADATA = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(METADATA)
    return file


def test_the_printed_policy_is_valid_and_blinds_nothing(tmp_path: Path) -> None:
    printed = run("print", "--level", "high")
    assert printed.exit_code == 0
    assert parse_policy(printed.stdout).rules
    file = tmp_path / "high.yaml"
    file.write_text(printed.stdout)
    assert run("check", str(file), "--level", "high", "--fail-on", "high").exit_code == 0


def test_a_blind_hunt_fails_from_its_level_on(policy: Path) -> None:
    checked = run("check", str(policy), "privileged_pod", "-o", "csv")
    assert checked.exit_code == 0
    assert checked.stdout.splitlines()[1].startswith("privileged_pod,")
    assert "0 of 1 hunt see all that they are about, 1 blind." in checked.stderr
    assert run("check", str(policy), "privileged_pod", "--fail-on", "critical").exit_code == 0
    assert run("check", str(policy), "privileged_pod", "--fail-on", "low").exit_code == 1
    assert run("check", str(policy), "secret_get", "--fail-on", "low").exit_code == 0


def test_costs_are_of_the_events_of_the_store(policy: Path, tmp_path: Path) -> None:
    stored(tmp_path / "store", [event(), event(verb="list")])
    store = ("--store", str(tmp_path / "store"))
    costs = run("cost", str(policy), *store, "-o", "csv")
    assert costs.exit_code == 0
    assert costs.stdout.splitlines()[1].startswith("4,Metadata,2,48,100")


def test_a_period_without_events_measures_nothing(policy: Path, tmp_path: Path) -> None:
    stored(tmp_path / "store", [event()])
    store = ("--store", str(tmp_path / "store"))
    nothing = run("cost", str(policy), *store, "--since", "2035-01-01")
    assert nothing.exit_code == 3
    assert "nothing was measured" in nothing.stderr


def test_a_budget_that_cannot_be_met_is_told(tmp_path: Path) -> None:
    stored(tmp_path / "store", [event(), event(verb="list")])
    printed = run("print", "--budget", "1", "--store", str(tmp_path / "store"))
    assert printed.exit_code == 0
    assert "more than the budget" in printed.stderr
    assert "# Budget: 1 events a day" in printed.stdout
