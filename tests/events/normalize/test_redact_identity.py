"""A credential in a name is not stored; what stands for it is the same for each name."""

from __future__ import annotations

import json

import pytest

from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import event, normalized
from tests.events.normalize.secret_identities import IDENTITIES, TEXTS, called
from tests.events.test_core import assert_same, needs_core

SECRET = "Hunter2xyzzy"  # noqa: S105


@pytest.mark.parametrize("place", IDENTITIES)
def test_a_credential_in_a_name_is_not_stored(place: str) -> None:
    for text in TEXTS:
        made = normalized(IDENTITIES[place](text.replace("{}", SECRET)))
        row = {k: v.decode() if isinstance(v, bytes) else v for k, v in made.row.items()}
        assert SECRET not in json.dumps(row), text
        assert made.redacted
        assert normalized(whole_event(made.row)).values.id == made.values.id


def test_events_of_one_caller_belong_together() -> None:
    names = [
        normalized(called({"username": f"https://bob:{secret}@example.com"})).row["user.username"]
        for secret in (SECRET, SECRET, "Other1secret")
    ]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("https://bob:[redacted by k8sidx: sha256 ")


@pytest.mark.parametrize(
    "name",
    ["system:serviceaccount:kube-system:token-cleaner", "bob@example.com", "CN=Bob,O=Token Team",
     "https://login.example.com#42", "arn:aws:iam::1:role/Secrets_Reader",
     "secrets-store.csi", "kube-root-ca.crt", "Team Basics"],
)  # fmt: skip
def test_an_ordinary_name_stays(name: str) -> None:
    for body in (called({"username": name, "groups": [name]}), event(name=name)):
        made = normalized(body)
        assert not made.redacted
        assert name in (made.row["user.username"], made.row.get("objectRef.name"))


def test_a_status_whose_message_is_null_stays_whole() -> None:
    status = {"code": 200, "message": None}
    made = normalized(event(responseStatus=status))
    assert whole_event(made.row)["responseStatus"]["message"] is None


@needs_core
def test_names_are_the_same_in_the_core_or_left_to_python() -> None:
    texts = [text.replace("{}", SECRET) for text in TEXTS]
    assert_same([json.dumps(make(t)).encode() for make in IDENTITIES.values() for t in texts])
