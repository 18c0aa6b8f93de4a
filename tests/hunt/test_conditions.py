"""Conditions mean the same on the engine as in a slow evaluation of each event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.errors import InvalidHunt
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.query.algebra import Condition, Metric, Query
from tests.building import event, row
from tests.hunt.reference import holds
from tests.hunt.run_hunt import sigma
from tests.stores import stored

SAID: list[dict[str, Any]] = [
    {},
    {"code": 401, "stage": "ResponseStarted", "user": "", "annotations": None},
    {"code": 403, "verb": "list", "resource": "secrets"},
    {"code": 403, "decision": "allow", "verb": "create"},
    {"user": "system:anonymous", "source": ["192.0.2.1", "10.0.0.1"]},
    {"user": "System:Fake", "agent": "CURL/8.5"},
    {"agent": None, "sourceIPs": None},
    {"agent": "50*% off_\\"},
    {"agent": "50x% off_\\", "source": "fd00::7"},
    {"agent": "a\nb"},
    {"subresource": "exec", "name": "cart-1", "code": 101},
    {"user": "admin", "impersonatedUser": {"username": "system:admin"}},
    {"source": "::1"},
    {"responseStatus": None, "stage": "RequestReceived"},
    {"userAgent": "Kubectl/ÄÖ", "verb": "GET"},
]
EVENTS = [event(auditID=f"id-{place}", **one) for place, one in enumerate(SAID)]

ITEMS = [
    "userAgent|contains: CURL",
    "userAgent|contains|cased: curl",
    "userAgent|contains: '50\\*'",
    "userAgent: '50*off?\\\\'",
    "userAgent|endswith: b",
    "userAgent|contains: 'äö'",
    "userAgent|re: '^a.b$'",
    "userAgent|re|s: '^a.b$'",
    "userAgent|re|i: '^curl'",
    "userAgent: null",
    "userAgent|exists: true",
    "user.username|neq: admin",
    "user.username|startswith: 'system:'",
    "user.effective.name: [SYSTEM:ADMIN, alice]",
    "responseStatus.code: ['403', 101]",
    "responseStatus.code|gt: 400",
    "responseStatus.code|lte: 200",
    "sourceIPs|cidr: 192.0.2.0/24",
    "sourceIPs|cidr: [10.0.0.0/8, 'fd00::/8']",
    "source.ip|cidr: 192.0.2.0/24",
    "sourceIPs.0: 192.0.2.1",
    "source.forwarded: true",
    "user.groups: system:authenticated",
    "verb|cased: [GET, list]",
    "user.username|expand: '%anonymous_users%'",
    "user.username|expand|cased: '%default_admin_users%'",
    "userAgent|expand: '%script_agents%'",
    "user.username|startswith|expand: '%known%'",
    "source.ip|expand: '%private_networks%'",
    "sourceIPs|expand: '%loopback_addresses%'",
    "user.username|expand: '%nothing%'",
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with stored(tmp_path_factory.mktemp("conditions") / "store", EVENTS).engine() as opened:
        yield opened


def engine_says(condition: Condition, engine: Engine) -> set[str]:
    rows = engine.run(Query(where=condition, select=("auditID",))).rows
    count = engine.run(Query(where=condition, metrics=(Metric("n", "count"),))).rows[0][0]
    assert len(rows) == count
    return {str(one[0]) for one in rows}


def slowly(condition: Condition) -> set[str]:
    return {one["auditID"] for one in EVENTS if holds(condition, row(one))}


@pytest.mark.parametrize("negated", [False, True], ids=["", "not"])
@pytest.mark.parametrize("item", ITEMS)
def test_a_sigma_item_matches_the_same_events(item: str, negated: bool, engine: Engine) -> None:
    said = "not s" if negated else "s"
    condition = sigma(f'{{s: {{{item}}}, condition: "{said}"}}').condition
    assert engine_says(condition, engine) == slowly(condition)


@pytest.mark.parametrize(
    "limit", ["sql.LONG", "by_value.FEW", "by_value.MOST_VALUES"], ids=lambda name: name.lower()
)
def test_the_limits_of_a_statement_change_no_match(
    limit: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists of a statement, patterns tested for each value, and values that are too many."""
    monkeypatch.setattr("k8sidx.backends.embedded.engine.by_value.FEW", 0)
    monkeypatch.setattr(f"k8sidx.backends.embedded.engine.{limit}", 0)
    for item in ITEMS:
        for condition in ("s or t", "not (s or t)"):
            detection = f"{{s: {{{item}}}, t: {{userAgent|contains: l}}, condition: {condition}}}"
            where = sigma(detection).condition
            rows = engine.run(Query(where=where, select=("auditID",))).rows
            assert {name for (name,) in rows} == slowly(where), (item, condition)


@pytest.mark.parametrize("hunt", load_library(), ids=lambda hunt: hunt.id)
def test_a_hunt_of_the_library_matches_the_same_events(hunt: Hunt, engine: Engine) -> None:
    assert engine_says(hunt.condition, engine) == slowly(hunt.condition)


def test_a_condition_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidHunt, match="nested too deeply"):
        sigma("{sel: {verb: get}, condition: " + "not " * 3000 + "sel}")
