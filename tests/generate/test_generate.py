"""What the command writes: the form, how much of it, when, and the same again."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from typer.testing import CliRunner, Result

from k8sidx.cli import app
from tests.building import row


def generate(*options: str) -> Result:
    return CliRunner().invoke(app, ["generate", *options])


def events(*options: str) -> list[dict[str, Any]]:
    result = generate(*options)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def day() -> list[dict[str, Any]]:
    return events("--events", "5000", "--attacks", "none")


def test_as_many_events_as_asked_for(day: list[dict[str, Any]]) -> None:
    assert len(day) == 5000
    assert generate("--events", "5000", "-q").stdout.count("\n") == 5000


def test_as_many_bytes_as_asked_for() -> None:
    text = generate("--size", "3MB", "--attacks", "none", "--span", "6h").stdout_bytes
    assert 3_000_000 - 110_000 < len(text) <= 3_000_000
    assert text.endswith(b"}\n")


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    options = ("--events", "1000", "--span", "6h", "--attacks", "csr_self_approved,pod_exec")
    first = generate(*options).stdout_bytes
    again = generate(*options).stdout_bytes
    other = generate(*options, "--seed", "2").stdout_bytes
    assert first == again != other


def test_lines_are_as_the_api_server_writes_them(day: list[dict[str, Any]]) -> None:
    line = generate("--events", "1", "--attacks", "none", "--span", "1h").stdout
    assert line.startswith('{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"')
    for event in day:
        for name in ("requestReceivedTimestamp", "stageTimestamp"):
            datetime.strptime(event[name], "%Y-%m-%dT%H:%M:%S.%fZ")
            assert len(event[name]) == len("2026-11-23T00:00:00.000000Z")
        assert event["requestReceivedTimestamp"] <= event["stageTimestamp"]


def test_lines_come_in_the_order_of_completion_within_the_span(day: list[dict[str, Any]]) -> None:
    times = [event["stageTimestamp"] for event in day]
    assert times == sorted(times)
    assert times[0] >= "2026-11-23T00:00:00"
    assert "2026-11-23T22:30" < times[-1] < "2026-11-24T02:00"


def test_audit_ids_are_those_of_one_request(day: list[dict[str, Any]]) -> None:
    of: dict[str, set[str]] = {}
    for event in day:
        of.setdefault(event["auditID"], set()).add(event["requestReceivedTimestamp"])
    assert len(of) > 4000
    assert all(len(received) == 1 for received in of.values())


def test_the_mix_is_the_recorded_one(day: list[dict[str, Any]]) -> None:
    codes = Counter(event["responseStatus"]["code"] for event in day)
    verbs = Counter(event["verb"] for event in day)
    users = {event["user"].get("username", "") for event in day}
    assert 0.85 < codes[200] / len(day) < 0.95
    assert {404, 409, 403, 401, 201} <= codes.keys()
    assert verbs["update"] > verbs["patch"] > verbs["delete"]
    assert {"system:kube-scheduler", "system:node:node-1", "system:anonymous", ""} <= users


def test_people_work_by_day(day: list[dict[str, Any]]) -> None:
    hours = Counter(
        int(event["stageTimestamp"][11:13])
        for event in day
        if event["user"].get("username") in ("alice", "bob", "frank", "dave")
    )
    assert sum(hours[hour] for hour in range(8, 18)) > 4 * sum(hours[hour] for hour in range(6))


def test_more_people_have_names_addresses_and_certificates_of_their_own() -> None:
    made = events("--events", "5000", "--attacks", "none", "--users", "30")
    seen = {
        (event["user"]["username"], event["sourceIPs"][-1], str(event["user"].get("extra")))
        for event in made
        if not event["user"].get("username", "system:").startswith(("system:", "ci-bot"))
    }
    names = {name for name, _, _ in seen}
    assert len(names) > 15
    assert len({address for _, address, _ in seen}) == len(names)


def test_an_attack_is_as_the_api_server_writes_it(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    made = events(
        "--events", "500", "--attacks", "exec_reverse_shell", "--labels", str(labels), "-q"
    )
    (label,) = json.loads(labels.read_text("utf-8"))["attacks"]
    own = [event for event in made if event["auditID"] in label["auditIDs"]]
    assert [event["stage"] for event in own] == ["ResponseStarted", "ResponseComplete"]
    assert len({event["auditID"] for event in own}) == 1
    assert label["events"] == 2
    assert row(own[0])["user.username"] == label["user"]
    assert own[0]["sourceIPs"] == label["sourceIPs"]


def test_all_attacks_take_place_however_few_events_are_asked_for(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    hunts = "source_silent,forbidden_surge,pod_exec"
    made = events("--events", "800", "--attacks", hunts, "--labels", str(labels), "-q")
    planted = json.loads(labels.read_text("utf-8"))["attacks"]
    assert len(made) == 800
    assert sorted(hunt for one in planted for hunt in one["hunts"]) == sorted(hunts.split(","))
    seen = Counter(event["user"].get("username") for event in made)
    for one in planted:
        assert seen[one["user"]] == one["events"] > 0


def test_signs_are_escaped_as_the_api_server_does() -> None:
    text = generate("--events", "2000", "--span", "6h", "--attacks", "exec_reverse_shell").stdout
    assert not set("&<>") & set(text)
    assert "\\u0026" in text


def test_a_file_is_packed_as_its_name_says(tmp_path: Path) -> None:
    options = ("--events", "300", "--attacks", "none", "--span", "1h")
    plain = generate(*options, "-q").stdout_bytes
    for name in ("a.log", "a.log.gz", "a.log.zst"):
        assert generate(*options, "-o", str(tmp_path / name)).stdout_bytes == b""
    assert (tmp_path / "a.log").read_bytes() == plain
    assert gzip.decompress((tmp_path / "a.log.gz").read_bytes()) == plain
    packed = io.BytesIO((tmp_path / "a.log.zst").read_bytes())
    assert zstandard.ZstdDecompressor().stream_reader(packed).read() == plain


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--attacks", "nonsense"], "no hunt is called 'nonsense'"),
        (["--events", "10", "--size", "1MB"], "exclude each other"),
        (["--span", "5m"], "span is too short"),
        (["--span", "99999d"], "too long"),
        (["--from", "9999-12-31"], "cannot begin in the year 9999"),
        (["--from", "0001-01-01"], "cannot begin in the year 1"),
        (["--users", "100000"], "people are not possible"),
        (["--events", "100"], "attacks alone are"),
        (["-o", "/nowhere/a.log", "--attacks", "none"], "cannot be written"),
    ],
)
def test_what_cannot_be_made_is_told(options: list[str], said: str) -> None:
    result = generate(*options)
    assert result.exit_code == 2
    assert said in result.output
