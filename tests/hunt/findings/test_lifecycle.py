"""States of saved findings, on both kinds of stores, and the risk that they add up to."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.target import findings_index, parse_target, states_index
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.embedded.findings import states_path
from k8sidx.errors import StoreError, UsageError
from k8sidx.hunt.allowlist import read_known_good
from k8sidx.hunt.allowlist_suggest import entry_of
from k8sidx.hunt.findings.lifecycle import LiveFinding, decide, live_findings, selected
from k8sidx.hunt.findings.risk import risks_of, weight
from tests.building import START, event
from tests.cli.conftest import here, k8sidx  # noqa: F401  (a fixture)
from tests.hunt.findings.test_saving import EVIL, NOW, finding, kept
from tests.stores import stored


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    return stored(tmp_path / "store", [event()])


@pytest.fixture
def both(folder: Any, opensearch: Cluster, prefix: str) -> Iterator[tuple[Any, Any]]:
    """A folder and a cluster."""
    yield folder, ClusterStore(opensearch.url, parse_target(prefix), ConnectionSettings())
    for index in (findings_index(prefix), states_index(prefix)):
        opensearch.request("DELETE", f"/{index}")


def states(store: Any, now: datetime = NOW) -> dict[str, str]:
    return {
        str(item.finding.key["user.effective.name"]): item.state
        for item in live_findings(store, now)
    }


def named(store: Any, user: str) -> list[LiveFinding]:
    everything = live_findings(store, NOW)
    return [item for item in everything if item.finding.key["user.effective.name"] == user]


def test_states_are_kept_with_who_and_when(both: tuple[Any, Any]) -> None:
    for store in both:
        assert live_findings(store, NOW) == []
        kept(store, finding("erin"), finding("frank"), finding(EVIL))
        assert set(states(store).values()) == {"open"}
        decide(store, named(store, "erin"), "acknowledge", by="ana", now=NOW, note="mine")
        decide(store, named(store, EVIL), "close", by=EVIL, now=NOW, note=EVIL)
        assert states(store) == {"erin": "acknowledged", "frank": "open", EVIL: "closed"}
        [erin], [evil] = named(store, "erin"), named(store, EVIL)
        [change] = erin.history
        assert (change.by, change.at, change.note) == ("ana", NOW, "mine")
        assert (evil.history[0].by, evil.history[0].note) == (EVIL, EVIL)
        decide(store, named(store, "erin"), "open", by="ana", now=NOW + timedelta(minutes=1))
        assert states(store)["erin"] == "open"


def test_a_closed_finding_with_later_requests_is_reopened(both: tuple[Any, Any]) -> None:
    for store in both:
        kept(store, finding("erin"))
        decide(store, named(store, "erin"), "close", by="ana", now=NOW, note="fine")
        kept(store, finding("erin"))
        assert states(store) == {"erin": "closed"}
        kept(store, finding("erin", minutes=30))
        assert states(store) == {"erin": "reopened"}


def test_a_silence_covers_other_days_and_ends(both: tuple[Any, Any]) -> None:
    for store in both:
        kept(store, finding("erin"))
        until = NOW + timedelta(days=7)
        decide(store, named(store, "erin"), "silence", by="ana", now=NOW, note="x", until=until)
        kept(store, finding("erin", minutes=2 * 24 * 60), finding("frank"))
        assert states(store) == {"erin": "silenced", "frank": "open"}
        assert states(store, until) == {"erin": "open", "frank": "open"}


def test_a_damaged_file_of_states_is_an_error(folder: Any) -> None:
    kept(folder, finding())
    states_path(folder.path).write_text('{"finding": "x", "action": "forget"}\n')
    with pytest.raises(StoreError, match="cannot be read"):
        live_findings(folder, NOW)
    with pytest.raises(StoreError, match="cannot be read"):
        decide(folder, [], "note", by="ana", now=NOW)


def test_ids_are_chosen_by_an_unambiguous_beginning(folder: Any) -> None:
    kept(folder, *(finding(f"user-{number}") for number in range(40)))
    findings = live_findings(folder, NOW)
    assert selected(findings, [findings[3].id[:12]]) == [findings[3]]
    # Of 40 ids, two at least begin with the same digit.
    shared = max("0123456789abcdef", key=lambda d: sum(f.id[0] == d for f in findings))
    for wrong in ("", "zz", shared):
        with pytest.raises(UsageError):
            selected(findings, [wrong])


def test_risk_adds_up_decays_and_lists_its_reasons(folder: Any) -> None:
    kept(folder, finding("erin"), finding("erin", minutes=24 * 60), finding("frank"))
    now = START + timedelta(days=1)
    findings = live_findings(folder, now)
    risks = {(risk.kind, risk.name): risk for risk in risks_of(findings, now)}
    erin = risks[("actor", "erin")]
    assert erin.risk == pytest.approx(20 + 20 * 0.5 ** (1 / 7) / 2)
    [reason] = erin.reasons
    assert (reason.hunt, reason.findings) == ("secret_read_burst", 2)
    assert sum(reason.risk for reason in erin.reasons) == pytest.approx(erin.risk)
    assert risks[("cluster", "without a name")].risk > erin.risk
    assert weight(findings[0], now + timedelta(days=7)) == pytest.approx(
        weight(findings[0], now) / 2
    )
    decide(folder, findings, "close", by="ana", now=now, note="fine")
    assert risks_of(live_findings(folder, now), now) == []


def test_an_entry_of_the_allow_list_needs_an_authenticated_caller(tmp_path: Path) -> None:
    text = entry_of(finding(EVIL), "", NOW.date())
    path = tmp_path / "known.toml"
    path.write_text(text)
    [entry] = read_known_good(path)
    assert entry.hunts == ("secret_read_burst",)
    assert tomllib.loads(text)["known_good"][0]["where"]["source.ip"] == "192.0.2.7"
    for user in ("system:anonymous", ""):
        with pytest.raises(UsageError, match="no authenticated caller"):
            entry_of(finding(user), "", NOW.date())


def command(*arguments: str, code: int = 0) -> str:
    result = k8sidx("findings", *arguments)
    assert result.exit_code == code, result.output
    return result.stdout


def test_findings_live_from_hunt_to_close(here: Path) -> None:  # noqa: F811
    reads = [event("get", "secrets", name=f"s{n}", seconds=n, user="erin") for n in range(3)]
    store = stored(here / "k8sidx-store", reads)
    assert k8sidx("hunt", "secret_get", "--save", "-q").exit_code == 0
    [listed] = json.loads(command("list", "-o", "json"))["findings"]
    assert (listed["hunt"], listed["state"], listed["count"]) == ("secret_get", "open", 3)
    identifier = listed["id"]
    [shown] = json.loads(command("show", identifier[:10], "-o", "json"))
    assert f"k8sidx timeline --finding {identifier}" in shown["next"]
    command("close", identifier, "--note", "known", "--by", "ana")
    assert json.loads(command("list", "-o", "json"))["findings"] == []
    assert "1 closed" in k8sidx("findings", "list").stderr
    command("close", identifier, "--note", "", code=2)
    command("ack", "nothing", code=2)
    again = json.loads(k8sidx("hunt", "secret_get", "--new", "-o", "json").stdout)
    assert (again[0]["findings"], again[0]["rows"]) == ([], [])
    entry = k8sidx("hunt", "--known-good-from", identifier).stdout
    assert 'reason = "known"' in entry
    (here / "known.toml").write_text(entry)
    assert k8sidx("hunt", "secret_get", "--known-good", "known.toml", "-q").exit_code == 0
    from tests.stores import put

    put(store, [event("get", "secrets", name="s9", seconds=60, user="erin")])
    again = json.loads(k8sidx("hunt", "secret_get", "--new", "--save", "-o", "json").stdout)
    assert len(again[0]["findings"]) == 1
    [listed] = json.loads(command("list", "-o", "json"))["findings"]
    assert listed["state"] == "reopened"
    risks = json.loads(command("risk", "-o", "json"))["risks"]
    assert {risk["kind"] for risk in risks} == {"actor", "cluster"}


def test_new_leaves_silenced_findings_out_and_counts_them(here: Path) -> None:  # noqa: F811
    day = 24 * 60 * 60
    reads = [event("get", "secrets", name="s", seconds=n * day, user="erin") for n in range(2)]
    stored(here / "k8sidx-store", reads[:1])
    k8sidx("hunt", "secret_get", "--save", "-q")
    [listed] = json.loads(command("list", "-o", "json"))["findings"]
    command("silence", listed["id"], "--note", "migration", "--for", "9d")
    stored(here / "other", reads[1:])
    result = k8sidx("hunt", "secret_get", "--new")
    assert "1 findings that are saved already or silenced are left out" in result.stderr
    assert datetime.now(UTC) < datetime.fromisoformat(
        json.loads(command("list", "--state", "silenced", "-o", "json"))["findings"][0]["until"]
    )
