"""Evidence of findings: the requests and events behind them, whatever clients chose as ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8sidx.hunt.result import Finding
from k8sidx.investigate import evidence
from tests.building import START, event, normalized
from tests.stores import put_normalized, stored

VALUE = "c2VjcmV0LXZhbHVl"


def test_an_id_that_many_requests_have_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "EVENTS_AT_ONCE", 5)
    flood = [event(name=f"p-{number}", seconds=90 + number, auditID="same") for number in range(9)]
    own = [
        event(name=f"q-{number}", seconds=number, auditID=f"own-{number}") for number in range(4)
    ]
    with stored(tmp_path / "store", [*flood, *own]).engine() as engine:
        ids = ["same", *(f"own-{number}" for number in range(4))]
        requests = evidence.requests_by_id(engine, ids)
        assert set(requests) == set(ids)
        known = evidence.single(requests)
        assert set(known) == set(ids[1:]), "whose request the repeated one is nobody can say"
        events = evidence.events_by_id(engine, list(known))
        assert {name: len(stages) for name, stages in events.items()} == dict.fromkeys(known, 1)


def test_events_have_no_secrets_even_where_the_store_keeps_them(tmp_path: Path) -> None:
    body = {"kind": "Secret", "apiVersion": "v1", "data": {"password": VALUE}}
    made = event("create", "secrets", name="db", level="Request", requestObject=body, auditID="a")
    store = stored(tmp_path / "store", [])
    put_normalized(store, [normalized(made, keep_secrets=True)])
    with store.engine() as engine:
        events = evidence.events_by_id(engine, ["a"])
    assert events["a"][0]["requestObject"]["kind"] == "Secret"
    assert VALUE not in json.dumps(events)


def test_ids_are_taken_from_every_finding_before_second_ones() -> None:
    def finding(*ids: str) -> Finding:
        return Finding("h", "low", {}, len(ids), START, START, "r", ids)

    findings = [finding("a", "b", "c"), finding("d"), finding("b", "e")]
    assert evidence.first_ids(findings, 5) == ["a", "d", "b", "e", "c"]
    assert evidence.first_ids(findings, 2) == ["a", "d"]
