"""Redaction of containers: environment variables, and the words of commands."""

from __future__ import annotations

import re
from typing import Any

from k8sidx.events.normalize.redact_marks import MARK, WORD_MARK, is_mark
from k8sidx.events.normalize.redact_names import is_secret_name
from k8sidx.events.normalize.redact_programs import masked_words, may_be_command
from k8sidx.events.normalize.redact_text import (
    SECRET_NAME,
    introduces_secret,
    redact_programs,
    redact_text,
)

_SECRET_VARIABLE = re.compile(
    SECRET_NAME + r"|auth(?:_|$)|conn(?:ection)?_?str|^(?:set-)?cookie$", re.IGNORECASE
)
_BETWEEN_WORDS = "\x1f"
"""White space to regular expressions that no word of a command has."""


def redact_environment(variables: Any) -> bool:
    """Mask the values of a container's variables whose name says that they are secret."""
    changed = False
    for variable in variables.values() if isinstance(variables, dict) else variables:
        if isinstance(variable, dict) and isinstance(value := variable.get("value"), str):
            if is_mark(value) or not value:
                continue
            name = str(variable.get("name", ""))
            if _SECRET_VARIABLE.search(name) or is_secret_name(name):
                variable["value"] = MARK
                changed = True
            elif (redacted := redact_text(value)) is not value:
                variable["value"] = redacted
                changed = True
    return changed


def redact_arguments(words: list[Any]) -> bool:
    """Mask credentials among the words of a command, in place.

    :returns: whether anything was replaced.
    """
    changed = False
    before: Any = ""
    for index, word in enumerate(words):
        introduced = isinstance(before, str) and introduces_secret(before)
        before = word
        if not isinstance(word, str) or is_mark(word):
            continue
        if introduced and word[:1] != "-" and not introduces_secret(word):
            words[index] = MARK
        else:
            words[index] = redact_text(word)
        changed |= words[index] is not word
    return changed | _redact_across(words)


def redact_command_and_arguments(container: dict[str, Any]) -> bool:
    """Mask credentials among the words of a container's command and arguments, which run as one.

    :returns: whether anything was replaced.
    """
    count = len(container["command"])
    words = [*container["command"], *container["args"]]
    changed = redact_arguments(words)
    if changed:
        container["command"], container["args"] = words[:count], words[count:]
    return changed


def _redact_across(words: list[Any]) -> bool:
    """Mask what an option of a program introduces: ``["curl", "-u", "user:password"]``."""
    if not all(isinstance(word, str) for word in words):
        return False
    line = _BETWEEN_WORDS.join(words)
    redacted = redact_programs(line)
    if redacted is not line:
        parts = redacted.split(_BETWEEN_WORDS)
        words[:] = parts if len(parts) == len(words) else [MARK] * len(words)
    marked = masked_words(words, MARK) if may_be_command(line) else words
    if marked == words:
        return redacted is not line
    words[:] = marked
    return True


def redact_promoted(fields: dict[str, Any]) -> bool:
    """Redact the fields that quote a container's or an exec's command, in place.

    A mark in them is one word: hunts look at commands word by word.

    :returns: whether anything was replaced.
    """
    changed = False
    for name in ("pod.commands", "exec.command"):
        if (words := fields.get(name)) is not None:
            redacted = list(words)
            changed |= redact_arguments(redacted)
            fields[name] = [word.replace(MARK, WORD_MARK) for word in redacted]
    if (line := fields.get("exec.command_line")) is not None:
        redacted_line = redact_text(line)
        changed |= redacted_line is not line
        fields["exec.command_line"] = redacted_line.replace(MARK, WORD_MARK)
    return changed
