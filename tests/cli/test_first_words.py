"""First words of newcomers on the command line: each ends with what is wrong, and a way on."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.cli.usage_errors import readable
from tests.cli.conftest import k8sidx


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["hunt", "--all"], 3, "k8sidx-store does not exist: there is no store yet. Ship into it"),
        (["hunt", "--all", "--store", "."], 3, ". is not a k8sidx store. Ship into it first"),
        (["hunt", "pod_exec", "-o", "jsno"], 2, "'jsno' is not a valid value. Did you mean json?"),
        (["hunt", "--all", "--fail-on", "x"], 2, "Values: informational, low, medium, high"),
        (["generate", "--events", "0"], 2, "'--events': it is less than 1."),
        (["search", "x", "--limit", "y"], 2, "'--limit': it is not a whole number."),
        (["hunts", "secrets"], 2, "No such command 'secrets'. Commands: show, check, test"),
        (["findings", "lst"], 2, "Did you mean 'list'?"),
        (["hunt", "--all", "--input", "a.log", "--since", "last week"], 2,
         "'last week' is not a valid time. Write a time"),
        (["hunt", "--all", "--input", "a.log", "--since", "2024-05-01 Europe/Berln"], 2,
         "'Europe/Berln' is not a time zone."),
        (["ship", "pubsub://topic"], 2, "Those that can be read begin with s3, gs, az, cloudwatch"),
        (["ship", "other.json"], 4, "only 2 JSON of another kind, for example other.json:1"),
        (["ship", "other.json"], 4, "Records of an audit log contain auditID or audit.k8s.io"),
    ],
)  # fmt: skip
def test_the_message_has_a_way_on(
    here: Path, arguments: list[str], exit_code: int, message: str
) -> None:
    (here / "a.log").write_text("")
    (here / "other.json").write_text('{"a":1}\n{"b":2}\n')
    printed = k8sidx(*arguments)
    assert printed.exit_code == exit_code
    assert message in " ".join(printed.stderr.split())
    assert "error, " not in printed.stderr


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Value error, 'a' is not one of 'b', 'c'.", "'a' is not a valid value. Values: b, c."),
        ("Input should be less than or equal to 5", "it is greater than 5."),
        ("Input should be a valid boolean", "it is not a valid boolean"),
        ("'x' is not a name.", "'x' is not a name."),
    ],
)  # fmt: skip
def test_readable_has_no_words_of_a_library(message: str, words: str) -> None:
    assert readable(message) == words
