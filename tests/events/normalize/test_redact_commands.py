"""A secret among the words of a command is not stored, whatever the program; other words are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.events.normalize.redact_text import redact_text, redact_uri
from tests.building import normalized
from tests.events.normalize.secret_commands import (
    COMMAND_LINES,
    ORDINARY_LINES,
    Event,
    pod,
    run,
    spaced,
)
from tests.events.normalize.secret_places import thing

SECRET = "Hunter2xyzzy"  # noqa: S105


def places(line: str) -> list[Event]:
    """Return events with a command line in each of the places of commands."""
    words = spaced(line)
    return [
        run(*words),
        run("sh", "-c", line),
        pod(command=words),
        pod(command=words[:1], args=words[1:]),
        pod(args=["sh", "-c", f"set -e\n{line}\nexit 0"]),
        thing({"x": line}),
    ]


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_a_secret_of_a_command_is_not_stored(line: str) -> None:
    for body in places(line.replace("{}", SECRET)):
        made = normalized(body)
        row = {k: v.decode() if isinstance(v, bytes) else v for k, v in made.row.items()}
        assert SECRET not in json.dumps(row), body
        assert normalized(whole_event(made.row)).values.id == made.values.id


@pytest.mark.parametrize("line", ORDINARY_LINES)
def test_ordinary_words_stay(line: str) -> None:
    for body in places(line):
        assert not normalized(body).redacted, body


PIECES = st.sampled_from(
    ("tool", "mysql", "htpasswd", "curl", "echo", "docker", "login", "sudo", "-p", "-u", "-b",
     "-pS3cretX9",
     "a:S3cretX9", "S3cretX9", "22", "|", ";", "<<<", "'", '"', "\\", "\n", "set", "token",
     "PW=S3cretX9",
     "--password-stdin", "[redacted by k8sidx]", "user", "net", "expect", "send", "/p:S3cretX9")
)  # fmt: skip


@given(words=st.lists(PIECES, max_size=10))
@settings(max_examples=150, deadline=None)
def test_a_command_that_was_redacted_is_redacted_no_further(words: list[str]) -> None:
    once = redact_text(" ".join(words))
    assert redact_text(once) == once
    uri = run(*words)["requestURI"]
    assert redact_uri(redact_uri(uri)) == redact_uri(uri)
    again = normalized(thing({"args": words})).row
    body = thing({"args": json.loads(again["requestObject"])["spec"]["args"]})
    assert normalized(body).row["event.id"] == again["event.id"]
