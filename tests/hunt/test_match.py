"""Match hunts: how requests are counted and put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.building import START, at, event
from tests.hunt.run_hunt import results, sigma

RULE = sigma("{s: {objectRef.resource: pods}, condition: s}")
BY_USER = sigma(
    "{s: {objectRef.resource: pods}, condition: s}",
    more="k8sidx: {finding_by: [user.username], reason: '{user.username} did it {times}'}",
)


def stages(*names: str, **more: Any) -> list[dict[str, Any]]:
    """One request, as its stages."""
    return [
        event(stage=stage, stageTimestamp=at(place), auditID="one", **more)
        for place, stage in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("events", "count"),
    [
        (stages("RequestReceived", "ResponseStarted", "ResponseComplete"), 1),
        (stages("ResponseStarted"), 1),
        (stages("RequestReceived", "Panic"), 1),
        ([*stages("ResponseComplete"), *stages("ResponseComplete", name="a", seconds=9)], 2),
        ([*stages("ResponseStarted", "ResponseComplete"), event(stage="ResponseStarted")], 2),
        ([event() | {"stage": None}, event(name="b") | {"stage": ""}], 2),
    ],
    ids=["three stages", "still open", "panicked", "one chosen auditID", "one open", "no stage"],
)
def test_a_request_counts_once_whatever_its_stages_and_audit_id(
    events: list[dict[str, Any]], count: int, tmp_path: Path
) -> None:
    found = results(tmp_path, events, BY_USER)
    assert [finding.count for finding in found.findings] == [count]


def test_a_finding_tells_who_what_where_and_when(tmp_path: Path) -> None:
    events = [event("delete", name=f"p{n}", seconds=n) for n in range(3)]
    found = results(tmp_path, [*events, event("get", user="bob")], RULE)
    assert found.columns == (
        "user.effective.name",
        "source.ip",
        "verb",
        "target.resource",
        "objectRef.namespace",
        "first_seen",
        "last_seen",
        "count",
    )
    assert [row[:5] + row[7:] for row in found.rows] == [
        ("alice", "10.0.0.7", "delete", "pods", "shop", 3),
        ("bob", "10.0.0.7", "get", "pods", "shop", 1),
    ]
    first = found.findings[0]
    assert first.reason == "alice deleted pods in shop 3 times from 10.0.0.7"
    assert first.audit_ids == tuple(one["auditID"] for one in events)
    assert first.key["verb"] == "delete"
    assert first.first_seen is not None
    assert (first.first_seen - START).total_seconds() == pytest.approx(0.002)


def test_events_without_time_user_or_audit_id_are_judged(tmp_path: Path) -> None:
    bare = {"verb": "get", "objectRef": {"resource": "pods"}}
    found = results(tmp_path, [bare], RULE)
    assert [finding.reason for finding in found.findings] == [
        "an unknown user asked to get pods in no namespace once from an unknown address"
    ]
    assert found.findings[0].first_seen is None
    assert found.findings[0].audit_ids == ()


def test_evidence_is_bounded_and_has_no_doubles(tmp_path: Path) -> None:
    events = [event(name=f"p{n}", seconds=n, auditID=f"id-{n // 2:03}") for n in range(100)]
    evidence = results(tmp_path, events, BY_USER).findings[0].audit_ids
    assert list(evidence) == sorted(set(evidence))
    assert evidence[0] == "id-000"
    assert len(evidence) <= 20


def test_a_reason_shows_hostile_names_as_they_are_and_bounded(tmp_path: Path) -> None:
    found = results(tmp_path, [event(user="{times}" + "x" * 1000)], BY_USER)
    reason = found.findings[0].reason
    assert reason.startswith("{times}xxx")
    assert len(reason) < 250


@pytest.mark.parametrize(
    ("codes", "verb", "text"),
    [
        ([201], "create", "alice created the thing"),
        ([403, 403], "create", "alice tried to create the thing, denied (403)"),
        ([409], "delete", "alice tried to delete the thing, failed (409)"),
        ([200, 200, 404], "patch", "alice patched the thing, 1 of 3 failed (404)"),
        ([201, 403], "create", "alice created the thing, 1 of 2 denied (403)"),
        ([403, 500], "get", "alice tried to get the thing, 1 of 2 denied (403) and 1 of 2 failed (500)"),  # noqa: E501
        ([0], "update", "alice asked to update the thing"),
    ],
)  # fmt: skip
def test_sentence_names_the_outcome_of_the_requests(
    codes: list[int], verb: str, text: str, tmp_path: Path
) -> None:
    rule = sigma(
        "{s: {verb|exists: true}, condition: s}",
        more="k8sidx:\n  finding_by: [user.username, verb]\n"
        "  reason: '{user.username} {did} the thing'",
    )
    events = [event(verb, name=f"p{n}", code=code, seconds=n) for n, code in enumerate(codes)]
    if codes == [0]:
        del events[0]["responseStatus"]
    assert [finding.reason for finding in results(tmp_path, events, rule).findings] == [text]


def test_sentence_of_a_denied_request_says_so_whatever_its_verb(tmp_path: Path) -> None:
    rule = sigma(
        "{s: {verb|exists: true}, condition: s}",
        more="k8sidx:\n  finding_by: [user.username]\n  reason: '{user.username} used it {times}'",
    )
    events = [event("get", code=403), event("get", code=200, seconds=1)]
    (finding,) = results(tmp_path, events, rule).findings
    assert finding.reason == "alice used it twice, 1 of 2 denied (403)"
    (finding,) = results(tmp_path / "ok", events[1:], rule).findings
    assert finding.reason == "alice used it once"
