"""Saved queries: those that come with k8sidx, those of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate.saved_queries import DOCUMENT, document
from k8sidx.errors import UsageError
from k8sidx.insights.saved.saved import SHIPPED, saved_names, saved_queries, saved_query


def test_every_shipped_query_has_a_title_of_its_own() -> None:
    queries = saved_queries(None)
    assert len(queries) >= 19
    assert all(one.title and one.source == SHIPPED for one in queries)
    assert len({one.title for one in queries}) == len(queries)


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == document(), "run: python -m docs.generate.saved_queries"


def test_a_users_query_goes_before_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "status-codes.cwli").write_text("# Mine\nstats count(*)\n")
    (tmp_path / "mine.cwli").write_text("stats count(*)\n")
    (tmp_path / "notes.txt").write_text("no query")
    (tmp_path / "Not A Word.cwli").write_text("stats count(*)")
    names = saved_names(tmp_path)
    assert set(names) - set(saved_names(None)) == {"mine"}
    assert saved_query("status-codes", tmp_path).title == "Mine"
    mine = saved_query("mine", tmp_path)
    assert (mine.title, mine.source) == ("", str(tmp_path / "mine.cwli"))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "", ".", "notes.txt"])
def test_a_name_is_a_word_and_never_a_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.cwli").write_text("stats count(*)")
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="no query is saved as"):
        saved_query(name, tmp_path / "in")


def test_the_nearest_names_are_told() -> None:
    for name in ("status-code", "stat"):
        with pytest.raises(UsageError, match="@status-codes"):
            saved_query(name, None)


def test_a_folder_or_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none: the folder of saved queries cannot be read"):
        saved_names(tmp_path / "none")
    (tmp_path / "bad.cwli").write_bytes(b"\xff")
    (tmp_path / "folder.cwli").mkdir()
    (tmp_path / "marked.cwli").write_text("# Marked\nlimit 1", "utf-8-sig")
    listed = {one.name: one.title for one in saved_queries(tmp_path)}
    assert listed["bad"] == "(cannot be read: it is not UTF-8 text)"
    assert listed["marked"] == "Marked"
    assert "folder" not in listed
    assert saved_query("marked", tmp_path).text.startswith("#")
    with pytest.raises(UsageError, match=r"bad\.cwli: cannot be read: it is not UTF-8 text"):
        saved_query("bad", tmp_path)
