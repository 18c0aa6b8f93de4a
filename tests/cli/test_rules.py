"""User-provided rules: ``hunts check``, and running with broken rules."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import k8sidx


@pytest.fixture
def broken(here: Path) -> Path:
    path = here / "broken.yml"
    path.write_text(
        "title: Broken\nlogsource: {product: kubernetes, service: audit}\n"
        "detection:\n  s:\n    wat: 1\n  condition: s\n"
    )
    return path


def test_a_good_rule_has_no_problem(rule: Path) -> None:
    done = k8sidx("hunts", "check", rule)
    assert (done.exit_code, done.stdout) == (0, "place,problem,remedy\n")
    assert done.stderr == "1 rule can be run, 0 problems.\n"


def test_rule_problems_are_reported_with_their_position_and_end_with_2(
    rule: Path, broken: Path
) -> None:
    done = k8sidx("hunts", "check", ".")
    assert done.exit_code == 2
    [problem] = csv.DictReader(io.StringIO(done.stdout))
    assert problem["place"] == "broken.yml:5"
    assert "no field is named 'wat'" in problem["problem"]
    assert done.stderr == "1 rule can be run, 1 problem.\n"


@pytest.mark.usefixtures("store")
def test_a_broken_rule_is_reported_and_the_others_run(rule: Path, broken: Path) -> None:
    done = k8sidx("hunt", rule, broken, "-o", "json")
    assert done.exit_code == 2
    assert "broken.yml:5: rule 'Broken': no field is named 'wat'" in done.stderr
    [found] = json.loads(done.stdout)
    assert len(found["findings"]) == 1
    assert k8sidx("hunt", rule, broken, "--fail-on", "high").exit_code == 1


@pytest.mark.usefixtures("store")
def test_a_broken_rule_alone_is_one_line(broken: Path) -> None:
    done = k8sidx("hunt", broken)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.usefixtures("store")
def test_rules_about_other_logs_are_counted(rule: Path, here: Path) -> None:
    (here / "windows.yml").write_text(rule.read_text().replace("kubernetes", "windows"))
    done = k8sidx("hunt", ".", "-o", "json")
    assert done.exit_code == 0
    assert "1 rule is about other logs and left out." in done.stderr


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("output", ["table", "csv", "md", "html"])
def test_unjudged_events_are_in_every_output(rule: Path, here: Path, output: str) -> None:
    rule.write_text(rule.read_text().replace("verb: delete", "responseStatus.code: ALLOW"))
    done = k8sidx("hunt", rule, "-o", output)
    assert done.exit_code == 0
    told = " ".join(done.output.split())
    assert "cannot judge:" in told
    assert "responseStatus.code is of the kind integer" in told.replace("\\", "")
