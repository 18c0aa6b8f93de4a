"""An all-clear is of events: how many, of which time, of which clusters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from k8sidx.cli import app
from tests.building import event, write_log

NEVER = ("--since", "2030-01-01T00:00:00Z")
NONE = "no events since 2030-01-01 00:00:00Z; the newest is of 2026-11-23 12:00:00Z"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    for cluster in ("prod-eu", "prod-us", ""):
        log = folder / f"{cluster}.log"
        write_log(log, [event("get", "secrets", user=f"alice{cluster}")])
        run(
            "ship", str(log), "--store", folder / "store", *(["--cluster", cluster] * bool(cluster))
        )
    return folder / "store"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("output", ["table", "csv", "json", "md", "html"])
def test_no_events_in_the_window_is_a_verdict_of_its_own(store: Path, output: str) -> None:
    ended = run("hunt", "--all", *NEVER, "--fail-on", "high", "-q", "-o", output, "--store", store)
    assert ended.exit_code == 4
    assert NONE in ended.stderr
    if output == "json":
        hunts = json.loads(ended.stdout)
        assert {hunt["events_judged"] for hunt in hunts} == {0}
        assert hunts[0]["newest_event"].startswith("2026-11-23T12:00:00")
    elif output != "csv":
        assert "no events since" in ended.stdout


def test_an_all_clear_with_events_ends_with_0(store: Path) -> None:
    ended = run("hunt", "pod_exec", "--fail-on", "low", "-o", "json", "--store", store)
    assert ended.exit_code == 0
    (hunt,) = json.loads(ended.stdout)
    assert hunt["events_judged"] == 3
    assert sorted(hunt["clusters"]) == ["(unnamed)", "prod-eu", "prod-us"]
    assert "3 events judged" in ended.stderr
    assert "3 clusters: " in ended.stderr


def test_files_without_events_are_no_all_clear(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("", "utf-8")
    ended = run("hunt", "pod_exec", "--fail-on", "low", "--input", log)
    assert ended.exit_code == 4


@pytest.mark.parametrize("command", [["hunt", "pod_exec"], ["report"]])
def test_old_data_is_a_failure_where_an_age_is_given(
    store: Path, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*command, "--store", store, "--max-age", "20000d").exit_code == 0
    ended = run(*command, "--store", store, "--max-age", "1h")
    assert ended.exit_code == 4
    assert "the newest event is of 2026-11-23 12:00:00Z" in ended.stderr


@pytest.mark.parametrize(
    ("names", "users"),
    [
        (["prod-eu"], {"aliceprod-eu"}),
        (["prod-*"], {"aliceprod-eu", "aliceprod-us"}),
        (["(unnamed)", "prod-us"], {"alice", "aliceprod-us"}),
        (["dev"], set()),
    ],
)
def test_clusters_are_selected_by_name(store: Path, names: list[str], users: set[str]) -> None:
    options = [word for name in names for word in ("--cluster", name)]
    hunted = run("hunt", "secret_get", *options, "-o", "json", "--store", store)
    found = {finding["actor"] for finding in json.loads(hunted.stdout)[0]["findings"]}
    asked = run(
        "query", "stats count(*) by user.username", *options, "-o", "json", "--store", store
    )
    answer = json.loads(asked.stdout)
    assert found == users == {row[0] for row in answer["rows"]}
    assert answer["events_judged"] == len(users)


def test_a_query_says_what_it_looked_at(store: Path) -> None:
    ended = run("query", "stats count(*)", *NEVER, "-q", "--store", store)
    assert NONE in ended.stderr


def test_a_report_says_what_it_looked_at(store: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    ended = run("report", "-o", page, *NEVER, "-q", "--store", store)
    assert ended.exit_code == 0
    assert NONE in ended.stderr
    assert "No events since" in page.read_text("utf-8")


def test_shipping_again_with_a_name_says_what_it_does_not_change(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    write_log(log, [event()])
    assert "keep the cluster name" not in run("ship", log, "--store", tmp_path / "store").stderr
    named = run("ship", log, "--cluster", "prod", "--store", tmp_path / "store", "-q")
    assert "duplicates (1) keep the cluster name" in named.stderr
    assert "The store also has events of: (unnamed)." in named.stderr


def test_a_cluster_s_baseline_is_summarized_by_itself(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for cluster, user in (("prod", "alice"), ("dev", "bob")):
        log = tmp_path / f"{cluster}.log"
        days = [event(user=user, seconds=day * 86_400) for day in range(-3, 1)]
        write_log(log, [*days, event(user="carol", seconds=5)])
        run("ship", log, "--cluster", cluster, "--store", store)
    hunt = ["new_user_agent", "--since", "2026-11-23T00:00:00Z", "--baseline", "3d"]
    one = ["--cluster", "prod", "--store", store, "-o", "json"]
    alone = json.loads(run("hunt", *hunt, *one).stdout)[0]["findings"]
    for clusters, made in (([], 3), (["--cluster", "dev"], 3), (["--cluster", "prod"], 0)):
        update = ["baseline", "update", "new_user_agent", *clusters, "-o", "json"]
        (line,) = json.loads(run(*update, "--store", store).stdout)
        assert (line["made"], line["behind"]) == (made, 0)
    assert json.loads(run("hunt", *hunt, *one).stdout)[0]["findings"] == alone
    assert [finding["actor"] for finding in alone] == ["carol"]
