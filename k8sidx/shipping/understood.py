"""Inputs of which nothing was understood: something was read, and no record was an audit event.

An all-clear is a statement about events that were read. A run over such an input makes none,
so it does not end with exit code 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from k8sidx.errors import Where

EXAMPLE_LENGTH = 80
"""Characters of a record that are shown as an example."""


class Example(NamedTuple):
    """A record that was skipped.

    :param text: how it begins; empty when it is not text.
    """

    where: Where
    text: str = ""


def example_of(where: Where, record: bytes) -> Example:
    """Return a record as an example."""
    text = record[: 4 * EXAMPLE_LENGTH].decode("utf-8", "replace").strip("\ufeff \t\r\n")
    return Example(where, text[:EXAMPLE_LENGTH])


@dataclass(slots=True)
class NotUnderstood:
    """An input of which nothing was understood.

    :param input: as the user named it.
    :param skipped: what was in it instead of audit events, by kind.
    :param examples: a record of each kind.
    """

    input: str
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)


class Understanding:
    """Collects by source whether anything was understood.

    :param sources: names of the sources that each input leads to.
    """

    def __init__(self, sources: Mapping[str, Sequence[str]]) -> None:
        self._inputs = {name: given for given, names in sources.items() for name in names}
        self._given = tuple(sources)
        self._skipped: dict[str, NotUnderstood] = {}
        self._understood: set[str] = set()

    def understood(self, source: str) -> None:
        """Record that an event, or a record that should have been one, came from a source."""
        self._understood.add(source)

    def skipped(
        self, source: str, kinds: Mapping[str, int], examples: Mapping[str, Example]
    ) -> None:
        """Record what was skipped of a source."""
        if not kinds:
            return
        entry = self._skipped.setdefault(source, NotUnderstood(source))
        entry.skipped.update(kinds)
        for kind, example in examples.items():
            entry.examples.setdefault(kind, example)

    def not_understood(self) -> list[NotUnderstood]:
        """Return the inputs of which something was read and nothing understood."""
        understood = {self._input(source) for source in self._understood}
        inputs: dict[str, NotUnderstood] = {}
        for source, entry in self._skipped.items():
            given = self._input(source)
            if given in understood:
                continue
            whole = inputs.setdefault(given, NotUnderstood(given))
            whole.skipped.update(entry.skipped)
            whole.examples = entry.examples | whole.examples
        return list(inputs.values())

    def _input(self, source: str) -> str:
        """Return the input that leads to a source; that of an archive for one of its members."""
        given = self._inputs.get(source)
        if given is not None:
            return given
        names = [name for name in self._inputs if source.startswith(name)]
        return self._inputs[max(names, key=len)] if names else ", ".join(self._given)
