"""Syntactic context of the cursor in an incomplete query."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"(?:`(?P<quoted>[^`\n]+)`|(?P<plain>[\w@.][\w@./-]*))"
_COMPARED = re.compile(_NAME + r"\s*(?:=|==|!=|<|<=|>|>=)\s*$")
_LIKE = re.compile(_NAME + r"\s+(?:not\s+)?like\s*$", re.IGNORECASE)
_IN = re.compile(_NAME + r"\s+(?:not\s+)?in\s*\[[^\]\[]*$", re.IGNORECASE)
_WORD = re.compile(r"[\w@./-]*$")
_ALIAS = re.compile(r"\bas\s+((?:`[^`\n]+`|\w+)(?:\s*,\s*(?:`[^`\n]+`|\w+))*)", re.IGNORECASE)
_OPENS_COMMAND = re.compile(r"(?:^|\|)\s*$")
_REGEX_NEXT = re.compile(r"(?:\blike|=~|!~|(?:^|\|)\s*parse\s+\S+)\s*$", re.IGNORECASE)
"""Text before a slash that opens a regular expression; any other slash divides."""
_COMMAND = re.compile(r"(?:^|\|)\s*([A-Za-z]+)[^|]*$")


@dataclass(frozen=True, slots=True)
class Context:
    """Context of the cursor, derived from the text before it.

    :param quote: the open quote, if any: ``"``, ``'``, a backquote, or the slash
        of a regular expression.
    :param begun: the part already typed of the next word, or of the text after the open quote.
    :param compared: in an open literal: the field that it is compared with.
    :param command: the command around the cursor; empty where one may begin.
    :param comment: whether the cursor is in a comment, where nothing is completed.
    """

    quote: str
    begun: str
    compared: str
    command: str
    comment: bool


def context_of(before: str) -> Context:
    """Return the context at the end of ``before``."""
    code, quote, inside, comment = _scanned(before)
    if quote:
        return Context(quote, inside, _compared(code), _command(code), False)
    word = _WORD.search(code)
    begun = word[0] if word else ""
    rest = code[: len(code) - len(begun)]
    return Context("", begun, "", _command(rest), comment)


def aliases_in(text: str) -> list[str]:
    """Return the names defined with ``as`` in the text, each once."""
    aliases: dict[str, None] = {}
    for match in _ALIAS.finditer(text):
        for name in match[1].split(","):
            aliases[name.strip().strip("`")] = None
    return list(aliases)


def _command(code: str) -> str:
    if _OPENS_COMMAND.search(code):
        return ""
    match = _COMMAND.search(code)
    return match[1].lower() if match else ""


def _compared(code: str) -> str:
    for form in (_COMPARED, _LIKE, _IN):
        if match := form.search(code):
            return match["quoted"] or match["plain"]
    return ""


def _opens_regex(character: str, code: list[str]) -> bool:
    return character == "/" and bool(_REGEX_NEXT.search("".join(code)))


def _scanned(text: str) -> tuple[str, str, str, bool]:
    """Return the code without comments up to an open quote, that quote, the text after it,
    and whether the end is in a comment. Bars and brackets inside literals are blanked."""
    code: list[str] = []
    quote, start, comment, at = "", 0, False, 0
    while at < len(text):
        character = text[at]
        if comment:
            comment = character != "\n"
        elif not quote and character == "#":
            comment = True
        elif not quote and (character in "\"'`" or _opens_regex(character, code)):
            quote, start = character, at + 1
        elif quote and character == "\\" and quote != "`":
            at += 1
        elif quote and character == quote:
            inside = text[start:at]
            code.append(f"`{inside}`" if quote == "`" else '""')
            quote = ""
        elif not quote:
            code.append(character)
        at += 1
    return "".join(code), quote, text[start:] if quote else "", comment
