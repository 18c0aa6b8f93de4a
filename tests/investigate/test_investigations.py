"""Investigations over a few events: answers, and what is said where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.building import event, write_log
from tests.cli.conftest import EVIL_AGENT, here, k8sidx  # noqa: F401  (a fixture)
from tests.stores import stored

CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"


def deployment(replicas: int, image: str) -> dict[str, Any]:
    container = {"name": "web", "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": str(replicas)},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        "status": {"replicas": 0},
    }


def written(verb: str, body: dict[str, Any], seconds: float, **more: Any) -> dict[str, Any]:
    level = "RequestResponse"
    bodies = {"requestObject": body, "responseObject": body, "level": level} | more
    return event(verb, "deployments", name="web", seconds=seconds, user="bob", **bodies)


EVENTS = [
    written("create", deployment(1, "web:1"), 0, code=201),
    written("update", deployment(3, "web:2"), 10),
    written("patch", {"spec": {"replicas": 5}}, 20, responseObject=None, level="Request"),
    event("patch", "deployments", name="web", seconds=30, user="carol"),
    event("delete", "deployments", name="web", seconds=40, user="mallory", code=403),
    event("delete", "deployments", name="web", seconds=50, user="mallory", agent=EVIL_AGENT),
    event("delete", "pods", name="web-1-x", seconds=51, user=CONTROLLER),
    event("deletecollection", "configmaps", seconds=60, user="dave"),
    event("get", "secrets", name="db", seconds=70, user="erin"),
    event("list", "secrets", seconds=71, user="frank"),
    event("create", subresource="exec", name="p", seconds=80, user="erin", code=101),
]


@pytest.fixture(autouse=True)
def store(here: Path) -> Path:  # noqa: F811
    return stored(here / "k8sidx-store", EVENTS).path


def answer(*arguments: str) -> dict[str, Any]:
    result = k8sidx(*arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_who_deleted_names_the_callers_and_their_outcomes() -> None:
    document = answer("who", "deleted", "deployment", "shop/web?")
    assert [(row["who"], row["did"]) for row in document["requests"]] == [
        ("mallory", "denied (403): delete deployments web in shop"),
        ("mallory", "deleted deployment shop/web"),
    ]
    assert document["verdict"] == "deleted"
    assert document["looked_at"]["events"] == len(EVENTS)


def test_who_deleted_of_a_controllers_deletion_names_who_caused_it() -> None:
    document = answer("who", "removed", "po", "web-1-x", "-n", "shop")
    assert [row["who"] for row in document["requests"]] == [CONTROLLER]
    assert "mallory" in [row["who"] for row in document["possible_causes"]]


def test_who_deleted_of_a_collection_is_possible() -> None:
    document = answer("who", "deleted", "shop/configmap/settings")
    assert document["verdict"] == "not_deleted"
    assert [row["did"] for row in document["possible_causes"]] == ["deleted all configmaps in shop"]


def test_who_read_includes_lists() -> None:
    document = answer("who", "read", "secret", "shop/db")
    assert [row["who"] for row in document["requests"]] == ["erin"]
    assert [row["who"] for row in document["possible_causes"]] == ["frank"]


def test_who_of_an_object_that_nobody_deleted_says_what_was_last() -> None:
    result = k8sidx("who", "deleted", "secret", "shop/db")
    assert result.exit_code == 0
    assert "no request by name deleted secrets shop/db" in result.stderr
    assert "erin read secret shop/db" in result.stderr
    assert "looked at 11 events" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["who", "deleted", "deployment", "shop/wbe"], "shop/web"),
        (["who", "deleted", "deployment", "shpo/web"], "shop/web"),
        (["who", "deleted", "deplyments", "shop/web"], "deployments"),
        (["history", "deployment", "shop/wbe"], "shop/web"),
        (["timeline", "--actor", "mallroy"], "mallory"),
        (["timeline", "--object", "shop/deployment/wbe"], "shop/web"),
        (["access", "mallroy"], "mallory"),
    ],
)
def test_an_unknown_name_is_an_error_with_near_names(arguments: list[str], near: str) -> None:
    result = k8sidx(*arguments)
    assert result.exit_code == 2
    assert f"Did you mean {near}" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["who", "deleted", "deployment", "shop/web"], ["history", "deployment", "shop/web"],
        ["timeline", "--actor", "bob"], ["search", "web"], ["access", "bob"],
    ],
)  # fmt: skip
def test_a_period_without_events_is_not_an_all_clear(arguments: list[str]) -> None:
    result = k8sidx(*arguments, "--since", "2030-01-01")
    assert result.exit_code == 2
    assert "nothing was looked at" in result.stderr


def test_history_gives_the_difference_of_each_change() -> None:
    changes = answer("history", "deployment", "shop/web")["changes"]
    assert "+ spec.replicas: 1" in changes[0]["difference"]
    assert changes[1]["difference"] == [
        "~ spec.replicas: 1 → 3",
        "~ spec.template.spec.containers[web].image: web:1 → web:2",
    ]
    assert changes[2]["difference"] == ["~ spec.replicas: → 5"]
    assert "the object after it was not logged" in changes[2]["note"]
    assert changes[3]["difference"] == []
    assert changes[3]["note"] == "no body was logged (level Metadata)"


def test_timeline_has_events_and_findings_in_one_list() -> None:
    rows = answer("timeline", "--actor", "erin")["timeline"]
    assert [row["text"] for row in rows if row["kind"] == "event"] == [
        "read secret shop/db",
        "ran a command in pod shop/p",
    ]
    hunts = {row["hunt"] for row in rows if row["kind"] == "finding"}
    assert "secret_get" in hunts
    assert "exec_into_pod" in hunts or any("exec" in hunt for hunt in hunts)


def test_timeline_says_how_many_hunts_did_not_run() -> None:
    result = k8sidx("timeline", "--actor", "erin")
    assert "others compare with other events and did not" in result.stderr
    result = k8sidx("timeline", "--actor", "erin", "--no-findings")
    assert "no hunt was run" in result.stderr


def test_timeline_counts_what_the_limit_leaves_out() -> None:
    result = k8sidx("timeline", "--ip", "10.0.0.0/8", "--limit", "3", "--no-findings")
    assert "only the latest 3 of 11 events" in result.stderr


def test_timeline_for_timesketch_has_its_columns() -> None:
    lines = k8sidx("timeline", "--actor", "erin", "-o", "timesketch").stdout.splitlines()
    for line in map(json.loads, lines):
        assert {"message", "datetime", "timestamp_desc"} <= line.keys()


def test_search_finds_words_in_bodies_and_fields() -> None:
    found = answer("search", "WEB:2")["events"]
    assert [row["verb"] for row in found] == ["update"]
    assert len(answer("search", "/mal+ory/", "/pods|deployments/")["events"]) == 2
    assert answer("search", "10.0.0.7")["matching"] == len(EVENTS)
    result = k8sidx("search", "nowhere")
    assert (result.exit_code, "no event contains nowhere" in result.stderr) == (0, True)


def test_search_refuses_what_is_not_an_expression() -> None:
    assert k8sidx("search", "/(/").exit_code == 2
    assert k8sidx("search", "").exit_code == 2


def test_show_is_the_whole_event_with_its_neighbours() -> None:
    identifier = EVENTS[8]["auditID"]
    document = yaml.safe_load(k8sidx("show", identifier).stdout)
    [shown] = document["events"]
    assert shown["user"] == EVENTS[8]["user"]
    assert [row["did"] for row in document["after"]] == ["ran a command in pod shop/p"]
    assert "secret_get" in [row["hunt"] for row in document["findings"]]
    assert k8sidx("show", "unknown").exit_code == 2


def test_show_of_a_saved_finding_is_its_evidence(store: Path) -> None:
    assert k8sidx("hunt", "secret_get", "--save", "-q").exit_code == 0
    document = answer("show", EVENTS[8]["auditID"], "--no-findings")
    [saved] = document["saved_findings"]
    by_id = answer("show", saved["id"], "--no-findings")
    assert [item["auditID"] for item in by_id["events"]] == [EVENTS[8]["auditID"]]
    rows = answer("timeline", "--finding", saved["id"], "--no-findings")["timeline"]
    assert [row["text"] for row in rows] == ["read secret shop/db", "ran a command in pod shop/p"]


def test_access_is_what_was_allowed_and_not_what_was_refused() -> None:
    result = k8sidx("access", "mallory", "--name", "m", "--resource-names")
    [role] = yaml.safe_load_all(result.stdout)
    assert role["kind"] == "Role"
    assert role["metadata"] == {"name": "m", "namespace": "shop"}
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["deployments"],
            "verbs": ["delete"],
            "resourceNames": ["web"],
        }
    ]
    assert "not included, since it was refused (1 events): delete deployments" in result.stderr


def test_diff_lists_new_callers_and_says_both_periods() -> None:
    middle = "2026-11-23T12:00:45"
    result = k8sidx("diff", "--since", middle, "--against", "2026-11-23", "-o", "json")
    changes = json.loads(result.stdout)["differences"]
    new = {c["values"]["user.username"] for c in changes if c["change"] == "new"}
    assert {"dave", "erin", "frank"} <= new
    assert "against: looked at 5 events" in result.stderr


def test_files_are_investigated_without_a_store(here: Path) -> None:  # noqa: F811
    log = write_log(here / "audit.log", EVENTS)
    rows = answer("who", "deleted", "deployment", "shop/web", "--input", str(log), "-q")
    assert len(rows["requests"]) == 2
    assert k8sidx("timeline", "--actor", "bob", "--input", log, "--no-findings").exit_code == 0


@pytest.mark.parametrize("output", ["csv", "json", "jsonl", "md", "html", "table"])
def test_log_text_is_inert_in_every_format(output: str) -> None:
    text = k8sidx("who", "deleted", "deployment", "shop/web", "-o", output).stdout
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>" not in text or output in ("csv", "json", "jsonl")


def test_log_text_is_inert_in_yaml() -> None:
    text = k8sidx("show", EVENTS[5]["auditID"]).stdout
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert yaml.safe_load(text)["events"][0]["userAgent"] == EVIL_AGENT


def test_an_open_request_is_not_hidden_by_an_ended_one_with_its_audit_id(here: Path) -> None:  # noqa: F811
    events = [
        event("create", subresource="exec", name="a", auditID="x", stage="ResponseStarted"),
        event("create", subresource="exec", name="b", auditID="x", seconds=1, code=101),
        event("create", subresource="exec", name="b", auditID="x", stage="ResponseStarted"),
    ]
    log = write_log(here / "audit.log", events)
    rows = answer("timeline", "--actor", "alice", "--input", str(log), "--no-findings")["timeline"]
    assert sorted(row["text"].split("/")[1][0] for row in rows) == ["a", "b"]
