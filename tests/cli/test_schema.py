"""JSON Schemas: what every command prints with ``-o json`` is as its schema says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.show.schemas.schema import schema, schema_names
from tests.building import event, write_log
from tests.cli.conftest import k8sidx

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n"
RULE = (
    "title: t\nid: 0c7035fb-25e2-4a90-991c-bf577d912183\n"
    "logsource: {product: kubernetes, service: audit}\n"
    "detection: {selection: {user.username: bob}, condition: selection}\nlevel: high\n"
)
OUTPUTS: dict[str, list[list[str]]] = {
    "hunt": [["hunt", "--all"], ["hunt", "pod_exec", "--input", "audit.log"]],
    "stories": [["hunt", "--all", "--group", "actor"]],
    "hunts": [["hunts"]],
    "hunt-details": [["hunts", "show", "pod_exec"], ["hunts", "show", "pod_exec", "secret_list"]],
    "coverage": [["hunts", "coverage"]],
    "query": [["query", "stats count(*), max(@timestamp) by user.username"]],
    "saved-queries": [["query", "--saved"]],
    "search": [["search", "bob"], ["search", "nobody-of-this-name"]],
    "show": [["show", "bob-get-pods-web-3"]],
    "timeline": [["timeline", "--actor", "bob"]],
    "who": [["who", "deleted", "shop/pod/web"], ["who", "created", "shop/pod/web"]],
    "history": [["history", "shop/pod/web"]],
    "diff": [["diff", "--since", "2026-11-23T12:00:04Z", "--against",
              "2026-11-23T12:00:00Z..2026-11-23T12:00:04Z"]],
    "access": [["access", "bob"]],
    "ship": [["ship", "audit.log"]],
    "findings": [["findings", "list", "--state", "all"]],
    "risk": [["findings", "risk"]],
    "doctor": [["doctor"]],
    "config": [["config", "show"]],
    "doctor-secrets": [["doctor", "--secrets"]],
    "policy-check": [["policy", "check", "policy.yaml"]],
    "policy-cost": [["policy", "cost", "policy.yaml"]],
    "dashboards": [["dashboards", "list"]],
    "dashboards-check": [["dashboards", "check", "broken.ndjson"]],
    "baseline": [["baseline"]],
    "hunts-check": [["hunts", "check", "wrong.yml"]],
    "hunts-test": [["hunts", "test", "rule.yml", "--events", "audit.log", "--expect", "1"]],
    "explain": [["hunts", "explain", "rule.yml", "bob-get-pods-web-3"]],
}  # fmt: skip
"""Commands of each schema, without ``-o json``."""


@pytest.fixture(scope="module", autouse=True)
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a store that has events and saved findings with decisions."""
    folder = tmp_path_factory.mktemp("schemas")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        events = [
            event("create", "pods", name="web", code=201),
            event("get", "pods", user="bob", name="web", subresource="exec", code=101, seconds=3),
            event("delete", "pods", user="bob", name="web", seconds=6),
            event("list", "secrets", user="eve", code=403, decision="forbid", seconds=8),
        ]
        events[1]["auditID"] = "bob-get-pods-web-3"
        write_log(folder / "audit.log", events)
        (folder / "policy.yaml").write_text(POLICY, "utf-8")
        (folder / "rule.yml").write_text(RULE, "utf-8")
        (folder / "wrong.yml").write_text("title: [", "utf-8")
        (folder / "broken.ndjson").write_text("{", "utf-8")
        assert k8sidx("ship", "audit.log").exit_code == 0
        assert k8sidx("hunt", "--all", "--save", "-q", "-o", "json").exit_code == 0
        [first, *_] = json.loads(k8sidx("findings", "list", "-o", "json").stdout)["findings"]
        assert k8sidx("findings", "close", first["id"], "--note", "known").exit_code == 0
        yield folder


@pytest.fixture(autouse=True)
def here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)


def closed(node: Any) -> Any:
    """Return a schema whose objects have no other members: what is printed has to be in it."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {name: closed(value) for name, value in node.items()}
    if "properties" in node and "additionalProperties" not in node:
        inner["additionalProperties"] = False
    return inner


def validate(name: str, data: Any) -> None:
    errors = list(Draft202012Validator(closed(schema(name))).iter_errors(data))
    assert not errors, "\n".join(f"{error.json_path}: {error.message}" for error in errors[:5])


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_is_as_its_schema_says(name: str) -> None:
    for command in OUTPUTS[name]:
        done = k8sidx(*command, "-o", "json")
        assert done.stdout, done.stderr
        validate(name, json.loads(done.stdout))


def test_details_of_findings_are_as_their_schema_says() -> None:
    listed = json.loads(k8sidx("findings", "list", "--state", "all", "-o", "json").stdout)
    ids = [finding["id"] for finding in listed["findings"][:3]]
    shown = json.loads(k8sidx("findings", "show", *ids, "-o", "json").stdout)
    validate("finding-details", shown)
    assert any(finding["history"] for finding in shown)


def test_the_plan_of_a_cluster_is_as_its_schema_says(opensearch: Cluster) -> None:
    done = k8sidx("setup", "--dry-run", "--store", opensearch.url, "-o", "json")
    assert done.exit_code == 0, done.stderr
    validate("setup", json.loads(done.stdout))


def test_every_schema_is_valid_and_has_an_output() -> None:
    assert set(schema_names()) == {*OUTPUTS, "finding-details", "setup"}
    for name in schema_names():
        Draft202012Validator.check_schema(schema(name))


def test_the_schemas_are_printed_with_their_version() -> None:
    printed = json.loads(k8sidx("schema", "hunt").stdout)
    assert printed["$id"] == "urn:k8sidx:schema:hunt:1"
    assert "finding" in printed["$defs"]
    assert "k8sidx hunt -o json" in k8sidx("schema").stdout
    assert k8sidx("schema", "hunts-of-another-kind").exit_code == 2
