"""The sentence of a finding.

A hunt's ``reason`` names fields and facts in braces, ``{user.effective.name} was refused
{times}``. Values come from the log and are put in as they are: whoever shows the sentence
escapes it for where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from k8sidx.backends.result import Value

_NAME = re.compile(r"\{([^{}]*)\}")
LONGEST = 200
"""Characters of a value that a sentence shows."""

FACTS: dict[str, tuple[str, ...]] = {
    "match": ("times",),
    "threshold": ("times", "values", "within", "sources", "resources"),
    "sequence": ("times", "within", "sources", "resources", "steps"),
    "new": ("times",),
    "spike": ("count", "usual", "hour", "interval", "time", "who"),
    "silent": ("silent", "usual", "time"),
    "top": ("events",),
}
"""What a sentence can tell besides the finding's key, by kind of hunt."""

_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


def names_in(template: str) -> list[str]:
    """The names in braces, in order."""
    return _NAME.findall(template)


def fill(template: str, key: Mapping[str, Value], facts: Mapping[str, str]) -> str:
    """The sentence, beginning with a capital only where a word of ours begins it."""
    values = {name: shown(name, value) for name, value in key.items()} | dict(facts)
    return _NAME.sub(lambda found: values[found.group(1)], template)


def shown(name: str, value: Value) -> str:
    """A value of a field in a sentence; words for a missing one."""
    if value is None or value == "":
        return _absent(name)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def named(key: Mapping[str, Value]) -> str:
    """``verb get, source.ip 203.0.113.9``: every field with its value."""
    return ", ".join(f"{name} {shown(name, value)}" for name, value in key.items())


def _absent(name: str) -> str:
    if name.startswith("user."):
        return "an unknown user"
    if "ip" in name.lower():
        return "an unknown address"
    if "userAgent" in name or name.startswith("user_agent"):
        return "no user agent"
    if name.endswith("namespace"):
        return "no namespace"
    return {"target.resource": "no resource", "verb": "no verb"}.get(name, "nothing")


def times(count: int) -> str:
    """``once``, ``twice``, ``14 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def events(count: int) -> str:
    """``1 event``, ``14 events``."""
    return f"{count:,} {'event' if count == 1 else 'events'}"


def some(values: Collection[str], noun: str) -> str:
    """Up to three values by name, more as a number: ``7 addresses``."""
    if not values:
        return f"no known {noun}"
    if len(values) > 3:
        plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
        return f"{len(values):,} {plural}"
    return listed([shown("", value) for value in values])


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def span(length: timedelta) -> str:
    """``5 minutes``, ``1 hour``: in the largest unit that says it in whole numbers."""
    for unit, word in _UNITS:
        if length >= unit and length % unit == timedelta(0):
            number = length // unit
            return f"{number:,} {word}{'' if number == 1 else 's'}"
    return f"{length.total_seconds():,g} seconds"


def lasting(length: timedelta, timespan: timedelta) -> str:
    """How long a burst was: the hunt's time span, or in whole minutes when it went on."""
    if length <= timespan:
        return span(timespan)
    return span(timedelta(minutes=-(-length // timedelta(minutes=1))))
