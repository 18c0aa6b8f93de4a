"""``k8sidx setup``: the requests, and what they make."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from k8sidx.backends.cluster.findings import ClusterFindings
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.create import ensure_index
from k8sidx.backends.cluster.index.setup import own_indices
from k8sidx.backends.cluster.index.target import findings_index, states_index
from k8sidx.backends.cluster.index.template import VERSION
from k8sidx.cli import app
from tests.building import START


def setup(cluster: Cluster, prefix: str, *more: str) -> Result:
    arguments = ["setup", "--store", cluster.url, "--index", prefix, *more]
    return CliRunner().invoke(app, arguments, env={"NO_COLOR": "1"})


def template(cluster: Cluster, prefix: str) -> dict[str, object]:
    found = cluster.request("GET", f"/_index_template/{prefix}")
    assert found.status == 200
    made: dict[str, object] = found.json()["index_templates"][0]["index_template"]
    return made


def settings(cluster: Cluster, prefix: str) -> dict[str, object]:
    made = template(cluster, prefix)["template"]
    index: dict[str, object] = made["settings"]["index"]  # type: ignore[index]
    return index


def test_it_makes_the_template_and_can_be_repeated(every_cluster: Cluster, prefix: str) -> None:
    first = setup(every_cluster, prefix)
    assert first.exit_code == 0, first.output
    assert f"PUT /_index_template/{prefix},done" in first.stdout
    again = setup(every_cluster, prefix)
    assert again.exit_code == 0
    assert again.stdout == ""
    assert "Nothing to do: the cluster is set up" in again.stderr


def test_a_dry_run_prints_the_requests_and_makes_none(cluster: Cluster, prefix: str) -> None:
    shown = setup(cluster, prefix, "--dry-run")
    requests = shown.stdout.strip().split("\n\n")
    heads = [request.partition("\n")[0] for request in requests]
    assert heads == [
        f"PUT /_index_template/{name}" for name in (prefix, f"findings-{prefix}", summaries(prefix))
    ]
    assert cluster.request("GET", f"/_index_template/{prefix}").status == 404
    for request in requests:
        head, _, body = request.partition("\n")
        path = head.removeprefix("PUT ")
        assert cluster.request("PUT", path, body=json.loads(body)).status == 200
    assert setup(cluster, prefix, "--dry-run").stdout == "", "what was printed is what is made"


def test_a_dry_run_as_json(cluster: Cluster, prefix: str) -> None:
    [request, *_] = json.loads(setup(cluster, prefix, "--dry-run", "-o", "json").stdout)
    assert request["method"] == "PUT"
    assert request["body"]["index_patterns"] == [f"{prefix}-*"]


def test_choices_are_made_and_kept(cluster: Cluster, prefix: str) -> None:
    setup(cluster, prefix)
    assert settings(cluster, prefix)["auto_expand_replicas"] == "0-1"
    setup(cluster, prefix, "--shards", "2", "--replicas", "0")
    made = settings(cluster, prefix)
    assert (made["number_of_shards"], made["number_of_replicas"]) == ("2", "0")
    assert "auto_expand_replicas" not in made
    again = setup(cluster, prefix)
    assert "Nothing to do: the cluster is set up" in again.stderr
    assert settings(cluster, prefix)["number_of_shards"] == "2"


def summaries(prefix: str) -> str:
    return f"summaries-{prefix}"


@pytest.mark.parametrize("name", ["findings", "summaries"])
def test_findings_and_summaries_have_templates_with_the_same_replicas(
    cluster: Cluster, prefix: str, name: str
) -> None:
    setup(cluster, prefix)
    assert settings(cluster, f"{name}-{prefix}")["auto_expand_replicas"] == "0-1"
    setup(cluster, prefix, "--shards", "2", "--replicas", "0")
    made = settings(cluster, f"{name}-{prefix}")
    assert (made["number_of_shards"], made["number_of_replicas"]) == ("1", "0")


def index_settings(cluster: Cluster, index: str) -> dict[str, str]:
    answer = cluster.request("GET", f"/{index}/_settings?flat_settings=true").json()
    made: dict[str, str] = answer[index]["settings"]
    return made


def saved(cluster: Cluster, prefix: str) -> str:
    """Save a finding, and return the name of the index."""
    record = {"event.id": "f", "@timestamp": START, "finding.query": 'auditID: ("a")'}
    ClusterFindings(cluster, findings_index(prefix), states_index(prefix)).save({"f": record})
    return findings_index(prefix)


@pytest.mark.parametrize("replicas", ["", "0"])
def test_an_index_of_findings_has_the_chosen_replicas(
    cluster: Cluster, prefix: str, replicas: str
) -> None:
    if replicas:
        setup(cluster, prefix, "--replicas", replicas)
    made = index_settings(cluster, saved(cluster, prefix))
    if replicas:
        assert made["index.number_of_replicas"] == replicas
        assert made.get("index.auto_expand_replicas") in (None, "false")
    else:
        assert made["index.auto_expand_replicas"] == "0-1"


def test_an_older_index_of_findings_is_brought_up_to_date(cluster: Cluster, prefix: str) -> None:
    index = findings_index(prefix)
    old = {"made_by": "k8sidx", "version": VERSION}
    mappings = {"_meta": old, "dynamic": False, "properties": {"verb": {"type": "keyword"}}}
    settings = {"number_of_replicas": 1}
    body = {"mappings": mappings, "settings": settings}
    assert cluster.request("PUT", f"/{index}", body=body).status == 200
    done = setup(cluster, prefix)
    assert done.exit_code == 0, done.output
    assert index_settings(cluster, index)["index.auto_expand_replicas"] == "0-1"
    mapped = cluster.request("GET", f"/{index}/_mapping/field/finding.query").json()
    assert "finding.query" in mapped[index]["mappings"]
    assert setup(cluster, prefix).stdout == ""


def test_saving_adds_the_fields_that_an_older_index_lacks(cluster: Cluster, prefix: str) -> None:
    index = findings_index(prefix)
    old = {"made_by": "k8sidx", "version": VERSION}
    mappings = {"_meta": old, "dynamic": False, "properties": {"verb": {"type": "keyword"}}}
    assert cluster.request("PUT", f"/{index}", body={"mappings": mappings}).status == 200
    saved(cluster, prefix)
    mapped = cluster.request("GET", f"/{index}/_mapping/field/finding.query").json()
    assert "finding.query" in mapped[index]["mappings"]


def test_an_older_template_and_its_indices_are_upgraded(cluster: Cluster, prefix: str) -> None:
    old = {"made_by": "k8sidx", "version": VERSION - 1}
    body = {
        "index_patterns": [f"{prefix}-*"],
        "priority": 200,
        "_meta": old,
        "template": {
            "settings": {"number_of_shards": 3},
            "mappings": {
                "_meta": old, "dynamic": False, "properties": {"verb": {"type": "keyword"}}
            },
        },
    }  # fmt: skip
    assert cluster.request("PUT", f"/_index_template/{prefix}", body=body).status == 200
    assert cluster.request("PUT", f"/{prefix}-2026.11.23").status == 200
    done = setup(cluster, prefix)
    assert done.exit_code == 0, done.output
    assert template(cluster, prefix)["version"] == VERSION
    assert settings(cluster, prefix)["number_of_shards"] == "3"
    [index] = own_indices(cluster, prefix)
    assert index.version == VERSION
    mapped = cluster.request("GET", f"/{prefix}-2026.11.23/_mapping/field/objectRef.name").json()
    assert "objectRef.name" in mapped[f"{prefix}-2026.11.23"]["mappings"]


def test_a_template_of_somebody_else_is_not_touched(cluster: Cluster, prefix: str) -> None:
    theirs = {"index_patterns": [f"{prefix}-*"], "priority": 500}
    cluster.request("PUT", f"/_index_template/{prefix}", body=theirs)
    refused = setup(cluster, prefix)
    assert refused.exit_code == 3
    assert "was not made by k8sidx" in refused.stderr
    assert template(cluster, prefix)["index_patterns"] == [f"{prefix}-*"]


def test_a_template_of_a_newer_k8sidx_is_not_touched(cluster: Cluster, prefix: str) -> None:
    newer = {
        "index_patterns": [f"{prefix}-*"],
        "priority": 500,
        "_meta": {"made_by": "k8sidx", "version": VERSION + 1},
    }
    cluster.request("PUT", f"/_index_template/{prefix}", body=newer)
    refused = setup(cluster, prefix)
    assert refused.exit_code == 3
    assert "newer k8sidx" in refused.stderr


def test_retention_without_lifecycle_management_is_said(cluster: Cluster, prefix: str) -> None:
    ensure_index(cluster, prefix, f"{prefix}-2026.11.23")
    setup(cluster, prefix)
    made = setup(cluster, prefix, "--retention", "90d")
    assert made.exit_code == 0, made.output
    assert made.stdout == "", "nothing is asked of indices that the cluster has no word for"
    assert "does not delete old indices by itself" in made.stderr


@pytest.mark.parametrize("age", ["90", "0d", "-1d", "soon"])
def test_an_age_that_is_none(age: str) -> None:
    arguments = ["setup", "--store", "http://127.0.0.1:1", f"--retention={age}"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "is not a valid age" in result.stderr


def test_an_embedded_store_needs_no_setup(tmp_path: object) -> None:
    result = CliRunner().invoke(app, ["setup", "--store", str(tmp_path)])
    assert result.exit_code == 2
    assert "is an embedded store" in result.stderr


def test_the_page_shows_what_a_dry_run_prints(opensearch: Cluster, prefix: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "clusters.md").read_text("utf-8")
    block = page.partition("```text\nPUT ")[2].partition("        …\n")[0]
    shown = f"PUT {block}".replace("k8s-audit", prefix)
    printed = setup(opensearch, prefix, "--dry-run").stdout
    priority = re.compile(r'"priority": \d+')  # it follows from the prefix's length
    assert priority.sub("", printed).startswith(priority.sub("", shown))
