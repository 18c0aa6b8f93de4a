"""The library over logs of a real API server: quiet on ordinary work, loud on attacks."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.protocol import Engine
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunt, run_hunts
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.building import SHARED

RECORDED = SHARED / "data" / "apiserver"
ALL_TIME = Window()

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="needs the recorded logs beside the checkout"
)


@cache
def log(name: str) -> list[dict[str, Any]]:
    with gzip.open(RECORDED / f"{name}.ndjson.gz") as file:
        return [json.loads(line) for line in file]


def over(folder: Path, *names: str) -> Iterator[Engine]:
    store = EmbeddedStore(folder / "store")
    logs = [str(RECORDED / f"{name}.ndjson.gz") for name in names]
    ship(logs, store, ShipOptions(processes=1))
    with store.engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    yield from over(tmp_path_factory.mktemp("baseline"), "baseline")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    yield from over(tmp_path_factory.mktemp("both"), "baseline", "mixed")


def levels(found: Iterable[HuntResult]) -> Counter[str]:
    return Counter(finding.level for result in found for finding in result.findings)


def test_ordinary_work_is_quiet(baseline: Engine) -> None:
    found = levels(run_hunts(load_library(), baseline, ALL_TIME))
    assert found.keys() <= {"informational", "low", "medium"}
    assert found["medium"] <= 5


@pytest.mark.parametrize(
    ("hunt", "users"),
    [
        ("exec_forbidden_repeat", {"system:anonymous"}),
        (
            "forbidden_burst_user",
            {"erin", "system:anonymous", "bob", "system:node:node-1", "alice"},
        ),
        ("forbidden_list_burst", {"erin", "system:anonymous"}),
        ("secret_read_burst", {"frank"}),
        ("secret_get_denied", {"erin"}),
        ("pod_exec", {"bob", "kubernetes-admin"}),
    ],
)
def test_attacks_among_ordinary_work_are_found_at_the_right_user(
    hunt: str, users: set[str], both: Engine
) -> None:
    window = Window(since=datetime(2026, 11, 23, 21, tzinfo=UTC))
    found = run_hunt(load_hunts([hunt])[0], both, window).findings
    assert {finding.key["user.effective.name"] for finding in found} == users


def test_the_evidence_is_the_attacks_own_events(both: Engine) -> None:
    scenarios = json.loads((RECORDED / "labels.json").read_text())["scenarios"]
    attack = {one for scenario in scenarios for one in scenario["auditIDs"]}
    window = Window(since=datetime(2026, 11, 23, 21, tzinfo=UTC))
    for hunt in ("exec_forbidden_repeat", "forbidden_list_burst", "secret_get_denied"):
        for finding in run_hunt(load_hunts([hunt])[0], both, window).findings:
            assert set(finding.audit_ids) <= attack, finding.reason


def test_the_surge_of_the_contractor_is_found(both: Engine) -> None:
    window = Window(since=datetime(2026, 11, 23, 21, tzinfo=UTC))
    found = run_hunt(load_hunts(["forbidden_surge"])[0], both, window).findings
    assert any("most of erin (84)" in finding.reason for finding in found)


def test_new_clients_of_the_attack_are_found(both: Engine) -> None:
    window = Window(since=datetime(2026, 11, 23, 21, tzinfo=UTC), baseline=timedelta(minutes=40))
    found = run_hunt(load_hunts(["new_user_agent"])[0], both, window).findings
    new = {(one.key["user.effective.name"], one.key["user_agent.name"]) for one in found}
    assert {("ci-bot", "curl"), ("kubernetes-admin", "curl"), ("bob", "stern")} <= new


Row = tuple[Any, ...]


def _user(one: dict[str, Any]) -> str | None:
    name = one["user"].get("username")
    return name if name and "system" not in name else None


def _decision(one: dict[str, Any]) -> str | None:
    return one.get("annotations", {}).get("authorization.k8s.io/decision")  # type: ignore[no-any-return]


def _code(one: dict[str, Any]) -> int | None:
    return one.get("responseStatus", {}).get("code")  # type: ignore[no-any-return]


def _first(one: dict[str, Any]) -> str | None:
    return one.get("sourceIPs", [None])[0]  # type: ignore[no-any-return]


def _forbidden_list(one: dict[str, Any]) -> Row | None:
    if _code(one) != 403 or one["verb"] != "list" or _user(one) is None:
        return None
    return 403, _decision(one), "list", _user(one), one.get("objectRef", {}).get("resource")


ARTICLE: dict[str, Callable[[dict[str, Any]], Row | None]] = {
    "topn_user_agent": lambda one: (one.get("userAgent"),),
    "topn_source_ip": lambda one: None if _first(one) == "::1" else (_first(one),),
    "topn_user_by_agent": lambda one: (one.get("userAgent"), _user(one)),
    "topn_user_by_ip": lambda one: (_first(one), _user(one)),
    "topn_status_code": lambda one: (_code(one),),
    "topn_forbidden_user": lambda one: (
        ("forbid", _user(one)) if _decision(one) == "forbid" else None
    ),
    "topn_forbidden_list_resource": _forbidden_list,
}


@pytest.mark.parametrize("hunt", ARTICLE)
def test_the_articles_tables_are_those_of_plain_python(hunt: str, both: Engine) -> None:
    counts: Counter[Row] = Counter()
    for one in [*log("baseline"), *log("mixed")]:
        key = ARTICLE[hunt](one)
        if key is not None and (hunt.endswith("resource") or None not in key):
            counts[key] += 1
    expected = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]
    found = run_hunt(load_hunts([hunt])[0], both, ALL_TIME)
    assert found.rows == [(*key, count) for key, count in expected]
