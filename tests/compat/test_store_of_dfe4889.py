"""A store that commit dfe4889 made answers as it did, and what was kept in it is used."""

from __future__ import annotations

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
from tests.compat.running import kept


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_what_it_did(name: str, tmp_path: Path) -> None:
    copied(tmp_path)
    assert asked(tmp_path, COMMANDS[name]) == answer_of(name)


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_answers_as_it_did(name: str, tmp_path: Path) -> None:
    """Summaries of a question that is named otherwise now would be made anew."""
    store = copied(tmp_path)
    before = summaries(store)
    assert answers(asked(tmp_path, LIBRARY[name])) == kept(name)
    assert summaries(store) == before, "summaries were made or made anew"


def test_no_summary_is_missing(tmp_path: Path) -> None:
    """A question's digest names its summaries: with another one they would be lost, and the
    hunt's days would be counted here."""
    store = copied(tmp_path)
    before = summaries(store)
    assert before
    lines = asked(tmp_path, ("baseline", "update", "-o", "csv")).splitlines()[1:]
    assert [line for line in lines if not line.endswith(",4,0,0,2026-11-18,2026-11-21")] == []
    assert summaries(store) == before


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
    assert saved_findings(store) == before


def test_its_events_are_known(tmp_path: Path) -> None:
    """What is shipped into it again is there already."""
    store = copied(tmp_path)
    files = sorted((store / "events").rglob("*.parquet"))
    told = asked(tmp_path, ("ship", str(LOG), "-o", "json"))
    assert '"indexed": 0,' in told
    assert sorted((store / "events").rglob("*.parquet")) == files
