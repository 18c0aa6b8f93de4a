"""The stored fields together are the whole event."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.events.decode.event_model import V1_KEYS
from k8sidx.events.decode.plain_values import with_plain_values
from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import SHARED, event, normalized

LOGS = sorted((SHARED / "data" / "apiserver").glob("*.ndjson.gz"))
_NESTED = ("user", "impersonatedUser", "objectRef", "responseStatus", "annotations")


def without_empty(body: dict[str, Any]) -> dict[str, Any]:
    """The event without what says nothing: nulls, empty objects, the empty status metadata."""
    body = json.loads(json.dumps(body))
    body.setdefault("kind", "Event")
    body.setdefault("apiVersion", "audit.k8s.io/v1")
    status = body.get("responseStatus")
    if isinstance(status, dict) and status.get("metadata") == {}:
        del status["metadata"]
    for key in _NESTED:
        if body.get(key) == {}:
            del body[key]
    return {key: value for key, value in body.items() if value is not None}


@pytest.mark.skipif(not LOGS, reason="no ../shared/data/apiserver beside the checkout")
def test_every_event_of_a_real_api_server_comes_back_whole() -> None:
    checked = 0
    for path in LOGS:
        with gzip.open(path) as file:
            for number, line in enumerate(file):
                if number % 7 == 0:
                    body = json.loads(line)
                    stored = normalized(body, keep_secrets=True).row
                    assert whole_event(stored) == without_empty(body)
                    checked += 1
    assert checked > 1000


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def nothing(value: Any) -> bool:
    """Nulls, empty objects and lists say nothing: they may be left out."""
    return value is None or value in ({}, [], "")


def pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: pruned(v) for k, v in value.items() if not nothing(pruned(v))}
    return value


@given(key=st.sampled_from(sorted(V1_KEYS - {"kind", "apiVersion"})), value=ANYTHING)
def test_any_value_under_any_key_comes_back(key: str, value: Any) -> None:
    body = with_plain_values({**event("create", "things"), key: value})
    stored = whole_event(normalized(body, keep_secrets=True).row)
    assert pruned(stored.get(key)) == pruned(without_empty(body).get(key)) or nothing(pruned(value))


@given(
    parent=st.sampled_from(_NESTED),
    key=st.sampled_from(
        ["username", "groups", "extra", "resource", "apiGroup", "code", "status", "details", "odd",
         "authorization.k8s.io/decision"]
    ),
    value=ANYTHING,
)  # fmt: skip
def test_any_value_inside_the_parts_comes_back(parent: str, key: str, value: Any) -> None:
    body = event("get", impersonatedUser={"username": "bob"})
    body = with_plain_values({**body, parent: {**body[parent], key: value}})
    stored = whole_event(normalized(body, keep_secrets=True).row)
    value = body[parent][key]
    if not nothing(pruned(value)) and value != "core":
        assert pruned(stored[parent][key]) == pruned(value)
