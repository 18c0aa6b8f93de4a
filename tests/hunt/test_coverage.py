"""Given the library, this is what it covers."""

from __future__ import annotations

import json
from collections import Counter

from k8sidx.hunt.attack.coverage import ATTACK, MICROSOFT, OUTSIDE, coverage, navigator_layer
from k8sidx.hunt.attack.microsoft import THREATS
from k8sidx.hunt.attack.mitre import CONTAINERS, TACTICS, TECHNIQUES
from k8sidx.hunt.library.load import library_ids, load_library
from tests.cli.conftest import k8sidx

COVERED = coverage(load_library())


def test_every_technique_that_audit_logs_show_has_a_hunt() -> None:
    missing = {one.id for one in COVERED if not one.hunts and not one.remark}
    assert missing == set()


def test_what_is_outside_of_audit_logs_is_so_for_a_reason_and_has_no_hunt() -> None:
    assert all(OUTSIDE.values())
    assert set(OUTSIDE) <= set(CONTAINERS)
    covered = {one.id for one in COVERED if one.hunts}
    assert not covered & set(OUTSIDE)
    assert not any(threat.hunts and threat.outside for threat in THREATS)


def test_the_threat_matrix_names_hunts_that_there_are() -> None:
    named = {hunt for threat in THREATS for hunt in threat.hunts}
    assert named <= set(library_ids())
    assert all(set(threat.tactics) <= set(TACTICS) for threat in THREATS)
    assert len({threat.name for threat in THREATS}) == len(THREATS) == 40


def test_a_technique_stands_under_each_of_its_tactics() -> None:
    counted = Counter(one.id for one in COVERED if one.matrix == ATTACK)
    assert counted == {name: len(TECHNIQUES[name].tactics) for name in CONTAINERS}
    assert {one.matrix for one in COVERED} == {ATTACK, MICROSOFT}


def test_a_techniques_hunts_include_those_of_its_sub_techniques() -> None:
    by_id = {one.id: set(one.hunts) for one in COVERED if one.matrix == ATTACK}
    assert by_id["T1552.007"] <= by_id["T1552"]
    assert "secret_read_burst" in by_id["T1552"]


def test_the_layer_scores_techniques_by_their_hunts() -> None:
    layer = navigator_layer(load_library())
    scores = {one["techniqueID"]: one for one in layer["techniques"]}
    assert layer["domain"] == "enterprise-attack"
    assert layer["versions"]["layer"] == "4.5"
    assert scores["T1609"]["score"] == len(scores["T1609"]["comment"].split(", ")) >= 3
    assert set(scores) <= set(TECHNIQUES)


def test_the_command_shows_a_table_and_a_layer() -> None:
    table = k8sidx("hunts", "coverage", "-o", "csv")
    assert (table.exit_code, table.stdout.splitlines()[0]) == (
        0, "matrix,tactic,id,technique,hunts,which,remark",
    )  # fmt: skip
    assert "ATT&CK Containers: " in table.stderr
    layer = k8sidx("hunts", "coverage", "--layer")
    assert json.loads(layer.stdout)["name"] == "k8sidx hunts"
