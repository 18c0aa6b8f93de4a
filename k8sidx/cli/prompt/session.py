"""Prompt loop: reads queries, runs each, until the input ends."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from k8sidx.cli.prompt.context import context_of

PROMPT = "query> "
_GOES_ON = ("|", ",")
"""Line endings after which a query continues on the next line."""


def interact(
    run: Callable[[str], bool],
    completer: Completer,
    history: History,
    on_stop: Callable[[], None],
) -> None:
    """Read queries until ``run`` returns false or the input ends (Ctrl-D).

    Ctrl-C discards the typed text or cancels the running query.

    :param run: runs one query; true when another may follow.
    :param on_stop: called when Ctrl-C has cancelled a query.
    """
    session: PromptSession[str] = PromptSession(
        PROMPT,
        multiline=True,
        prompt_continuation=" " * len(PROMPT),
        key_bindings=_keys(),
        completer=completer,
        complete_while_typing=True,
        complete_in_thread=True,
        history=history,
        auto_suggest=AutoSuggestFromHistory(),
    )
    while True:
        try:
            text = session.prompt().strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not text:
            continue
        try:
            if not run(text):
                return
        except KeyboardInterrupt:
            on_stop()


def is_whole(text: str) -> bool:
    """Whether the query is complete, so that Enter runs it.

    An empty line ends any query, so that no one is trapped in an open quote.
    """
    if text.endswith("\n"):
        return True
    context = context_of(text)
    return not context.quote and not text.rstrip().endswith(_GOES_ON)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif is_whole(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline()

    return keys
