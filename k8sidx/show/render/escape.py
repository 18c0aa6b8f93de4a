"""Escaping of attacker-controlled text for each output medium.

Everything in an audit log was written by a client: a user agent can contain terminal
escapes, spreadsheet formulas, table borders or HTML. There is one function per medium,
and each makes what it disarms visible instead of dropping it. HTML is escaped by the
templates (:mod:`k8sidx.show.render.page`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Characters that start a formula in a spreadsheet (OWASP, "CSV Injection"), and the
# full-width forms that some spreadsheets treat alike.
_FORMULA = re.compile(r"[\s\x00-\x20]*[=+\-@＝＋－＠]|[\t\r\n]")
# Separators that a spreadsheet of another locale would split at are quoted too.
_CSV_QUOTED = re.compile(r"[\",;]|^ | $")
_MARKDOWN = re.compile(r"[\\`*_\[\]|~#!$]")
_AUTOLINK = re.compile(r"(?i)(://)|(www)\.")
_BEYOND_ASCII = re.compile(r"[^\n\x20-\x7e]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """Return one line of printable text; anything else becomes a backslash escape.

    Control characters (C0, C1), line breaks, invisible and bidirectional format
    characters, lone surrogates and unassigned code points become ``\\x1b``,
    ``\\u202e``, ``\\U000e0041``; letters of all scripts stay. Safe on a terminal.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def csv_cell(value: str | float | bool | None) -> str:
    """Return a cell of an RFC 4180 file, quoted if needed, that no spreadsheet evaluates.

    Text that begins like a formula (also after blanks) gets a leading ``'``; numbers
    stay numbers. Line breaks and control characters become escapes.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = visible(value)
    if _FORMULA.match(value):
        text = f"'{text}"
    if _CSV_QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def markdown_text(text: str) -> str:
    """Return text for a Markdown paragraph or table cell: no markup, link, HTML or cell border.

    A renderer that detects e-mail addresses may still link one.
    """
    escaped = _MARKDOWN.sub(r"\\\g<0>", visible(text))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _AUTOLINK.sub(lambda m: r":\/\/" if m[1] else rf"{m[2]}\.", escaped)


def iso_time(moment: datetime) -> str:
    """Return ISO-8601 in UTC with microseconds and ``Z``, as the API server writes times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def json_text(data: object) -> str:
    """Return indented JSON that every parser accepts: valid UTF-8, no NaN, times in ISO-8601.

    Lone surrogates become U+FFFD. Unprintable characters become ``\\uXXXX``: a parser
    restores them, a terminal does not act on them.
    """
    return _dumped(data, indent=2)


def json_line(data: object) -> str:
    """Return the same on one line, for a cell."""
    return _dumped(data, indent=None)


def _dumped(data: object, indent: int | None) -> str:
    text = json.dumps(_json_value(data), ensure_ascii=False, allow_nan=False, indent=indent)
    return _BEYOND_ASCII.sub(_json_character, text)


def _json_character(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _json_value(data: object) -> Any:
    if isinstance(data, str):
        return _SURROGATE.sub("\ufffd", data)
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, datetime):
        return iso_time(data)
    if isinstance(data, Mapping):
        return {str(_json_value(str(key))): _json_value(value) for key, value in data.items()}
    if isinstance(data, Sequence):
        return [_json_value(item) for item in data]
    if data is None or isinstance(data, bool | int):
        return data
    raise TypeError(f"{type(data).__name__} cannot be written as JSON")
