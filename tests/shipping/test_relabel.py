"""Events that were shipped without the name of their cluster get it when they are shipped again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.storage import writer as writers
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.summaries import SummaryEngine, completed_days
from k8sidx.backends.summary_key import digest_of
from k8sidx.cli import app
from k8sidx.query.algebra import Metric, Query, Terms
from k8sidx.shipping.pipeline import ShipOptions, ShipReport, ship
from tests.building import event, write_log
from tests.shipping.clusters import rows, shipped

CLUSTER = "orchestrator.cluster.name"
DAYS = 3
BY_CLUSTER = Query(
    group_by=(Terms(CLUSTER, keep_missing=True),), metrics=(Metric("count", "count"),)
)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def logs(tmp_path: Path) -> tuple[Path, Path]:
    """Two logs of three days; an event of the first one has no time of its own."""
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    undated = event(requestReceivedTimestamp=None, stageTimestamp=None, name="undated")
    write_log(first, [*(event(seconds=86_400 * day) for day in range(DAYS)), undated])
    write_log(second, [event(seconds=86_400 * day + 1, user="bob") for day in range(DAYS)])
    return first, second


def put(store: EmbeddedStore, log: Path, cluster: str = "", *, relabel: bool = False) -> ShipReport:
    return ship([str(log)], store, ShipOptions(cluster=cluster, relabel=relabel))


def names(store: EmbeddedStore) -> dict[str, Any]:
    """The cluster name of each event, by its id."""
    return {event.row["event.id"].hex(): event.row.get(CLUSTER) for event in store.stored_events()}


def test_relabel_names_the_events_of_the_input_only(
    tmp_path: Path, logs: tuple[Path, Path]
) -> None:
    store = EmbeddedStore(tmp_path / "store")
    for log in logs:
        put(store, log)
    before = list(store.stored_events())
    report = put(store, logs[0], "prod", relabel=True)
    assert (report.indexed, report.duplicates, report.relabelled) == (0, 4, 4)
    after = list(store.stored_events())
    assert sorted(map(len, (before, after))) == [7, 7]
    unnamed = {event.row["event.id"]: event.row for event in before}
    for stored in after:
        is_first = stored.row["user.username"] != "bob"
        assert stored.row.get(CLUSTER) == ("prod" if is_first else None)
        assert {**stored.row, CLUSTER: None} == {**unnamed[stored.row["event.id"]], CLUSTER: None}
    again = put(store, logs[0], "prod", relabel=True)
    assert (again.duplicates, again.relabelled) == (4, 0)
    assert not list((tmp_path / "store" / "staging").iterdir())


def test_relabel_replaces_another_name_and_ships_what_is_new(
    tmp_path: Path, logs: tuple[Path, Path]
) -> None:
    store = EmbeddedStore(tmp_path / "store")
    put(store, logs[0], "dev")
    both = tmp_path / "both.log"
    both.write_bytes(logs[0].read_bytes() + logs[1].read_bytes())
    report = put(store, both, "prod", relabel=True)
    assert (report.indexed, report.duplicates, report.relabelled) == (3, 4, 4)
    assert set(names(store).values()) == {"prod"}


def test_relabel_that_is_killed_leaves_the_old_names(
    tmp_path: Path, logs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EmbeddedStore(tmp_path / "store")
    put(store, logs[0])
    before = names(store)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writers, "write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            put(store, logs[0], "prod", relabel=True)
    assert names(store) == before
    report = put(store, logs[0], "prod", relabel=True)
    assert report.relabelled == 4
    assert names(store) == dict.fromkeys(before, "prod")
    listed = json.loads((tmp_path / "store" / "manifest.json").read_text("utf-8"))["parts"]
    assert len(list((tmp_path / "store" / "events").rglob("*.parquet"))) == len(listed)


def test_summaries_of_relabelled_days_are_made_anew(
    tmp_path: Path, logs: tuple[Path, Path]
) -> None:
    store = EmbeddedStore(tmp_path / "store")
    put(store, logs[1])
    assert baseline_clusters(store) == (2, {None})
    assert baseline_clusters(store) == (0, {None})
    put(store, logs[1], "prod", relabel=True)
    assert baseline_clusters(store) == (2, {"prod"})


def baseline_clusters(store: EmbeddedStore) -> tuple[int, set[Any]]:
    """How many days were summarized, and the cluster names in their summaries."""
    with store.engine() as engine:
        summaries = engine.summaries()
        assert summaries is not None
        days = completed_days(summaries)
        made = SummaryEngine(engine, summaries, ()).make(BY_CLUSTER, days)
        rows = summaries.load(digest_of(BY_CLUSTER), days).values()
        return made, {row[0] for of_day in rows for row in of_day}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--relabel"], "--relabel needs the name of the cluster"),
        (["--relabel", "--cluster", "prod", "--state", "state.json"], "from the start"),
        (["--relabel", "--cluster", "prod", "--follow"], "from the start"),
    ],
)
def test_relabel_is_refused_where_it_would_change_nothing(
    tmp_path: Path, logs: tuple[Path, Path], words: list[str], message: str
) -> None:
    ended = run("ship", logs[0], "--store", tmp_path / "store", *words)
    assert ended.exit_code == 2
    assert message in re.sub(r"\s+", " ", ended.stderr)
    assert not (tmp_path / "store").exists()


def test_summary_of_a_relabelling_run_counts_the_changed_events(
    tmp_path: Path, logs: tuple[Path, Path]
) -> None:
    store = tmp_path / "store"
    run("ship", logs[0], "--store", store)
    named = run("ship", logs[0], "--store", store, "--cluster", "prod")
    assert "--relabel does" in named.stderr
    ended = run("ship", logs[0], "--store", store, "--cluster", "prod", "--relabel", "-o", "json")
    assert ended.exit_code == 0
    assert "Relabelled: 4 stored events of 4 duplicates" in ended.stderr
    counts = json.loads(ended.stdout)
    assert (counts["read"], counts["duplicates"], counts["relabelled"]) == (4, 4, 4)


def test_cluster_relabels_the_documents_of_the_input_only(
    cluster: Cluster, prefix: str, tmp_path: Path, logs: tuple[Path, Path]
) -> None:
    for log in logs:
        shipped(cluster.url, prefix, log, folder=tmp_path)
    before = rows(cluster, prefix)
    report = shipped(cluster.url, prefix, logs[0], folder=tmp_path, cluster="prod", relabel=True)
    assert (report.indexed, report.duplicates, report.relabelled) == (0, 4, 4)
    after = rows(cluster, prefix)
    assert {key: row for key, row in after.items() if row["user.username"] == "bob"} == {
        key: row for key, row in before.items() if row["user.username"] == "bob"
    }
    assert [row.pop(CLUSTER) for row in after.values() if row["user.username"] != "bob"] == [
        "prod"
    ] * 4
    assert after == before
    again = shipped(cluster.url, prefix, logs[0], folder=tmp_path, cluster="prod", relabel=True)
    assert (again.duplicates, again.relabelled) == (4, 0)
