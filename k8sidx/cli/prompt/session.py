"""The prompt itself: reads queries, runs each, until there are no more."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from k8sidx.cli.prompt.context import place_of

PROMPT = "query> "
_GOES_ON = ("|", ",")
"""What a line ends with whose query goes on in the next."""


def interact(
    run: Callable[[str], bool],
    completer: Completer,
    history: History,
    on_stop: Callable[[], None],
) -> None:
    """Read queries until ``run`` says that it was the last, or the input ends (Ctrl-D).

    Ctrl-C drops what is typed, or stops the query that runs.

    :param run: answers one; true when another may follow.
    :param on_stop: told when Ctrl-C stopped a query.
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
    """Whether Enter means the query's end: nothing is open, nothing announced.

    An empty line ends any query, so that nobody is caught in a quote.
    """
    if text.endswith("\n"):
        return True
    place = place_of(text)
    return not place.quote and not text.rstrip().endswith(_GOES_ON)


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
