"""Given the library, this is what it covers."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from k8sidx.hunt.attack.coverage import ATTACK, MICROSOFT, OUTSIDE, coverage, navigator_layer
from k8sidx.hunt.attack.microsoft import THREAT_TACTICS, THREATS
from k8sidx.hunt.attack.mitre import CONTAINERS, REVOKED, TACTICS, TECHNIQUES, VERSION
from k8sidx.hunt.attack.tags import tactics_of, techniques_of
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
    assert all(set(threat.tactics) <= set(THREAT_TACTICS) for threat in THREATS)
    assert len({threat.name for threat in THREATS}) == len(THREATS) == 40


def test_a_technique_stands_under_each_of_its_tactics() -> None:
    counted = Counter(one.id for one in COVERED if one.matrix == ATTACK)
    assert counted == {name: len(TECHNIQUES[name].tactics) for name in CONTAINERS}
    assert {one.matrix for one in COVERED} == {ATTACK, MICROSOFT}


def test_a_techniques_hunts_include_those_of_its_sub_techniques() -> None:
    by_id = {one.id: set(one.hunts) for one in COVERED if one.matrix == ATTACK}
    assert by_id["T1552.007"] <= by_id["T1552"]
    assert "secret_read_burst" in by_id["T1552"]


def test_tags_of_the_library_are_those_of_the_named_version() -> None:
    assert VERSION == "19.2"
    assert not {"defense-evasion"} & {
        *TACTICS,
        *(t for x in TECHNIQUES.values() for t in x.tactics),
    }
    assert not REVOKED.keys() & TECHNIQUES.keys()
    for hunt in load_library():
        written = {tag.removeprefix("attack.") for tag in hunt.tags if tag.startswith("attack.")}
        current = {*tactics_of(hunt), *(name.lower() for name in techniques_of(hunt))}
        assert written == current, hunt.id
        assert {name for name in current if name[1:2].isdigit()} <= {
            name.lower() for name in TECHNIQUES
        }


def test_a_subtechnique_serves_no_tactic_that_its_technique_does_not() -> None:
    for name, technique in TECHNIQUES.items():
        above = TECHNIQUES.get(name.partition(".")[0])
        assert above is None or set(technique.tactics) <= set(above.tactics), name


def test_tags_of_earlier_versions_mean_those_of_today() -> None:
    hunt = load_library()[0]

    def tagged(*tags: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        old = replace(hunt, tags=tags)
        return tactics_of(old), techniques_of(old)

    assert tagged("attack.defense-evasion", "attack.t1562.001") == (
        ("defense-impairment",), ("T1685",),
    )  # fmt: skip
    assert tagged("attack.defense_evasion", "attack.T1562.008", "attack.t1036") == (
        ("stealth", "defense-impairment"), ("T1685.002", "T1036"),
    )  # fmt: skip
    assert tagged("attack.defense-evasion") == (("stealth",), ())
    assert tagged("attack.execution", "attack.t9999") == (("execution",), ("T9999",))


def test_the_layer_scores_techniques_by_their_hunts() -> None:
    layer = navigator_layer(load_library())
    scores = {one["techniqueID"]: one for one in layer["techniques"]}
    assert layer["domain"] == "enterprise-attack"
    assert layer["versions"] == {"attack": "19", "navigator": "5.1.0", "layer": "4.5"}
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
