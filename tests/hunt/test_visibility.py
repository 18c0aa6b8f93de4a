"""What the log hides from a hunt is told apart from what is clean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt, run_hunts
from k8sidx.hunt.visibility import subject
from k8sidx.query.algebra import Always, And, Compare
from tests.building import event
from tests.hunt.run_hunt import results, sigma
from tests.stores import stored

PRIVILEGED = sigma(
    "{s: {objectRef.resource: pods, verb: create, pod.privileged: true}, condition: s}",
    more="k8sidx: {level_needed: Request, platforms_blind: {AKS: It leaves out some.}}",
)


def pod(privileged: bool, **more: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "securityContext": {"privileged": privileged}}
    body = {"kind": "Pod", "apiVersion": "v1", "metadata": {}, "spec": {"containers": [container]}}
    return event("create", level="Request", requestObject=body, **more)


def verdicts(found: HuntResult) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(one.kind, one.count, one.audit_ids) for one in found.cannot_judge]


def test_events_without_their_bodies_are_not_clean(tmp_path: Path) -> None:
    events = [
        pod(True, seconds=1),
        pod(False, seconds=2),
        event("create", seconds=3, auditID="bare"),
        event("create", resource="services", seconds=4),
        event("get", seconds=5),
    ]
    found = results(tmp_path, events, PRIVILEGED)
    assert len(found.findings) == 1
    assert verdicts(found) == [("level", 1, ("bare",))]
    assert found.cannot_judge[0].reason == (
        "1 event of what it is about logged at a lower level than Request, "
        "without what it looks for."
    )


def test_bodies_that_were_cut_are_not_clean(tmp_path: Path) -> None:
    cut = event(
        "create", level="Request", auditID="cut", annotations={"audit.k8s.io/truncated": "true"}
    )
    found = results(tmp_path, [cut, pod(False, seconds=2)], PRIVILEGED)
    assert verdicts(found) == [("truncated", 1, ("cut",))]


def test_what_was_found_in_spite_of_it_is_judged(tmp_path: Path) -> None:
    hunt = sigma(
        "{s: {objectRef.resource: pods}, p: {pod.privileged: true}, d: {verb: delete}, "
        "condition: s and (p or d)}",
        more="k8sidx: {level_needed: Request}",
    )
    found = results(tmp_path, [event("delete"), event("create", seconds=1, auditID="x")], hunt)
    assert verdicts(found) == [("level", 1, ("x",))]


def test_a_platform_that_does_not_log_it_is_named_when_the_data_have_it(tmp_path: Path) -> None:
    arn = {"username": "u", "extra": {"arn": ["arn:aws:iam::1:user/u"]}}
    hunt = sigma(
        "{s: {verb: delete}, condition: s}", more="k8sidx: {platforms_blind: {EKS: Not it.}}"
    )
    found = results(tmp_path / "a", [event(user="u") | {"user": arn}], hunt)
    assert [(one.kind, one.reason) for one in found.cannot_judge] == [
        ("platform", "1 event of EKS: Not it.")
    ]
    assert results(tmp_path / "b", [event()], hunt).cannot_judge == ()


def test_a_condition_without_its_bodies() -> None:
    assert subject(PRIVILEGED) == And(
        (
            Compare("objectRef.resource", "=", "pods", ignore_case=True),
            Compare("verb", "=", "create", ignore_case=True),
        )
    )
    only_body = sigma(
        "{s: {pod.privileged: true}, condition: s}", more="k8sidx: {level_needed: Request}"
    )
    assert subject(only_body) == Always()


def test_what_names_no_resource_is_about_nothing_that_could_be_counted(tmp_path: Path) -> None:
    hunt = sigma(
        "{s: {pod.privileged: true, verb: create}, condition: s}",
        more="k8sidx: {level_needed: Request}",
    )
    assert results(tmp_path, [event("create")], hunt).cannot_judge == ()


def test_a_condition_of_a_body_alone_is_about_nothing_that_could_be_counted(
    tmp_path: Path,
) -> None:
    hunt = sigma(
        "{s: {pod.privileged: true}, condition: s}", more="k8sidx: {level_needed: Request}"
    )
    assert results(tmp_path, [event("create")], hunt).cannot_judge == ()


def test_hunts_that_need_no_body_do_not_read_one() -> None:
    hunt = sigma("{s: {verb: get}, condition: s}")
    assert not required_fields([hunt]) & {"event.truncated", "level", "event.provider"}
    assert {"event.truncated", "level", "event.provider"} <= required_fields([PRIVILEGED])


def test_alone_and_together_the_same_is_hidden(tmp_path: Path) -> None:
    events = [event("create", seconds=n, auditID=f"x{n}") for n in range(9)]
    hunts = [PRIVILEGED, *load_library()]
    with stored(tmp_path / "store", [*events, pod(True, seconds=20)]).engine() as engine:
        together = run_hunts(hunts, engine, Window())
        assert together[0] == run_hunt(PRIVILEGED, engine, Window())
        assert verdicts(together[0]) == [("level", 9, ("x0", "x1", "x2", "x3", "x4"))]
