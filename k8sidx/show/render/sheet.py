"""Tables to print, and their values as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from k8sidx.backends.result import Value
from k8sidx.show.render.escape import iso_time, json_line

_QUALIFIED = re.compile(r"(.*?)( of | without |$)(.*)")
"""A noun, and what qualifies it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns and rows under a title.

    :param level: Sigma level of the rows; colours the title on a terminal.
    :param notes: sentences that qualify the rows.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]
    title: str = ""
    level: str = ""
    notes: tuple[str, ...] = ()

    def is_number(self, position: int) -> bool:
        """Whether all values of the column, missing ones aside, are numbers."""
        values = [row[position] for row in self.rows if row[position] is not None]
        return bool(values) and all(is_number(value) for value in values)


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def readable(value: Value) -> str:
    """Return a value for people: thousands separated, times to the second, lists joined.

    The text is not escaped; escape it for the medium.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1_000_000 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return readable_time(value)
    if isinstance(value, list):
        return ", ".join(readable(item) for item in value)
    return value


def readable_time(moment: datetime | None) -> str:
    """Return ``2024-05-01 10:22:03Z``; empty without a time."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(" ", timespec="seconds").replace("+00:00", "Z")


def plain(value: Value) -> str | int | float | bool | None:
    """Return a value for machines: times in ISO-8601 with microseconds, lists as JSON."""
    if isinstance(value, datetime):
        return iso_time(value)
    if isinstance(value, list):
        return json_line(value)
    return value


def quantity(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 finding``, ``1,234 findings``, ``2 entries of a log``."""
    return f"{count:,} {noun if count == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    head, preposition, rest = _QUALIFIED.fullmatch(noun).groups()  # type: ignore[union-attr]
    if head == "JSON":
        return noun
    plural = f"{head[:-1]}ies" if re.search("[^aeiou]y$", head) else f"{head}s"
    return f"{plural}{preposition}{rest}"
