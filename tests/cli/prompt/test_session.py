"""The prompt: what its keys do."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from k8sidx.cli.prompt.history import kept_history, state_folder
from tests.cli.prompt.conftest import CTRL_C, CTRL_D, ENTER, ESC_ENTER, Typed


def test_enter_asks_and_the_session_goes_on(typed: Typed) -> None:
    assert typed(f"one{ENTER}two{ENTER}{CTRL_D}") == ["one", "two"]


def test_a_line_that_ends_with_a_bar_goes_on_in_the_next(typed: Typed) -> None:
    assert typed(f"fields verb |{ENTER}limit 3{ENTER}{CTRL_D}") == ["fields verb |\nlimit 3"]


def test_escape_and_enter_is_a_new_line(typed: Typed) -> None:
    assert typed(f"fields verb{ESC_ENTER}| limit 3{ENTER}{CTRL_D}") == ["fields verb\n| limit 3"]


def test_an_empty_line_ends_what_would_not_end(typed: Typed) -> None:
    assert typed(f'filter verb = "{ENTER}{ENTER}{CTRL_D}') == ['filter verb = "']


def test_nothing_typed_is_nothing_asked(typed: Typed) -> None:
    assert typed(f"{ENTER}  {ENTER}{CTRL_D}") == []


def test_ctrl_c_drops_what_is_typed(typed: Typed) -> None:
    assert typed(f"dropped{CTRL_C}kept{ENTER}{CTRL_D}") == ["kept"]


def test_ctrl_c_stops_a_query_and_not_the_session(typed: Typed) -> None:
    assert typed(f"interrupt{ENTER}next{ENTER}{CTRL_D}") == ["interrupt", "(stopped)", "next"]


def test_the_session_ends_when_it_is_told_to(typed: Typed) -> None:
    assert typed(f"exit{ENTER}never{ENTER}") == ["exit"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "k8sidx" / "query-history"


def test_queries_are_there_again_the_next_time(typed: Typed, state: Path) -> None:
    typed(f"stats count(*){ENTER}{CTRL_D}", history=kept_history())
    assert list(kept_history().load_history_strings()) == ["stats count(*)"]
    assert state.exists()


def test_only_the_owner_reads_the_history(state: Path) -> None:
    kept_history()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    state.chmod(0o644)
    kept_history()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_a_history_that_was_taken_away_is_made_anew(typed: Typed, state: Path) -> None:
    history = kept_history()
    state.unlink()
    typed(f"one{ENTER}{CTRL_D}", history=history)
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert list(kept_history().load_history_strings()) == ["one"]


def test_without_a_place_for_it_the_history_is_the_sessions(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    history = kept_history()
    assert typed(f"one{ENTER}{CTRL_D}", history=history) == ["one"]
    assert history.get_strings() == ["one"]


def test_a_relative_state_folder_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == Path.home() / ".local" / "state" / "k8sidx"
