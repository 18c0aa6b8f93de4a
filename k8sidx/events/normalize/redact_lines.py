"""Redaction of the lines of a text: configuration files, scripts, manifests that cannot be parsed.

A line that assigns a value to a name that says secret loses the value: ``password: …``,
``DB_PASSWORD=…``, ``<password>…</password>``, also where the value stands on the lines below.
"""

from __future__ import annotations

import re

import re2  # type: ignore[import-untyped]

from k8sidx.events.normalize.redact_marks import MARK
from k8sidx.events.normalize.redact_names import (
    is_plain,
    is_secret_member,
    is_secret_name,
    plain_letters,
)

_NAMES = (
    "pass", "pwd", "pw", "psk", "dsn", "secret", "token", "key", "credential", "auth", "bearer",
    "cookie", "jwt", "mnemonic", "netrc", "str", "string", "kubeconfig", "data", "init", "config",
)  # fmt: skip
ASSIGNED_HINTS = (*_NAMES, "dockerc")
"""One of these, in letters of either case, is in every text that :func:`introduces_values`."""
_INTRODUCED = (
    rf"(?im)(?:{'|'.join(_NAMES)}|dockerc\w+)[\w. -]{{0,24}}(?:\\*[\"'])?"
    r"[\s\v\x1c-\x1f]*(?:[:=>,}]|$)"
)
_INTRODUCED_ANYWHERE = re.compile(_INTRODUCED)
_INTRODUCED_IN_ASCII = re2.compile(_INTRODUCED.encode())
"""The same; :mod:`re` takes a microsecond for each character."""
_LINE = re.compile(
    r"([ \t]*(?:[-*+?] +|# *)*(?:export +|set +|env +|ENV +|ARG +|-D|-e +|--)?[\"']?)"
    r"([\w./-]+(?: [\w./-]+){0,2})"
    r"([\"']?[ \t]*(?:=>|:=|=|:(?=[\s\"']|$))[ \t]*)(.*)"
)
_BLOCK = re.compile(r"(?:[!&][\w!/.:-]*\s*)*(?:[|>][-+0-9]*)?\s*(?:#.*)?")
_COMPLEX_KEY = re.compile(r"\s*\?\s+[\"']?([\w./-]+)[\"']?\s*")
_INLINE = re.compile(
    r"([{,;(&?=]\s*[\"']?)([\w.-]+)([\"']?\s*(?:=|:(?=[\s\"']))\s*)([^,;{}\[\]&\n]+)"
)
_ELEMENT = re.compile(r"(<(?:\w+:)?([\w.-]+)(?:\s[^<>]*)?>)([^<>]+)(?=</)")
LONGEST = 1024 * 1024
"""Characters of a text that are looked at line by line."""


def introduces_values(text: str) -> bool:
    """Whether a text may assign a value to a name that says secret."""
    # Most texts are words and names; a search for one character takes no time.
    text = plain_letters(text)
    has_mark = ":" in text or "=" in text or "<" in text
    if not has_mark:
        return False
    if text.isascii():
        return _INTRODUCED_IN_ASCII.search(text.encode()) is not None
    return _INTRODUCED_ANYWHERE.search(text) is not None


def redact_lines(text: str) -> str:
    """Return a text without the values that its lines assign to secret names; the same text when
    there are none."""
    if len(text) > LONGEST:
        return text
    lines = text.split("\n")
    is_whole = len(lines) == 1
    below: int | None = None
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" \t"))
        if below is not None:
            stripped = line.strip()
            if not stripped:
                continue
            if indent > below or (indent == below and stripped.startswith("- ")):
                if MARK not in line:
                    lines[number] = line[:indent] + MARK
                continue
            below = None
        before = _COMPLEX_KEY.fullmatch(lines[number - 1]) if number else None
        if before and line.lstrip()[:1] == ":" and is_secret_name(before[1]):
            lines[number] = f"{line[:indent]}: {MARK}"
            continue
        match = _LINE.fullmatch(line)
        if match is None or not is_secret_name(match[2]):
            lines[number] = _redact_inline(line)
            continue
        value = match[4]
        if not is_whole and _BLOCK.fullmatch(value) and ":" in match[3]:
            below = indent
        elif not (is_whole and ":" in match[3] and re.search(r"\s", value.strip())):
            lines[number] = _without_value(match, line)
    redacted = "\n".join(lines)
    return text if redacted == text else redacted


def _without_value(match: re.Match[str], line: str) -> str:
    value = match[4].strip().strip("\"',;")
    if value.startswith(MARK[:-1]) or is_plain(value) or value[:1] in ("{", "["):
        return _redact_inline(line)
    if not is_secret_member(match[2], value):
        return line
    return f"{match[1]}{match[2]}{match[3]}{MARK}"


def _redact_inline(line: str) -> str:
    if "<" in line:
        line = _ELEMENT.sub(_masked_element, line)
    return _INLINE.sub(_masked_member, line)


def _masked_element(match: re.Match[str]) -> str:
    opening, name, value = match.groups()
    return f"{opening}{MARK}" if is_secret_member(name, value.strip()) else match[0]


def _masked_member(match: re.Match[str]) -> str:
    before, name, equals, value = match.groups()
    quoted = value.strip().strip("\"'")
    if "[redacted" in value or not is_secret_member(name, quoted):
        return match[0]
    return f"{before}{name}{equals}{MARK}"
