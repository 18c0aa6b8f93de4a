"""Prompt of ``k8sidx query``: directives and queries, and a session on a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.backends.open import open_store
from k8sidx.backends.protocol import EXACT
from k8sidx.cli.prompt.command import PromptInterpreter
from k8sidx.cli.query_session import QuerySession
from k8sidx.show.render.formats.registry import Output
from tests.cli.terminal import k8sidx_on_terminal

COUNT = "stats count(*) as n"


@pytest.fixture
def interpreter(store: Path) -> PromptInterpreter:
    session = QuerySession(None, None, EXACT, Output.CSV, chart=False, quiet=True)
    return PromptInterpreter(session, open_store(str(store)))


def test_the_prompt_runs_a_query(
    interpreter: PromptInterpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpreter.interpret(COUNT)
    assert capsys.readouterr().out == "n\n7\n"


@pytest.mark.parametrize("word", ["exit", "quit", ".exit", "\\q"])
def test_exit_words_end_the_prompt(interpreter: PromptInterpreter, word: str) -> None:
    assert not interpreter.interpret(word)


def test_an_error_does_not_end_the_prompt(
    interpreter: PromptInterpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (
        "filter vreb = 1",
        "@none-such",
        ".nonsense",
        ".output xml",
        ".since x",
        ".chart x",
    ):
        assert interpreter.interpret(wrong)
        told = capsys.readouterr().err
        assert told.startswith("k8sidx: ")
        assert ("^" in told) is (wrong == "filter vreb = 1")


def test_directives_apply_to_later_queries(
    interpreter: PromptInterpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (".output json", ".since 2024-05-01T10:00:05Z", COUNT):
        interpreter.interpret(text)
    assert '"rows": [\n    [\n      2\n' in capsys.readouterr().out
    for text in (".since", ".until 2024-05-01T10:00:01Z", ".output csv", COUNT):
        interpreter.interpret(text)
    assert capsys.readouterr().out == "n\n1\n"
    for text in (".until", ".chart on", COUNT):
        interpreter.interpret(text)
    assert "█" in capsys.readouterr().out


def test_an_invalid_time_leaves_the_settings_unchanged(
    interpreter: PromptInterpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (".since soon", COUNT):
        interpreter.interpret(text)
    assert capsys.readouterr().out == "n\n7\n"


def test_help_lists_directives_and_explain_shows_plans(
    interpreter: PromptInterpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    interpreter.interpret(".help")
    assert ".since" in capsys.readouterr().err
    interpreter.interpret(f".explain {COUNT}")
    assert capsys.readouterr().out


def test_the_prompt_runs_saved_queries_by_name(
    interpreter: PromptInterpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    interpreter.interpret("@top-user-agents")
    assert "kubectl/v1.30.0,5" in capsys.readouterr().out


@pytest.mark.usefixtures("store")
def test_a_session_on_a_terminal(here: Path) -> None:
    with k8sidx_on_terminal("query", "-q") as terminal:
        terminal.until("query>")
        terminal.type('stats count(*) as events by userAgent | filter events > 0 and verb = "')
        terminal.type("\x03")
        terminal.until("query>")
        terminal.type('filter userAgent = "ku')
        terminal.until("kubectl/v1.30.0")  # The menu.
        terminal.type("\t")
        terminal.until('bectl/v1.30.0"')  # What is typed, made whole.
        terminal.type("\r| stats count(*) * 1000 as taken\r")
        terminal.until("5,000")
        terminal.until("query>")
        terminal.type("filter vreb = 1\r")
        terminal.until("^")
        terminal.until("query>")
        terminal.type("stats count(*) as events by userAgent\r")
        terminal.until("evil\\x1b[2J\\u202e")
        terminal.until("query>")
        terminal.type("\x04")
        assert terminal.ended() == 0
    history = here.parent / "home" / ".local" / "state" / "k8sidx" / "query-history"
    assert "stats count(*) as events by userAgent" in history.read_text()
