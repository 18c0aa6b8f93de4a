"""Known good: left out and told, until it expires; proposed from the data."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from k8sidx.errors import UsageError
from k8sidx.hunt.allowlist import read_known_good, with_known_good
from k8sidx.hunt.allowlist_suggest import allowlist_text, suggestions
from k8sidx.hunt.definition import Hunt, KnownGood
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from tests.building import event
from tests.hunt.run_hunt import correlation, sigma
from tests.stores import stored

TODAY = date(2026, 11, 24)
DELETES = sigma("{s: {verb: delete}, condition: s}", more="name: deletes")
ENTRY = """
[[known_good]]
hunt = "deletes"
where = { "user.effective.name" = "gc-*", "objectRef.namespace" = ["ci", "shop"] }
reason = "cleans up after builds"
expires = 2027-01-31
"""


def entries(folder: Path, text: str = ENTRY) -> list[KnownGood]:
    path = folder / "known-good.toml"
    path.write_text(text)
    return read_known_good(path)


def over(
    folder: Path, events: list[dict[str, Any]], hunt: Hunt, known: list[KnownGood], today: date
) -> HuntResult:
    hunts = with_known_good([hunt] * 3, known, today)
    with stored(folder / "store", events).engine() as engine:
        one, two, three = run_hunts(hunts, engine, Window())
        (alone,) = run_hunts(hunts[:1], engine, Window())
    assert one == two == three == alone
    return one


EVENTS = [
    *(event("delete", user="gc-1", seconds=n, namespace="ci") for n in (1, 2)),
    event("delete", user="gc-2", seconds=3),
    event("delete", user="gc-2", seconds=4, namespace="prod"),
    event("delete", user="mallory", seconds=5),
]


def test_known_good_is_left_out_and_told(tmp_path: Path) -> None:
    found = over(tmp_path, EVENTS, DELETES, entries(tmp_path), TODAY)
    assert {(f.key["user.effective.name"], f.key["objectRef.namespace"]) for f in found.findings} \
        == {("gc-2", "prod"), ("mallory", "shop")}  # fmt: skip
    assert found.notes == (
        "known good until 2027-01-31, 2 findings (3 requests) left out: cleans up after builds",
    )


def test_expired_entries_suppress_nothing_and_are_told(tmp_path: Path) -> None:
    known = entries(tmp_path)
    assert len(over(tmp_path / "a", EVENTS, DELETES, known, date(2027, 1, 31)).findings) == 2
    found = over(tmp_path / "b", EVENTS, DELETES, known, date(2027, 2, 1))
    assert len(found.findings) == 4
    assert found.notes[0].startswith("was known good until 2027-01-31")
    assert "known-good.toml:2" in found.notes[0]


def test_an_entry_that_means_nothing_in_the_data_is_silent(tmp_path: Path) -> None:
    assert over(tmp_path, EVENTS[4:], DELETES, entries(tmp_path), TODAY).notes == ()


def test_bursts_of_known_good_are_left_out(tmp_path: Path) -> None:
    text = ENTRY.replace('"deletes"', '["correlation", "other"]').replace(
        "effective.name", "username"
    )
    events = [event(user=user, seconds=n) for n in range(6) for user in ("gc-1", "eve")]
    found = over(tmp_path, events, correlation("{gte: 5}"), entries(tmp_path, text), TODAY)
    assert [f.key for f in found.findings] == [{"user.username": "eve"}]
    assert "1 finding (6 requests) left out" in found.notes[0]


def test_an_entry_can_be_about_every_hunt_and_addresses(tmp_path: Path) -> None:
    text = ENTRY.replace('"deletes"', '"*"').replace(
        '"user.effective.name" = "gc-*", "objectRef.namespace" = ["ci", "shop"]',
        '"source.ip" = "10.0.0.0/8", "responseStatus.code" = 200',
    )
    assert over(tmp_path, EVENTS, DELETES, entries(tmp_path, text), TODAY).findings == []


def test_a_store_that_is_temporary_keeps_what_entries_test(tmp_path: Path) -> None:
    (hunt,) = with_known_good([DELETES], entries(tmp_path), TODAY)
    assert "objectRef.namespace" in required_fields([hunt])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("known_good = 5", r"known-good\.toml: an allow list contains"),
        ("x = 1", "and nothing else"),
        ("[[known_good]]\n", r"known-good\.toml:1: an entry needs a hunt"),
        (ENTRY.replace("reason", "because"), "'because' is not a key of an entry"),
        (ENTRY.replace('"cleans up after builds"', '" "'), "an entry needs a reason"),
        (ENTRY.replace("2027-01-31", '"soon"'), "an entry needs a last day"),
        (
            ENTRY.replace("user.effective.name", "wat"),
            r"known-good\.toml:2: no field is named 'wat'",
        ),
        (ENTRY.replace('"gc-*"', "5.5"), "cannot be compared with 5.5"),
        (ENTRY.replace("user.effective.name", "source.ip"), "contains addresses, and 'gc-"),
        (
            ENTRY.replace("user.effective.name", "responseStatus.code").replace("gc-*", "x"),
            "is never 'x'",
        ),
        (ENTRY.replace("where = {", "where = {} #"), "an entry needs events"),
        ("[[known", "not a TOML file"),
    ],
)
def test_a_wrong_entry_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        entries(tmp_path, text)


def test_an_entry_for_a_mistyped_hunt_is_refused(tmp_path: Path) -> None:
    known = entries(tmp_path, ENTRY.replace("deletes", "pod_exce"))
    with pytest.raises(UsageError, match="Did you mean pod_exec"):
        with_known_good(load_hunts(["pod_exec"]), known, TODAY)


def hours(count: int, user: str, **more: Any) -> list[dict[str, Any]]:
    return [event("delete", user=user, seconds=n * 1900, **more) for n in range(count)]


EVIL = 'a"b\\c\n*\u202e[[known_good]]'


def test_what_comes_back_is_proposed_as_a_file_that_can_be_used(tmp_path: Path) -> None:
    events = [
        *hours(6, "gc-1", namespace="ci"),
        *hours(4, EVIL),
        *hours(5, "system:anonymous"),
        *(event("delete", user="once", seconds=n) for n in range(9)),
    ]
    with stored(tmp_path / "store", events).engine() as engine:
        found = suggestions([DELETES], engine, Window())
        text = allowlist_text(found, TODAY)
        known = entries(tmp_path, text)
        (left,) = run_hunts(with_known_good([DELETES], known, TODAY), engine, Window())
    assert [dict(one.where) for one in found] == [
        {"user.effective.name": "gc-1", "objectRef.namespace": "ci"},
        {"user.effective.name": EVIL, "objectRef.namespace": "shop"},
    ]
    assert len(tomllib.loads(text)["known_good"]) == 2
    assert "expires = 2027-02-22" in text
    assert {f.key["user.effective.name"] for f in left.findings} == {"system:anonymous", "once"}


def test_images_are_proposed_for_hunts_about_pods(tmp_path: Path) -> None:
    hunt = sigma("{s: {pod.privileged: true}, condition: s}", more="name: privileged")
    spec = {"containers": [{"name": "c", "image": "registry.example.com/cni:1",
                            "securityContext": {"privileged": True}}]}  # fmt: skip
    body = {"kind": "Pod", "apiVersion": "v1", "metadata": {}, "spec": spec}
    events = [
        event("create", user="ci", seconds=n * 1900, level="Request", requestObject=body)
        for n in range(6)
    ]
    with stored(tmp_path / "store", events).engine() as engine:
        (found,) = suggestions([hunt], engine, Window())
    assert dict(found.where)["pod.images"] == "registry.example.com/cni:1"


def test_what_is_known_good_is_not_proposed_again(tmp_path: Path) -> None:
    (hunt,) = with_known_good([DELETES], entries(tmp_path), TODAY)
    with stored(tmp_path / "store", hours(6, "gc-1", namespace="ci")).engine() as engine:
        assert suggestions([hunt], engine, Window()) == []
