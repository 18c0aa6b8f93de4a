"""The shipped hunts are plain Sigma, whole, and documented."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from sigma.collection import SigmaCollection

from k8sidx.errors import UsageError
from k8sidx.events.fields.lookup import resolve
from k8sidx.hunt.attack.mitre import TACTICS, TECHNIQUES
from k8sidx.hunt.attack.tags import tactics_of, techniques_of
from k8sidx.hunt.definition import Hunt, Steps
from k8sidx.hunt.library.load import library_ids, load_hunts, load_library
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.query.algebra import leaves
from tests.building import SHARED, event
from tests.stores import stored

FOLDER = Path(__file__).parents[2] / "k8sidx" / "hunt" / "library"
LIBRARY = load_library()

ARTICLE = {
    "topn_user_agent",
    "topn_source_ip",
    "topn_user_by_agent",
    "topn_user_by_ip",
    "topn_status_code",
    "topn_forbidden_user",
    "topn_forbidden_list_resource",
    "new_user_agent",
    "unauthorized_or_forbidden",
    "forbidden_burst_user",
    "forbidden_surge",
    "secret_read_burst",
    "secret_get_denied",
    "pod_exec",
    "exec_forbidden_repeat",
}


def test_the_articles_hunts_are_there() -> None:
    assert set(library_ids()) >= ARTICLE


def test_every_hunt_is_a_plain_sigma_document() -> None:
    odd = {}
    for hunt in LIBRARY:
        text = (FOLDER / f"{hunt.id}.yml").read_text("utf-8")
        rules = list(SigmaCollection.from_yaml(text).get_output_rules())
        own = set(rules[0].custom_attributes) - {"k8sidx", "correlation"}
        if [rule.name for rule in rules] != [hunt.id] or own:
            odd[hunt.id] = rules, own
    assert odd == {}


def test_every_hunt_has_all_that_a_hunter_needs() -> None:
    lacking = {hunt.id: lacks for hunt in LIBRARY if (lacks := list(_lacks(hunt)))}
    assert lacking == {}


def _lacks(hunt: Hunt) -> Iterator[str]:
    yield from (step.name for step in fields(Steps) if not getattr(hunt.steps, step.name))
    if not any(re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag) for tag in hunt.tags):
        yield "a technique"
    if hunt.level not in ("informational", "low", "medium", "high", "critical"):
        yield "a level"
    yield from (
        name for name in ("falsepositives", "references", "description") if not getattr(hunt, name)
    )
    if hunt.source != "library":
        yield "its source"


def test_every_field_of_a_hunt_is_in_the_field_table() -> None:
    for hunt in LIBRARY:
        assert all(resolve(leaf.field) for leaf in leaves(hunt.condition)), hunt.id


def test_every_document_has_a_uuid_of_its_own() -> None:
    found = [
        document["id"]
        for file in FOLDER.glob("*.yml")
        for document in yaml.safe_load_all(file.read_text("utf-8"))
    ]
    assert len(found) == len(set(found)) >= len(LIBRARY)


def test_hunts_are_given_by_id_file_and_folder(tmp_path: Path) -> None:
    rule = (FOLDER / "pod_exec.yml").read_text("utf-8").replace("name: pod_exec\n", "")
    (tmp_path / "mine.yml").write_text(rule)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.yaml").write_text(rule)
    hunts = load_hunts(["pod_exec", str(tmp_path / "mine.yml"), str(tmp_path), "pod_exec"])
    assert [hunt.id for hunt in hunts] == ["pod_exec", "mine", "other"]
    assert [hunt.source for hunt in hunts[:2]] == ["library", str(tmp_path / "mine.yml")]


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean pod_exec"):
        load_hunts(["pod_exce"])


@pytest.mark.parametrize("selector", ["missing.yml", "empty", "binary.yml"])
def test_what_cannot_be_read_is_a_usage_error(selector: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError):
        load_hunts([str(tmp_path / selector)])


def test_the_ids_are_known_without_reading_sigma() -> None:
    code = (
        "import sys, k8sidx.hunt.library.load as l; l.library_ids();"
        "print([m for m in ('sigma', 'pydantic', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SIGMA_HQ = sorted((SHARED / "data" / "sigma").glob("*.yml"))
NOT_MEANT = {"kubernetes_audit_potential_enumeration_activity": "never 'ALLOW'"}
"""Rules with a test that no v1 event passes."""


@pytest.mark.skipif(not SIGMA_HQ, reason="needs SigmaHQ's rules beside the checkout")
def test_rules_of_sigma_hq_run_as_they_are_and_say_what_no_event_has(tmp_path: Path) -> None:
    hunts = load_hunts([str(SIGMA_HQ[0].parent)])
    assert len(hunts) == len(SIGMA_HQ)
    with stored(tmp_path / "store", [event("delete", "deployments")]).engine() as engine:
        found = run_hunts(hunts, engine, Window())
    doubted = {one.hunt: one.cannot_judge[0].reason for one in found if one.cannot_judge}
    assert doubted.keys() == NOT_MEANT.keys()
    assert all(NOT_MEANT[name] in reason for name, reason in doubted.items())
    assert [one.hunt for one in found if one.findings] == ["kubernetes_audit_deployment_deleted"]


def test_no_hunt_of_the_library_tests_what_no_event_has() -> None:
    assert {hunt.id: hunt.impossible for hunt in LIBRARY if hunt.impossible} == {}


def test_every_technique_and_tactic_of_a_hunt_is_known() -> None:
    unknown = {}
    for hunt in LIBRARY:
        others = set(techniques_of(hunt)) - TECHNIQUES.keys()
        others |= set(tactics_of(hunt)) - {*TACTICS, "resource-development"}
        if others:
            unknown[hunt.id] = others
    assert unknown == {}


def test_a_technique_of_a_hunt_serves_one_of_its_tactics() -> None:
    for hunt in LIBRARY:
        tactics = {one for name in techniques_of(hunt) for one in TECHNIQUES[name].tactics}
        assert tactics & set(tactics_of(hunt)), hunt.id
