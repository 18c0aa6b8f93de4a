"""A secret is not stored whatever the spelling of its name, its encoding, or its object."""

from __future__ import annotations

import json

import pytest

from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import event, normalized
from tests.events.normalize.secret_commands import Event, pod
from tests.events.normalize.secret_encodings import ENCODINGS, SPELLINGS, unusual
from tests.events.normalize.secret_objects import (
    CARRIERS,
    CONNECTIONS,
    HEADERS,
    OBJECTS,
    SERVICE_TOKENS,
)
from tests.events.normalize.secret_places import b64, thing
from tests.events.test_core import assert_same, needs_core

SECRET = "Hunter2xyzzy"  # noqa: S105
PROSE = ("an error", "a message")
"""Carriers of sentences, in which not every assignment gives a value."""


def assert_not_stored(body: Event) -> None:
    made = normalized(body)
    row = {k: v.decode() if isinstance(v, bytes) else v for k, v in made.row.items()}
    text = json.dumps(row)
    assert SECRET not in text, body
    assert not any(b64(before + SECRET)[4:-6] in text for before in ("", "a", "ab", "abc")), body
    assert normalized(whole_event(made.row)).values.id == made.values.id


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_spelling_of_a_name_hides_no_secret(name: str) -> None:
    for body in (
        thing({name: SECRET}),
        thing({"x": [{"name": name, "value": SECRET}]}),
        thing({"x": json.dumps({name: SECRET}, ensure_ascii=False)}),
        thing({"x": f"a: 1\n{name}: {SECRET}\n"}),
        thing({"x": f'{{"{unusual(name)}":"{SECRET}"}}'}),
        pod(env=[{"name": name, "value": SECRET}]),
    ):
        assert_not_stored(body)


@pytest.mark.parametrize("place", [*ENCODINGS, *OBJECTS])
def test_an_encoding_or_an_object_hides_no_secret(place: str) -> None:
    assert_not_stored({**ENCODINGS, **OBJECTS}[place](SECRET))


@pytest.mark.parametrize("text", [*SERVICE_TOKENS, *CONNECTIONS, *HEADERS])
def test_a_credential_in_a_text_is_not_stored(text: str) -> None:
    for carrier, make in CARRIERS.items():
        if carrier not in PROSE or text in SERVICE_TOKENS:
            assert_not_stored(make(text.replace("{}", SECRET)))


@pytest.mark.parametrize(
    "message",
    ['secrets "db-token" not found', 'Secret "a" is invalid: type: Required value',
     'secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the '
     'namespace "shop"', 'namespaces "token" not found'],
)  # fmt: skip
def test_what_an_error_says_of_an_object_stays(message: str) -> None:
    body = event("get", "secrets", responseStatus={"code": 404, "message": message})
    assert normalized(body).row["responseStatus.message"] == message


@needs_core
def test_families_are_the_same_in_the_core_or_left_to_python() -> None:
    bodies = [make(SECRET) for make in {**ENCODINGS, **OBJECTS}.values()]
    bodies += [thing({name: SECRET, "y": f"{name}={SECRET}"}) for name in SPELLINGS]
    bodies += [
        make(text.replace("{}", SECRET))
        for make in CARRIERS.values()
        for text in (*SERVICE_TOKENS, *CONNECTIONS, *HEADERS)
    ]
    assert_same([json.dumps(body, ensure_ascii=False).encode() for body in bodies])
