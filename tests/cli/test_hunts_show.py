"""``k8sidx hunts show``: hunts in full and translated."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.cli.conftest import k8sidx


def test_a_hunt_is_shown_with_its_detection_and_what_to_look_at_next() -> None:
    done = k8sidx("hunts", "show", "secret_get", "-o", "table")
    assert done.exit_code == 0
    for said in ("Secret read", "T1552.007", "objectRef.resource: secrets", "next", "positives"):
        assert said in done.stdout


def test_a_hunt_is_an_object_in_json() -> None:
    shown = json.loads(k8sidx("hunts", "show", "secret_get", "-o", "json").stdout)
    assert (shown["id"], shown["level"], shown["kind"]) == ("secret_get", "informational", "match")
    assert shown["detection"].startswith("detection:\n  selection:\n    verb: get\n")
    assert shown["steps"]["next"]


def test_sigma_is_the_file_as_it_is_when_its_rules_name_no_filters() -> None:
    for name in ("topn_user_agent", "rare_kubectl_call"):
        text = (resources.files("k8sidx.hunt.library") / f"{name}.yml").read_text("utf-8")
        assert k8sidx("hunts", "show", name, "--as", "sigma").stdout == text


def test_sigma_has_the_filters_written_out() -> None:
    printed = k8sidx("hunts", "show", "secret_get", "--as", "sigma").stdout
    rule = yaml.safe_load(printed)
    assert "filters" not in rule["k8sidx"]
    assert rule["detection"]["received"] == {"stage": "RequestReceived"}
    assert rule["detection"]["condition"] == (
        "selection and not platform and not failed and not received"
    )
    assert "# This stage has no response yet." in printed


def test_the_detection_has_the_filters_written_out() -> None:
    shown = json.loads(k8sidx("hunts", "show", "csr_self_approved", "-o", "json").stdout)
    assert shown["detection"].startswith("correlation:\n")
    assert shown["detection"].count("  dry_run:\n    request.dry_run: true\n") == 2


@pytest.mark.usefixtures("store")
def test_sql_of_a_rule_of_one_s_own_runs_in_the_shell(rule: Path) -> None:
    done = k8sidx("hunts", "show", rule, "--as", "sql")
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(duckdb.connect().execute(done.stdout).fetchall()) == 1


def test_differences_of_a_translation_are_printed_to_stderr() -> None:
    done = k8sidx("hunts", "show", "topn_user_agent", "--as", "kql")
    assert done.exit_code == 0
    assert done.stderr.startswith("topn_user_agent: KQL has no aggregation")
    assert k8sidx("hunts", "show", "topn_user_agent", "--as", "kql", "-q").stderr == ""


def test_translations_of_several_hunts_are_concatenated(rule: Path) -> None:
    done = k8sidx("hunts", "show", rule, "topn_user_agent", "--as", "insights")
    first, second = done.stdout.split("\n\n")
    assert first.startswith("# deleted: Something was deleted")
    assert second.startswith("# topn_user_agent: ")
    assert len(json.loads(k8sidx("hunts", "show", rule, "secret_get", "-o", "json").stdout)) == 2


def test_an_untranslatable_hunt_is_named_and_ends_with_2() -> None:
    done = k8sidx("hunts", "show", "privileged_pod", "--as", "insights")
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        "privileged_pod cannot be translated to insights: pod.privileged is derived" in done.stderr
    )
    assert k8sidx("hunts", "show", "csr_self_approved", "--as", "dsl").exit_code == 2


def test_an_unknown_hunt_or_target_is_an_error() -> None:
    assert "Did you mean" in k8sidx("hunts", "show", "secret_gett").stderr
    assert k8sidx("hunts", "show", "secret_get", "--as", "cobol").exit_code == 2
    assert k8sidx("hunts", "show", "secret_get", "--as", "sql", "-o", "json").exit_code == 2


def test_a_file_of_hostile_text_is_shown_without_its_escapes(here: Path) -> None:
    (here / "evil.yml").write_text(
        'title: "a\\e[31mb"\nname: evil\nlogsource: {product: kubernetes, service: audit}\n'
        "detection:\n  s:\n    verb: get # \x1b[31m\n  condition: s\n"
    )
    for output in ("table", "csv", "json", "md", "html"):
        assert "\x1b" not in k8sidx("hunts", "show", "evil.yml", "-o", output).stdout
    assert "\x1b" not in k8sidx("hunts", "show", "evil.yml", "--as", "insights").stdout
