"""A value is secret where its own name, or the name beside it, says so; references stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.events.normalize.redact_lines import redact_lines
from k8sidx.events.normalize.redact_names import is_secret_name
from tests.building import normalized
from tests.events.normalize.secret_places import MEMBERS, NAMED, NOT_SECRET, b64, thing

SECRET = "Hunter2xyzzy"  # noqa: S105


def stored(body: dict[str, Any]) -> str:
    row = normalized(body).row
    return json.dumps({k: v.decode() if isinstance(v, bytes) else v for k, v in row.items()})


@pytest.mark.parametrize("name", MEMBERS)
def test_the_value_of_a_member_is_secret_by_its_name(name: str) -> None:
    for spec in (
        {name: SECRET},
        {"a": [{"b": {name: SECRET}}]},
        {"x": [{"name": name, "value": SECRET}]},
        {"x": json.dumps({"y": {name: SECRET}})},
        {"x": f"a: 1\n{name}: {SECRET}\n"},
        {"x": b64(json.dumps({"a": "b", name: SECRET}))} if "assw" in name else {name: SECRET},
    ):
        text = stored(thing(spec))
        assert SECRET not in text, spec
        assert b64(SECRET)[:12] not in text, spec


@pytest.mark.parametrize("place", NAMED)
def test_a_named_secret_is_not_stored(place: str) -> None:
    body = NAMED[place](SECRET)
    text = stored(body)
    for before in ("", "a", "ab", "user:"):
        assert b64(before + SECRET)[4:-6] not in text
    assert "31337" not in text
    assert SECRET not in text
    assert normalized(body).redacted


@pytest.mark.parametrize("number", range(len(NOT_SECRET)))
def test_what_refers_to_a_secret_stays(number: int) -> None:
    body = thing(NOT_SECRET[number])
    assert json.loads(normalized(body).row["requestObject"]) == body["requestObject"]


@pytest.mark.parametrize(
    "name",
    ["secretName", "tokenRef", "key", "keys", "publicKey", "bypass", "author", "tokenizer", "f:x",
     "secretNamespace", "passwordPolicy", "credentialsFile", "accessKeyId", "authentication"],
)  # fmt: skip
def test_a_name_that_describes_a_secret_is_not_that_of_one(name: str) -> None:
    assert not is_secret_name(name)


LINES = st.lists(
    st.sampled_from(
        ("password: Hunter2", "  token:", "    Hunter2", "a=b", "SECRET='x y'", "- pw: |",
         "{pw: x}", "<pass>x</pass>", "password=[redacted by k8sidx]", "x: &a 1", "",
         "User=a;Password=b;")
    ),
    max_size=6,
).map("\n".join)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(text=LINES)
def test_lines_are_redacted_once(text: str) -> None:
    once = redact_lines(text)
    assert redact_lines(once) == once
    again = normalized(thing({"x": text})).row
    body = thing({"x": json.loads(again["requestObject"])["spec"]["x"]})
    assert normalized(body).row["event.id"] == again["event.id"]
