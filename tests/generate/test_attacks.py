"""What is planted is found by the hunts that its labels name; ordinary work is quiet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from typer.testing import CliRunner

from docs.generate.hunts import DOCUMENT, document
from docs.generate.quiet import judged_ordinary_work, judged_platform_hours
from k8sidx.backends.open import temporary_store
from k8sidx.cli import app
from k8sidx.generate.attacks import ATTACKS, NOT_IN_ONE_LOG
from k8sidx.hunt.library.load import library_ids, load_hunts, load_library
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.required_fields import required_fields
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.shipping.pipeline import ShipOptions, ship
from tests.places import EXAMPLES, write_database

CLUSTER = "orchestrator.cluster.name"
ATTACKED, QUIET = "prod", "dev"
TABLES = {name for name in ATTACKS if name.startswith(("topn_", "rare_"))}
"""Hunts that list and do not judge."""

Label = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """What a log was found to hold."""

    labels: dict[str, Any]
    results: dict[str, HuntResult]

    @property
    def by_hunt(self) -> dict[str, Label]:
        return {hunt: one for one in self.labels["attacks"] for hunt in one["hunts"]}


def generated(folder: Path, *options: str) -> tuple[Path, dict[str, Any]]:
    log, labels = folder / "audit.log.zst", folder / "labels.json"
    said = ["generate", "-o", str(log), "--labels", str(labels), *options]
    assert CliRunner().invoke(app, said).exit_code == 0
    return log, json.loads(labels.read_text("utf-8"))


def hunted(
    logs: Mapping[str, Path], names: Sequence[str], lists: Lists, window: Window
) -> list[HuntResult]:
    """What the hunts find in the logs, by the name of their clusters."""
    hunts = load_hunts(names, lists)
    with TemporaryDirectory() as folder, temporary_store(required_fields(hunts)) as store:
        database = write_database(Path(folder, "places.mmdb"), EXAMPLES)
        for cluster, log in logs.items():
            options = ShipOptions(cluster=cluster, address_databases=(database,))
            assert ship([str(log)], store, options).rejected == 0
        with store.engine() as engine:
            return run_hunts(hunts, engine, window)


def judged(folder: Path, names: Sequence[str], *options: str) -> Judged:
    log, labels = generated(folder, *options)
    window = Window(since=datetime.fromisoformat(labels["since"]), baseline=timedelta(hours=12))
    results = hunted({"": log}, names, Lists(labels["lists"]), window)
    return Judged(labels, {one.hunt: one for one in results})


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """All attacks, in one of two clusters; the other one has ordinary work only."""
    folders = {name: tmp_path_factory.mktemp(name) for name in (ATTACKED, QUIET)}
    log, labels = generated(folders[ATTACKED], "--events", "20000")
    other, _ = generated(
        folders[QUIET], "--events", "2500", "--attacks", "none", "--seed", "2", "--users", "3"
    )
    window = Window(since=datetime.fromisoformat(labels["since"]), baseline=timedelta(hours=12))
    logs = {ATTACKED: log, QUIET: other}
    results = hunted(logs, sorted(library_ids()), Lists(labels["lists"]), window)
    yield Judged(labels, {result.hunt: result for result in results})


def test_findings_about_attacks_name_the_cluster_of_the_attack_only(everything: Judged) -> None:
    named = {
        (hunt, finding.key.get(CLUSTER), any(is_of(label, finding) for label in labels))
        for hunt, result in everything.results.items()
        for labels in [[everything.by_hunt[hunt]] if hunt in everything.by_hunt else []]
        for finding in result.findings
    }
    assert {cluster for _, cluster, _ in named} <= {ATTACKED, QUIET}
    assert {hunt for hunt, cluster, attacked in named if attacked and cluster != ATTACKED} == set()
    of_attacks = {hunt for hunt, cluster, attacked in named if attacked}
    assert of_attacks >= ATTACKS.keys() - TABLES


def test_tables_that_compare_are_those_of_each_cluster(everything: Judged) -> None:
    result = everything.results["topn_user_by_ip"]
    assert result.columns[0] == CLUSTER
    assert {row[0] for row in result.rows} == {ATTACKED, QUIET}
    attacker = everything.by_hunt["topn_user_by_ip"]["user"]
    assert {row[0] for row in result.rows if attacker in row} == {ATTACKED}


def test_every_hunt_has_an_attack() -> None:
    assert ATTACKS.keys() == set(library_ids()) - NOT_IN_ONE_LOG


@pytest.mark.parametrize("hunt", sorted(ATTACKS.keys() - TABLES))
def test_a_hunt_finds_its_attack(hunt: str, everything: Judged) -> None:
    label = everything.by_hunt[hunt]
    assert any(is_of(label, finding) for finding in everything.results[hunt].findings)


def is_of(label: Label, finding: Finding) -> bool:
    """The finding's evidence is of the attack, and it says who it was."""
    product = label["userAgent"].partition("/")[0]
    who = {label["user"], label["sourceIPs"][0], label["userAgent"], product}
    said = {str(value) for value in finding.key.values()}
    return bool(set(label["auditIDs"]) & set(finding.audit_ids)) and (
        bool(who & said) or any(name in finding.reason for name in who if name)
    )


@pytest.mark.parametrize("hunt", sorted(name for name in TABLES if not ATTACKS[name].alone))
def test_a_table_lists_its_attack(hunt: str, everything: Judged) -> None:
    assert is_listed(everything.by_hunt[hunt], everything.results[hunt])


@pytest.mark.parametrize("hunt", sorted(name for name in TABLES if ATTACKS[name].alone))
def test_a_table_of_the_rare_lists_its_attack_when_little_else_is_rare(
    hunt: str, tmp_path: Path
) -> None:
    found = judged(tmp_path, [hunt], "--events", "2000", "--attacks", hunt)
    assert is_listed(found.by_hunt[hunt], found.results[hunt])


def is_listed(label: Label, result: HuntResult) -> bool:
    who = {label["user"], label["sourceIPs"][0], label["userAgent"]}
    if result.hunt == "topn_status_code":
        who = {str(code) for code in label["codes"]}
    return any(who & {str(value) for value in row} for row in result.rows)


def test_the_logs_of_two_clusters_show_which_fell_silent(tmp_path: Path) -> None:
    hunts = load_hunts(["cluster_silent"])
    with temporary_store(required_fields(hunts)) as store:
        for name, hours, events in (("one", "24h", "4000"), ("two", "15h", "2500")):
            (tmp_path / name).mkdir()
            options = (
                "--attacks",
                "none",
                "--span",
                hours,
                "--events",
                events,
                "--seed",
                hours[:2],
            )
            log, _ = generated(tmp_path / name, *options)
            ship([str(log)], store, ShipOptions(cluster=name))
        with store.engine() as engine:
            (result,) = run_hunts(hunts, engine, Window())
    assert [finding.key["orchestrator.cluster.name"] for finding in result.findings] == ["two"]


def test_ordinary_work_is_quiet_on_every_platform_and_the_page_of_hunts_says_how_quiet() -> None:
    results = judged_ordinary_work()
    levels = Counter(finding.level for result in results for finding in result.findings)
    assert not levels["critical"] and not levels["high"]
    assert levels["medium"] <= 5
    platforms = judged_platform_hours()
    for name, findings in platforms.items():
        of = Counter(finding.level for finding in findings)
        assert not of["critical"] and not of["high"], name
        assert of["medium"] <= 5, name
    page = document(load_library(), results, platforms)
    assert DOCUMENT.read_text("utf-8") == page, "python -m docs.generate.hunts"
