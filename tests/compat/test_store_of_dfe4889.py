"""A store that commit dfe4889 made answers as it did, and what was kept in it is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard

from tests.compat.library import answers
from tests.compat.old_store import (
    COMMANDS,
    LIBRARY,
    LOG,
    SAVING,
    answer_of,
    asked,
    copied,
    saved_findings,
    summaries,
)
from tests.compat.running import k8sidx, kept, printed

DAYS = 4
SUMMED = ",4,0,0,2026-11-18,2026-11-21"
PLACES = {
    "credential_impossible_travel",
    "impossible_travel",
    "new_source_country",
    "new_source_provider",
}
"""Hunts that are new, and read columns that the store lacks."""
OTHER_QUESTION = PLACES | {
    "debug_image_pod",
    "forbidden_surge",
    "identity_foreign_caller",
    "new_source_network",
    "new_user_agent",
    "secret_access_new_caller",
    "service_account_forbidden",
    "service_account_rare_operation",
    "workload_change_new_caller",
}
"""Hunts that tell callers apart since, or denials without a code: their days are counted anew."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_what_it_did(name: str, tmp_path: Path) -> None:
    copied(tmp_path)
    assert asked(tmp_path, COMMANDS[name]) == answer_of(name)


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_answers_as_it_did(name: str, tmp_path: Path) -> None:
    """Summaries of a question that is named otherwise now are made anew, and no others."""
    store = copied(tmp_path)
    before = summaries(store)
    assert answers(asked(tmp_path, LIBRARY[name])) == kept(name)
    after = summaries(store)
    assert before.items() <= after.items(), "summaries were made anew"
    assert len(after) - len(before) <= DAYS * len(OTHER_QUESTION), "summaries were made"


def test_hunts_that_read_newer_columns_cannot_judge_until_it_is_migrated(tmp_path: Path) -> None:
    """A column that is missing is not one without values: that would be a silent all-clear."""
    copied(tmp_path)
    results = json.loads(asked(tmp_path, LIBRARY["library"]))
    refused = {
        result["hunt"]
        for result in results
        if any("does not have" in gap["reason"] for gap in result["cannot_judge"])
    }
    assert {"cloud_identity_bound", "ingress_injection"} <= refused
    assert len(refused) < len(results) / 10
    asked(tmp_path, ("ship", str(LOG), "-o", "json"))
    assert k8sidx(tmp_path, *LIBRARY["library"], "--store", "store").exit_code == 0


def test_no_summary_is_missing(tmp_path: Path) -> None:
    """A question's digest names its summaries: with another one they would be lost, and the
    hunt's days would be counted here."""
    store = copied(tmp_path)
    before = summaries(store)
    assert before
    update = ("baseline", "update", "-o", "csv", "--store", "store")
    lines = printed(tmp_path, *update, code=3).splitlines()[1:]
    made = {line.partition(",")[0] for line in lines if not line.endswith(SUMMED)}
    assert made == OTHER_QUESTION
    assert before.items() <= summaries(store).items()
    again = printed(tmp_path, *update, code=3).splitlines()[1:]
    behind = [line.partition(",")[0] for line in again if not line.endswith(SUMMED)]
    assert set(behind) == PLACES | {"new_source_network"}, "the store lacks their columns"


def test_other_summaries_are_made_where_a_hunt_reads_a_newer_column(tmp_path: Path) -> None:
    """The hunt is named, and the exit code shows it."""
    copied(tmp_path)
    result = k8sidx(tmp_path, "baseline", "update", "-o", "csv", "--store", "store")
    assert result.exit_code == 3
    assert "new_source_network" in result.stderr
    assert "does not have source.network" in result.stderr


@pytest.mark.parametrize("hunt", ["topn_user_agent", "topn_source_ip", "new_user_agent"])
def test_the_summaries_are_what_is_asked(hunt: str, tmp_path: Path) -> None:
    """Without a row in them there is another answer: the events are not counted again."""
    store = copied(tmp_path)
    nothing = zstandard.compress(b"[]")
    for path in (store / "summaries").rglob("*.json.zst"):
        path.write_bytes(nothing)
    assert asked(tmp_path, COMMANDS[hunt]) != answer_of(hunt)


def test_findings_keep_their_ids(tmp_path: Path) -> None:
    store = copied(tmp_path)
    before = saved_findings(store)
    assert before
    asked(tmp_path, SAVING)
    after = saved_findings(store)
    assert before.keys() <= after.keys()
    changed = [
        key for name, (_, key) in after.items() if before.get(name, after[name]) != after[name]
    ]
    assert [key for key in changed if "impersonatedUser.username" not in key] == []


def test_its_events_are_known(tmp_path: Path) -> None:
    """What is shipped into it again is there already; the first time migrates its parts."""
    store = copied(tmp_path)
    told = asked(tmp_path, ("ship", str(LOG), "-o", "json"))
    assert '"indexed": 0,' in told
    files = sorted((store / "events").rglob("*.parquet"))
    assert '"indexed": 0,' in asked(tmp_path, ("ship", str(LOG), "-o", "json"))
    assert sorted((store / "events").rglob("*.parquet")) == files
