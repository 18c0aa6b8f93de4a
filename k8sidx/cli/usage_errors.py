"""Errors of the command line in words of its user, instead of a library's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from k8sidx.config_file import nearest

_NOT_A_CHOICE = re.compile(r"'(.*)' is not one of (.*)")
_WORDS = (
    (re.compile(r"^(Value|Assertion) error, "), ""),
    (re.compile(r"^Input should be a valid integer.*"), "it is not a whole number."),
    (re.compile(r"^Input should be a valid number.*"), "it is not a number."),
    (re.compile(r"^Input should be greater than or equal to (\S+)"), r"it is less than \1."),
    (re.compile(r"^Input should be less than or equal to (\S+)"), r"it is greater than \1."),
    (re.compile(r"^Input should be "), "it is not "),
)


def readable(message: str) -> str:
    """Return a message about an invalid value without a library's words.

    The nearest of the valid values is added.
    """
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    if match := _NOT_A_CHOICE.fullmatch(message.rstrip(".")):
        choices = [choice.strip().strip("'") for choice in match[2].split(",")]
        return f"{match[1]!r} is not a valid value. {nearest(match[1], choices, 'Values')}"
    return message


def with_commands(message: str, commands: Sequence[str]) -> str:
    """Return a message about an unknown command of a group, with those that exist."""
    if "Did you mean" in message:
        return message
    return f"{message} Commands: {', '.join(commands)}."
