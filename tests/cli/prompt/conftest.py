"""Fixtures: a prompt without a terminal, with keys from a pipe and output discarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import Completer, DummyCompleter
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from k8sidx.cli.prompt.session import interact

Typed = Callable[..., list[str]]
CTRL_C, CTRL_D, ESC_ENTER, ENTER = "\x03", "\x04", "\x1b\r", "\r"


@contextmanager
def typing(keys: str) -> Iterator[None]:
    """The keys are typed at the prompts in this block."""
    with (
        create_pipe_input() as pipe,
        create_app_session(input=pipe, output=DummyOutput()),
    ):
        pipe.send_text(keys)
        yield


@pytest.fixture
def typed() -> Typed:
    """What a session took as queries from these keys."""

    def type_(
        keys: str, completer: Completer | None = None, history: History | None = None
    ) -> list[str]:
        taken: list[str] = []

        def take(text: str) -> bool:
            taken.append(text)
            if text == "interrupt":
                raise KeyboardInterrupt
            return text != "exit"

        with typing(keys):
            interact(
                take,
                completer or DummyCompleter(),
                history or InMemoryHistory(),
                lambda: taken.append("(stopped)"),
            )
        return taken

    return type_
