"""Hunts on places: what they compare, and what they say of events without a place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.kinds.travel import distance
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt
from tests.building import START, event
from tests.hunt.library.places import BERLIN, HOUR, LONG_AGO, SYDNEY, by
from tests.judge.engines import CaseEngine, embedded, tagged

UNPLACED = "8.8.8.8"
"""A public address that the database of the tests does not have."""

CASES: dict[str, list[dict[str, Any]]] = {
    "back before the window": [by("a", SYDNEY, -HOUR), by("a", BERLIN, 60)],
    "long before the window": [by("a", SYDNEY, -3 * HOUR), by("a", BERLIN, -2 * HOUR)],
    "attacker first, owner in the window": [
        by("a", BERLIN, LONG_AGO), by("a", SYDNEY, -600), by("a", BERLIN, 60),
    ],
    "owner between": [by("a", BERLIN, n * 600) for n in range(60)] + [by("a", SYDNEY, 9_001)],
    "at once": [by("a", BERLIN, n) for n in range(5)] + [by("a", SYDNEY, 2.5)],
    "impersonated": [
        by("a", BERLIN) | {"impersonatedUser": {"username": "b"}},
        by("a", SYDNEY, 60) | {"impersonatedUser": {"username": "c"}},
    ],
    "known caller as others": [
        by("a", BERLIN, -60),
        by("a", BERLIN) | {"impersonatedUser": {"username": "c"}},
        by("a", SYDNEY, 60) | {"impersonatedUser": {"username": "b"}},
    ],
    "unplaced": [by("a", BERLIN), by("a", UNPLACED, 1), by("a", "10.0.0.1", 2)],
    "private": [by("a", "10.0.0.1"), by("a", "192.168.1.1", 1)],
    "without credential": [by("a", BERLIN), by("a", SYDNEY, 60)],
    "unplaced before": [by("a", UNPLACED, -HOUR), by("a", SYDNEY, 1)],
}  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    first = [event("get", "leases", user="nobody", seconds=-2 * HOUR)]
    cases = {name: [*first, *events] for name, events in CASES.items()}
    with embedded(tmp_path_factory.mktemp("travel"), tagged(cases)) as opened:
        yield opened


def hunted(engine: Engine, case: str, hunt: str = "impossible_travel") -> HuntResult:
    window = Window(since=START, baseline=timedelta(hours=2))
    return run_hunt(load_hunts([hunt])[0], CaseEngine(engine, case), window)


def test_the_first_place_can_be_before_the_window(engine: Engine) -> None:
    (finding,) = hunted(engine, "back before the window").findings
    assert (finding.count, finding.key["source.ip"]) == (1, BERLIN)
    assert not hunted(engine, "long before the window").findings


def test_the_unusual_place_is_the_foreign_one_whoever_came_last(engine: Engine) -> None:
    (finding,) = hunted(engine, "attacker first, owner in the window").findings
    assert (finding.key["user.effective.name"], finding.key["source.ip"]) == ("a", SYDNEY)


def test_a_finding_names_both_places_and_the_distance(engine: Engine) -> None:
    (finding,) = hunted(engine, "owner between").findings
    assert finding.key["source.ip"] == SYDNEY
    assert finding.reason == (
        "a acted once from 203.0.113.9 in Sydney, AU (AS64502 Other Networks), and at the same "
        "time from 198.51.100.9 in Berlin, DE (AS64501 Example Transit), 16,095 km away"
    )
    assert 2 <= len(finding.audit_ids) <= 20


def test_requests_from_two_places_at_once_are_found(engine: Engine) -> None:
    (finding,) = hunted(engine, "at once").findings
    assert "at the same time" in finding.reason


def test_a_caller_is_one_traveller_whomever_it_impersonates(
    engine: Engine,
) -> None:
    (finding,) = hunted(engine, "impersonated").findings
    assert (finding.actor, finding.key["user.username"]) == ("a", "a")
    assert finding.key["impersonatedUser.username"] == ["b", "c"]
    assert "a, acting as b and c, acted once" in finding.reason


def test_a_known_caller_is_known_whomever_it_impersonates(engine: Engine) -> None:
    """Otherwise another name for each request would hide any place."""
    (finding,) = hunted(engine, "known caller as others", "new_source_country").findings
    assert (finding.actor, finding.key["source.geo.country_iso_code"]) == ("a", "AU")


@pytest.mark.parametrize("hunt", ["impossible_travel", "new_source_country", "new_source_provider"])
def test_events_of_public_addresses_without_a_place_cannot_be_judged(
    hunt: str, engine: Engine
) -> None:
    (unjudged,) = hunted(engine, "unplaced", hunt).cannot_judge
    assert (unjudged.kind, unjudged.count) == ("platform", 1)
    assert "--address-database" in unjudged.reason
    assert not hunted(engine, "private", hunt).cannot_judge


def test_a_store_without_credential_ids_cannot_be_judged_by_them(engine: Engine) -> None:
    reasons = hunted(engine, "without credential", "credential_impossible_travel").cannot_judge
    assert any("id of its credential" in unjudged.reason for unjudged in reasons)


def test_an_identity_whose_time_before_has_no_place_is_not_new_and_that_is_said(
    engine: Engine,
) -> None:
    result = hunted(engine, "unplaced before", "new_source_country")
    assert not result.findings
    assert any("nothing to compare" in note for note in result.notes)


DEGREES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@settings(max_examples=50)
@given(DEGREES, DEGREES, DEGREES)
def test_distance_is_a_metric(
    one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]
) -> None:
    assert distance(one, one) == 0
    assert distance(one, two) == pytest.approx(distance(two, one))
    assert 0 <= distance(one, two) <= 20_038
    assert distance(one, three) <= distance(one, two) + distance(two, three) + 1e-6


def test_distances_between_known_cities() -> None:
    berlin, munich, sydney = (52.52, 13.405), (48.137, 11.575), (-33.87, 151.21)
    assert distance(berlin, munich) == pytest.approx(504, abs=2)
    assert distance(berlin, sydney) == pytest.approx(16_095, abs=10)
