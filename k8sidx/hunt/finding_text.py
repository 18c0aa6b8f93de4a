"""Sentences of findings.

A hunt's ``reason`` contains names of fields and facts in braces, ``{user.effective.name} was
refused {times}``. Values come from the log and are inserted unchanged: they are escaped where
the sentence is displayed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from k8sidx.backends.result import Value
from k8sidx.hunt.impersonators import ACTING, CALLER, EFFECTIVE
from k8sidx.hunt.result import Wording

_NAME = re.compile(r"\{([^{}]*)\}")
MOST_NAMES = 3
"""Impersonated users that a sentence names."""

MAX_VALUE_LENGTH = 200
"""Characters of a value that a sentence shows."""

_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


def names_in(template: str) -> list[str]:
    """Return the names in braces, in order."""
    return _NAME.findall(template)


def fill(template: str, key: Mapping[str, Value], facts: Mapping[str, str]) -> str:
    """Return the sentence; it begins with a capital only where the template does."""
    values = {name: display_value(name, value) for name, value in key.items()} | dict(facts)
    return _NAME.sub(lambda match: values[match.group(1)], template)


def worded(wording: Wording, key: Mapping[str, Value], actor: str = "") -> str:
    """Return the sentence of a finding.

    :param actor: text in place of the user; a caller that impersonates has two names.
    """
    values = dict(key)
    named_user = next((name for name in (EFFECTIVE, CALLER) if name in values), "")
    acting = ACTING in names_in(wording.template)
    if named_user and not acting:
        values[named_user] = actor or actor_text(key)
    if EFFECTIVE in values and CALLER in values and not acting:
        values[CALLER] = values[EFFECTIVE] = values[named_user]
    return fill(wording.template, values, wording.facts) + wording.ending


def actor_text(key: Mapping[str, Value], proxy: str = "") -> str:
    """Return the caller in a sentence, with whom it impersonated.

    :param proxy: name of the trusted proxy through which the impersonated person came.
    """
    caller = key.get(CALLER) or key.get(EFFECTIVE)
    acting = key.get(ACTING)
    if not acting or acting == caller:
        return display_value(CALLER, caller)
    names = [
        display_value(ACTING, name) for name in (acting if isinstance(acting, list) else [acting])
    ]
    whom = (
        listed(names) if len(names) <= MOST_NAMES else f"{names[0]} and {len(names) - 1:,} others"
    )
    if proxy:
        return f"{whom}, through {proxy},"
    return f"{display_value(CALLER, caller)}, acting as {whom},"


def display_value(name: str, value: Value) -> str:
    """Return a field's value as text in a sentence; words for a missing one."""
    if value is None or value == "":
        return _absent(name)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    text = str(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def named(key: Mapping[str, Value]) -> str:
    """Return ``verb get, source.ip 203.0.113.9``: every field with its value."""
    return ", ".join(f"{name} {display_value(name, value)}" for name, value in key.items())


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
    """Return ``once``, ``twice``, ``14 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def events(count: int) -> str:
    """Return ``1 event``, ``14 events``."""
    return f"{count:,} {'event' if count == 1 else 'events'}"


def summarize(values: Collection[str], noun: str) -> str:
    """Return up to three values by name, more as a number: ``7 addresses``."""
    if not values:
        return f"no known {noun}"
    if len(values) > 3:
        plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
        return f"{len(values):,} {plural}"
    return listed([display_value("", value) for value in values])


def listed(words: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def code_names(names: Iterable[str]) -> str:
    """Return the names in Markdown as a list of code: `` `a` and `b` ``."""
    return listed([f"`{name}`" for name in names])


def span(length: timedelta) -> str:
    """Return ``5 minutes``, ``1 hour``: the largest unit that gives a whole number."""
    for unit, word in _UNITS:
        if length >= unit and length % unit == timedelta(0):
            number = length // unit
            return f"{number:,} {word}{'' if number == 1 else 's'}"
    return f"{length.total_seconds():,g} seconds"


def lasting(length: timedelta, timespan: timedelta) -> str:
    """Return the duration of a burst: the hunt's time span, or whole minutes when it is longer."""
    if length <= timespan:
        return span(timespan)
    return span(timedelta(minutes=-(-length // timedelta(minutes=1))))
