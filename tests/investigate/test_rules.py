"""Rules of one's own: tests of rules, explanations over an event, drafts from an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.hunt.sigma.loader import read_hunts
from k8sidx.investigate.rule_draft import draft
from tests.building import event, write_log
from tests.cli.conftest import EVIL_AGENT, here, k8sidx  # noqa: F401  (a fixture)
from tests.stores import stored

DELETE = event("delete", "deployments", name="web", user="mallory")
READ = event("get", "secrets", name="db", seconds=1, agent=EVIL_AGENT)
RULE = """
title: Deleted
logsource: {product: kubernetes, service: audit}
detection:
  selection: {verb: delete, objectRef.resource: [deployments, daemonsets]}
  people: {user.username|startswith: 'm*'}
  condition: selection and not people
"""


@pytest.fixture
def folder(here: Path) -> Path:  # noqa: F811
    stored(here / "k8sidx-store", [DELETE, READ])
    write_log(here / "deleted.jsonl", [DELETE])
    write_log(here / "read.jsonl", [READ])
    (here / "rule.yml").write_text(RULE.replace("not people", "people").replace("m*", "m"))
    return here


def explained(*arguments: str) -> list[dict[str, Any]]:
    result = k8sidx("hunts", "explain", *arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    explanations: list[dict[str, Any]] = json.loads(result.stdout)["explanations"]
    return explanations


def test_explain_names_the_selection_that_fails_and_the_events_value(folder: Path) -> None:
    [explanation] = explained("rule.yml", READ["auditID"])
    assert explanation["matches"] is False
    selection, people = explanation["selections"]
    assert (selection["name"], selection["passed"]) == ("selection", False)
    assert selection["tests"][0] == {
        "test": "verb = delete", "passed": False, "values": {"verb": "get"},
    }  # fmt: skip
    assert people["passed"] is False


def test_explain_of_an_event_that_matches(folder: Path) -> None:
    [explanation] = explained("rule.yml", "deleted.jsonl")
    assert explanation["matches"] is True
    assert all(selection["passed"] for selection in explanation["selections"])


def test_explain_of_a_library_hunt_includes_its_filters(folder: Path) -> None:
    [explanation] = explained("secret_get", READ["auditID"])
    assert explanation["matches"] is True
    assert {"selection", "failed", "received"} <= {s["name"] for s in explanation["selections"]}


def test_explain_prints_log_text_inert(folder: Path) -> None:
    text = k8sidx("hunts", "explain", "topn_user_agent", READ["auditID"], "-o", "table").stdout
    assert "\x1b[2J" not in text
    assert "\u202e" not in text


def test_explain_of_an_unknown_event_is_an_error(folder: Path) -> None:
    assert k8sidx("hunts", "explain", "secret_get", "nothing").exit_code == 2


@pytest.mark.parametrize(
    ("events", "expect", "code"),
    [
        ("deleted.jsonl", "findings", 0), ("deleted.jsonl", "1", 0), ("deleted.jsonl", "2", 1),
        ("deleted.jsonl", "none", 1), ("read.jsonl", "none", 0), ("read.jsonl", "findings", 1),
        ("missing.jsonl", "none", 1), ("read.jsonl", "perhaps", 2),
    ],
)  # fmt: skip
def test_a_rule_test_ends_with_1_if_it_fails(
    folder: Path, events: str, expect: str, code: int
) -> None:
    result = k8sidx("hunts", "test", "rule.yml", "--events", events, "--expect", expect)
    assert result.exit_code == code, result.output


def test_a_file_without_events_proves_nothing(folder: Path) -> None:
    (folder / "empty.jsonl").write_text("")
    (folder / "broken.jsonl").write_text('{"kind": "Event", "auditID": 3}\n')
    for name in ("empty.jsonl", "broken.jsonl"):
        result = k8sidx("hunts", "test", "rule.yml", "--events", name, "--expect", "none")
        assert result.exit_code == 1, result.output


def test_a_hunt_that_cannot_judge_has_not_passed(folder: Path) -> None:
    write_log(folder / "pod.jsonl", [event("create", name="p", code=201, level="Metadata")])
    arguments = ("--events", "pod.jsonl", "--expect", "none")
    result = k8sidx("hunts", "test", "privileged_pod", *arguments)
    assert result.exit_code == 1
    assert "cannot judge" in result.stdout


def test_events_beside_the_rule_are_its_tests(folder: Path) -> None:
    (folder / "deleted.jsonl").rename(folder / "rule.match.jsonl")
    (folder / "read.jsonl").rename(folder / "rule.clean.jsonl")
    result = k8sidx("hunts", "test", "rule.yml", "-o", "junit")
    assert result.exit_code == 0
    suites = ElementTree.fromstring(result.stdout)  # noqa: S314  (our own)
    suite = suites.find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
    (folder / "rule.clean.jsonl").write_text((folder / "rule.match.jsonl").read_text())
    result = k8sidx("hunts", "test", "rule.yml", "-o", "junit")
    assert result.exit_code == 1
    assert "expected 0 findings, got 1" in result.stdout


def test_new_writes_a_rule_that_finds_its_event(folder: Path) -> None:
    result = k8sidx("hunts", "new", DELETE["auditID"], "--title", "Deleted", "--level", "high")
    (folder / "new.yml").write_text(result.stdout)
    selection = yaml.safe_load(result.stdout)["detection"]["selection"]
    assert selection["verb"] == "delete"
    assert "user.username" not in selection
    assert k8sidx("hunts", "test", "new.yml", "--events", "deleted.jsonl").exit_code == 0
    arguments = ("--events", "read.jsonl", "--expect", "none")
    assert k8sidx("hunts", "test", "new.yml", *arguments).exit_code == 0
    assert k8sidx("hunts", "new", DELETE["auditID"], "--by", "rbac.role").exit_code == 2


@given(
    agent=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
)
@settings(max_examples=15, deadline=None)
def test_new_quotes_whatever_a_client_sent(
    agent: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("draft")
    hostile = event(agent=agent)
    plain = event(agent=f"{agent}x", seconds=1)
    with stored(folder / "store", [hostile, plain]).engine() as engine:
        from k8sidx.investigate.requests import read_rows
        from k8sidx.investigate.scope import Period
        from k8sidx.query.algebra import Compare, Metric, Query

        where = Compare("auditID", "=", hostile["auditID"])
        [row] = read_rows(engine, where, Period(), ("event.id", "userAgent"), limit=2)
        document = draft(engine, row["event.id"], "t", "low", ["userAgent"])
        [hunt] = read_hunts(yaml.safe_dump(document), file="f", stem="f")
        found = engine.run(Query(where=hunt.condition, metrics=(Metric("n", "count"),))).rows
    assert found == [(1,)]
