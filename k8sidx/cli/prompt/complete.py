"""Completion of commands, functions, fields, values and saved queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from k8sidx.cli.prompt.context import Context, aliases_in, context_of
from k8sidx.cli.prompt.field_values import FieldValues, quoted
from k8sidx.events.fields.lookup import ALIASES, BY_NAME, ECS
from k8sidx.insights.language.aggregates import AGGREGATES
from k8sidx.insights.language.ast import COMMANDS
from k8sidx.insights.language.functions import FUNCTIONS
from k8sidx.insights.language.parser import PLAIN_NAME
from k8sidx.show.render.escape import visible

KEYWORDS = ("and", "as", "asc", "by", "desc", "in", "like", "not", "or")
_MOST_OFFERED = 50
"""Maximum number of values in the menu."""
_SHOWN = 60
"""Maximum number of characters of a value in the menu."""


class QueryCompleter(Completer):
    """Completer for query text.

    :param saved: returns the names of the saved queries.
    :param directives: the prompt's directives, with their descriptions.
    """

    def __init__(
        self,
        values: FieldValues,
        saved: Callable[[], list[str]],
        directives: dict[str, str],
    ) -> None:
        self._values = values
        self._saved = saved
        self._directives = directives

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield the completions at the cursor, the likeliest first."""
        before = document.text_before_cursor
        context = context_of(before)
        if context.comment:
            return
        if context.quote == "`":
            text = f"{before}\n{document.text_after_cursor}"
            yield from self._names(context, text, _beginning)
            yield from self._names(context, text, _holding)
        elif context.quote in ("'", '"'):
            yield from self._literals(context, document)
        elif context.quote:
            return
        elif not context.command:
            yield from self._beginnings(context, before)
        elif context.begun or complete_event.completion_requested:
            yield from self._words(context, f"{before}\n{document.text_after_cursor}")

    def _beginnings(self, context: Context, before: str) -> Iterator[Completion]:
        yield from _listed({name: entry.about for name, entry in COMMANDS.items()}, context.begun)
        if before.strip() == context.begun:
            names = {f"@{name}": "saved query" for name in self._saved()}
            if context.begun.startswith("@"):
                yield from _listed(names, context.begun)
            if context.begun.startswith("."):
                yield from _listed(self._directives, context.begun)

    def _words(self, context: Context, text: str) -> Iterator[Completion]:
        yield from self._names(context, text, _beginning)
        if context.command == "stats":
            yield from _listed({f"{n}(": e.about for n, e in AGGREGATES.items()}, context.begun)
        yield from _listed({f"{n}(": e.about for n, e in FUNCTIONS.items()}, context.begun)
        yield from _listed(dict.fromkeys(KEYWORDS, ""), context.begun)
        yield from self._names(context, text, _holding)

    def _names(
        self, context: Context, text: str, matching: Callable[[list[str], str], list[str]]
    ) -> Iterator[Completion]:
        begun = context.begun
        names = dict.fromkeys(aliases_in(text), "in this query")
        names |= {name: field.about for name, field in BY_NAME.items()}
        names |= {name: BY_NAME[meant].name for name, meant in (ALIASES | ECS).items()}
        names |= {
            f"{name}.0": f"first of {name}" for name, field in BY_NAME.items() if field.positions
        }
        for name in matching(list(names), begun):
            written = f"{name}`" if context.quote or not PLAIN_NAME.fullmatch(name) else name
            if not context.quote and written != name:
                written = f"`{written}"
            yield _completion(written, begun, name, names[name])

    def _literals(self, context: Context, document: Document) -> Iterator[Completion]:
        if not context.compared or context.compared in aliases_in(document.text):
            return
        values = self._values.of(context.compared)
        offered = [*_beginning(list(values), context.begun), *_holding(list(values), context.begun)]
        for value in offered[:_MOST_OFFERED]:
            written = quoted(value, context.quote)
            if written is not None:
                yield _completion(written, context.begun, value, "")


def _listed(entries: dict[str, str], begun: str) -> Iterator[Completion]:
    for name in entries:
        if name.lower().startswith(begun.lower()):
            yield _completion(name, begun, name, entries[name])


def _beginning(names: list[str], begun: str) -> list[str]:
    """Return the names with this prefix."""
    return [name for name in names if name.lower().startswith(begun.lower())]


def _holding(names: list[str], begun: str) -> list[str]:
    """Return the names with this text after the start: a field is often known by its last word."""
    return [
        name
        for name in names
        if begun.lower() in name.lower()[1:] and not name.lower().startswith(begun.lower())
    ]


def _completion(written: str, begun: str, shown: str, about: str) -> Completion:
    label = visible(shown)
    if len(label) > _SHOWN:
        label = f"{label[:_SHOWN]}…"
    return Completion(
        written, start_position=-len(begun), display=label, display_meta=visible(about)
    )
