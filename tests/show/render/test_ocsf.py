"""OCSF output, validated against the published schema of its version."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from k8sidx.errors import UsageError
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.investigate.requests import Request, request_of
from k8sidx.show.render.formats.ocsf import FORMAT, VERSION, api_activity, detection_finding
from k8sidx.show.render.sheet import Sheet
from tests.building import START, event, row


@cache
def validator(uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    name = published.lookup_class_name_from_uid(uid)
    return Draft202012Validator(published.get_class_schema(name, list(profiles)))


def errors(document: dict[str, Any]) -> list[str]:
    """Return what the schema of the class and its profiles objects to."""
    found = validator(document["class_uid"], tuple(document["metadata"].get("profiles", ())))
    read = json.loads(json.dumps(document))
    return [f"{error.json_path}: {error.message}" for error in found.iter_errors(read)]


def request(**changes: Any) -> Request:
    return request_of({"@timestamp": START, **row(event(**changes))})


REQUESTS = [
    request(verb="create", resource="pods", name="web", code=201),
    request(verb="list", resource="secrets", code=403, decision="forbid"),
    request(verb="deletecollection", resource="jobs", impersonatedUser={"username": "root"}),
    request(verb="get", source=[], agent="", name="x\x1b[2J"),
    replace(request(verb="get"), verb="", code=None, outcome="unknown", time=None, audit_id=""),
]


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_is_an_api_activity(case: Request) -> None:
    assert errors(api_activity(case)) == []


def test_an_activity_has_the_caller_the_decision_and_the_object() -> None:
    denied = api_activity(REQUESTS[1])
    assert (denied["activity_id"], denied["type_uid"]) == (2, 600302)
    assert (denied["status_id"], denied["action_id"]) == (2, 2)
    assert denied["actor"]["user"]["name"] == "alice"
    assert denied["src_endpoint"]["ip"] == "10.0.0.7"
    assert denied["resources"][0]["namespace"] == "shop"
    acting = api_activity(REQUESTS[2])
    assert acting["actor"]["user"]["name"] == "alice"
    assert acting["unmapped"]["impersonatedUser.username"] == "root"


@pytest.mark.parametrize("level", ["informational", "low", "medium", "high", "critical"])
@pytest.mark.parametrize("moment", [START, None])
def test_a_finding_is_a_detection_finding(level: str, moment: Any) -> None:
    finding = Finding(
        "h", level, {"user.username": "eve"}, 2, moment, moment, "r", ("a", "b"), "eve"
    )
    result = HuntResult("h", "A hunt", level, "duckdb", True, (), [], [finding],
                        tags=("attack.credential-access", "attack.t1552.007"))  # fmt: skip
    document = detection_finding(finding, result)
    assert errors(document) == []
    assert document["finding_info"]["attacks"][0]["technique"]["uid"] == "T1552.007"
    assert FORMAT.hunts([result]).count("\n") == 1


def test_rows_of_another_kind_are_refused() -> None:
    with pytest.raises(UsageError, match="no form in OCSF"):
        FORMAT.sheet(Sheet(("a",), [], "Hunts"))
