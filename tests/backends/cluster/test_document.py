"""An event as a document, and the event again from the document."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.backends.cluster.index.document import (
    as_text,
    document,
    document_id,
    identity_of,
    stored_fields,
)
from k8sidx.backends.cluster.index.names import IndexNames, Period
from k8sidx.events.decode.event_model import V1_KEYS
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.moment import text_of, to_micros
from k8sidx.events.fields.table import Kind
from k8sidx.events.normalize.reconstruct import whole_event
from tests.building import SHARED, START, event, normalized
from tests.events.normalize.test_reconstruct import ANYTHING, without_empty

LOGS = sorted((SHARED / "data" / "apiserver").glob("*.ndjson.gz"))


def written(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document(normalized(body)))
    return found


def came_back(body: dict[str, Any], *, text: bool = False) -> None:
    """The document holds all stored fields, and with them the whole event."""
    made = normalized(body, keep_secrets=True)
    line = as_text(document(made)) if text else document(made)
    row = stored_fields(msgspec.json.decode(line), made.values.id)
    assert row == made.row
    assert b"\n" not in line


def test_a_document_is_flat_and_says_times_positions_and_order() -> None:
    body = event(
        "create", "pods", source=["203.0.113.7", "10.0.0.7"], requestObject={"kind": "Pod"}
    )
    found = written(body)
    assert found["user.username"] == "alice"
    assert found["annotations.authorization.k8s.io/decision"] == "allow"
    assert found["@timestamp"] == "2026-11-23T12:00:00.002000Z"
    assert found["epoch_us.@timestamp"] == to_micros(START) + 2000
    assert found["position.0.sourceIPs"] == "203.0.113.7"
    assert found["position.1.sourceIPs"] == "10.0.0.7"
    assert found["position.0.user.groups"] == "system:authenticated"
    assert found["audit"] == {"requestObject": {"kind": "Pod"}}
    assert "event.id" not in found


def test_order_sorts_as_the_id_does() -> None:
    events = [normalized(event(name=f"n{n}")) for n in range(50)]
    by_id = sorted(events, key=lambda one: one.values.id)
    orders = [msgspec.json.decode(document(one))["event.order"] for one in by_id]
    assert orders == sorted(orders)


def test_the_document_id_is_the_event_id() -> None:
    identity = normalized(event()).values.id
    assert len(document_id(identity)) == 22
    assert identity_of(document_id(identity).decode()) == identity
    with pytest.raises(ValueError, match="no id"):
        identity_of("shor")


@pytest.mark.skipif(not LOGS, reason="no ../shared/data/apiserver beside the checkout")
def test_every_event_of_a_real_api_server_comes_back_from_its_document() -> None:
    checked = 0
    for path in LOGS:
        with gzip.open(path) as file:
            for number, line in enumerate(file):
                if number % 11 == 0:
                    body = json.loads(line)
                    came_back(body)
                    made = normalized(body, keep_secrets=True)
                    row = stored_fields(msgspec.json.decode(document(made)), made.values.id)
                    assert whole_event(row) == without_empty(body)
                    checked += 1
    assert checked > 1000


@given(key=st.sampled_from(sorted(V1_KEYS - {"kind", "apiVersion"})), value=ANYTHING)
def test_any_value_under_any_key_comes_back(key: str, value: Any) -> None:
    came_back({**event("create", "things"), key: value})
    came_back({**event("create", "things"), key: value}, text=True)


def test_a_value_that_is_json_text_stays_apart_from_json_as_text() -> None:
    body = event("create", requestObject={"as_text": "{}"}, responseObject="skipped")
    came_back(body)
    came_back(body, text=True)


@pytest.mark.parametrize(
    ("period", "name"),
    [
        (Period.DAY, "k8s-audit-2026.11.25"),
        (Period.WEEK, "k8s-audit-2026.11.23"),
        (Period.MONTH, "k8s-audit-2026.11"),
    ],
)
def test_indices_are_named_by_the_events_date(period: Period, name: str) -> None:
    names = IndexNames("k8s-audit", period)
    moment = to_micros(START) + 2 * 86_400_000_000
    assert names.of(moment) == names.of(moment + 1) == name
    assert names.of(None) == "k8s-audit-undated"


@pytest.mark.parametrize("period", Period)
def test_days_before_or_after_all_audit_logs_share_the_index_of_undated_events(
    period: Period,
) -> None:
    names = IndexNames("a", period)
    first, last = (
        to_micros(datetime.fromisoformat(f"{day}T12:00:00Z"))
        for day in ("2016-01-04", "2039-12-31")
    )
    assert names.of(first).startswith("a-2016.01")
    assert names.of(last).startswith("a-2039.12")
    for micros in (-62_135_596_800_000_000, first - 5 * 86_400_000_000, 253_402_300_799_999_999):
        assert names.of(micros) == "a-undated"


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_times_are_written_with_microseconds(micros: int, text: str) -> None:
    assert text_of(micros) == text


def test_every_json_field_is_in_the_object_that_is_not_mapped() -> None:
    body = event("create", "pods", code=409, requestObject={"a": 1}, responseObject={"b": 1})
    body["user"]["extra"] = {"k": ["v"]}
    body["responseStatus"]["details"] = {"name": "x"}
    body["annotations"]["odd.key/x"] = "y"
    body["odd"] = {"b": {"c": 1}}
    found = written(body)
    assert set(found["audit"]) == {
        "requestObject", "responseObject", "user.extra", "responseStatus.details", "annotations",
        "rest",
    }  # fmt: skip
    for name in found:
        assert name not in BY_NAME or BY_NAME[name].kind is not Kind.JSON
