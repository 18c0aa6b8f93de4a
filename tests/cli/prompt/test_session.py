"""Keys and history of the prompt."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from k8sidx.backends.durable import user_state_folder
from k8sidx.cli.prompt.history import kept_history
from tests.cli.prompt.conftest import CTRL_C, CTRL_D, ENTER, ESC_ENTER, Typed


def test_enter_runs_the_query_and_the_session_continues(typed: Typed) -> None:
    assert typed(f"one{ENTER}two{ENTER}{CTRL_D}") == ["one", "two"]


def test_a_line_ending_with_a_bar_continues_on_the_next(typed: Typed) -> None:
    assert typed(f"fields verb |{ENTER}limit 3{ENTER}{CTRL_D}") == ["fields verb |\nlimit 3"]


def test_escape_and_enter_is_a_new_line(typed: Typed) -> None:
    assert typed(f"fields verb{ESC_ENTER}| limit 3{ENTER}{CTRL_D}") == ["fields verb\n| limit 3"]


def test_an_empty_line_ends_an_incomplete_query(typed: Typed) -> None:
    assert typed(f'filter verb = "{ENTER}{ENTER}{CTRL_D}') == ['filter verb = "']


def test_empty_input_runs_no_query(typed: Typed) -> None:
    assert typed(f"{ENTER}  {ENTER}{CTRL_D}") == []


def test_ctrl_c_discards_the_typed_text(typed: Typed) -> None:
    assert typed(f"dropped{CTRL_C}kept{ENTER}{CTRL_D}") == ["kept"]


def test_ctrl_c_cancels_the_query_and_not_the_session(typed: Typed) -> None:
    assert typed(f"interrupt{ENTER}next{ENTER}{CTRL_D}") == ["interrupt", "(stopped)", "next"]


def test_the_session_ends_on_exit_commands(typed: Typed) -> None:
    assert typed(f"exit{ENTER}never{ENTER}") == ["exit"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "k8sidx" / "query-history"


def test_history_is_kept_between_sessions(typed: Typed, state: Path) -> None:
    typed(f"stats count(*){ENTER}{CTRL_D}", history=kept_history())
    assert list(kept_history().load_history_strings()) == ["stats count(*)"]
    assert state.exists()


def test_only_the_owner_reads_the_history(state: Path) -> None:
    kept_history()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    state.chmod(0o644)
    kept_history()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_history_file_is_recreated_when_deleted(typed: Typed, state: Path) -> None:
    history = kept_history()
    state.unlink()
    typed(f"one{ENTER}{CTRL_D}", history=history)
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert list(kept_history().load_history_strings()) == ["one"]


def test_history_lasts_for_the_session_when_it_cannot_be_saved(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    history = kept_history()
    assert typed(f"one{ENTER}{CTRL_D}", history=history) == ["one"]
    assert history.get_strings() == ["one"]


def test_a_relative_state_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert user_state_folder() == Path.home() / ".local" / "state" / "k8sidx"
