"""Folders of rules: what can be read is, and the rest is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.errors import DifferentLogSource, InvalidHunt
from k8sidx.hunt.check import check_rules
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.lists import SHIPPED, Lists
from k8sidx.hunt.run import Window, run_hunts
from tests.building import event
from tests.stores import stored

GOOD = """title: Good
name: {name}
logsource: {{product: kubernetes, service: audit}}
detection:
  s:
    {item}
  condition: s
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder as one downloads it: good, broken and foreign rules, a correlation."""
    files = {
        "good.yml": GOOD.format(name="good", item="verb: delete"),
        "field.yml": GOOD.format(name="a", item="wat: 1") + "---\n"
        + GOOD.format(name="second", item="verb: get"),
        "never.yml": GOOD.format(name="never", item="responseStatus.code: ALLOW"),
        "list.yml": GOOD.format(name="list", item="verb|expand: '%system_namespace%'"),
        "windows.yml": GOOD.format(name="win", item="verb: x").replace("kubernetes", "windows"),
        "yaml.yml": "title: [",
        "sigma.yml": "title: No detection\nlogsource: {product: kubernetes}\n",
        "folder/correlation.yml": "title: C\nname: c\ncorrelation: {type: event_count, "
        "rules: [good], group-by: [verb], timespan: 1m, condition: {gte: 2}}\n",
        "folder/lost.yml": "title: L\ncorrelation: {type: event_count, "
        "rules: [nobody], group-by: [verb], timespan: 1m, condition: {gte: 2}}\n",
    }  # fmt: skip
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_one_bad_rule_does_not_stop_the_others(rules: Path) -> None:
    errors: list[InvalidHunt] = []
    hunts = load_hunts([str(rules)], SHIPPED, errors.append)
    assert {hunt.id for hunt in hunts} == {"c", "second", "list", "never"}
    assert len([one for one in errors if isinstance(one, DifferentLogSource)]) == 1
    with pytest.raises(InvalidHunt):
        load_hunts([str(rules)])


def test_a_correlation_finds_its_rules_in_the_other_files(rules: Path, tmp_path: Path) -> None:
    hunts = [one for one in load_hunts([str(rules)], SHIPPED, lambda _: None) if one.id == "c"]
    events = [event("delete", seconds=n) for n in (1, 2)]
    with stored(tmp_path / "store", events).engine() as engine:
        (found,) = run_hunts(hunts, engine, Window())
    assert [one.count for one in found.findings] == [2]


def test_each_problem_has_its_file_and_line(rules: Path) -> None:
    checked = check_rules([str(rules)], Lists())
    told = {
        (Path(one.where.source).name, one.where.record): one.message for one in checked.problems
    }
    assert told.keys() == {
        ("field.yml", 6), ("never.yml", 6), ("list.yml", 1), ("yaml.yml", 2), ("sigma.yml", 1),
        ("lost.yml", 1),
    }  # fmt: skip
    assert "no field is named 'wat'" in told["field.yml", 6]
    assert "never 'ALLOW'" in told["never.yml", 6]
    assert "the list 'system_namespace' does not exist" in told["list.yml", 1]
    assert "'nobody' not found" in told["lost.yml", 1]
    assert (checked.hunts, checked.other_logs) == (4, 1)


def test_a_needed_list_is_no_problem_of_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(GOOD.format(name="x", item="source.ip|expand: '%threat_addresses%'"))
    assert check_rules([str(path)], Lists()).problems == ()
