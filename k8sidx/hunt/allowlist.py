"""Known good: what hunts find and somebody has looked into, kept apart from the rules.

A file of its own (TOML) names the hunt, who, where and with what, why that is good, and
until when. Events that an entry means are left out of the hunt, and the result says how much
that was. An entry that has expired suppresses nothing, and the result says so, too.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from k8sidx.errors import UnknownField, UsageError, Where
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.hunt.definition import Hunt, KnownGood
from k8sidx.hunt.library.load import library_ids
from k8sidx.hunt.lists import is_network
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    Or,
    Wildcard,
)
from k8sidx.query.coerce import coerce

EVERY = "*"
_KEYS = {"hunt", "where", "reason", "expires"}
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*known_good[ \t]*\]\]", re.MULTILINE)


def read_known_good(path: Path) -> list[KnownGood]:
    """The entries of a file.

    :raises UsageError: when it cannot be read, or an entry is not whole.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not a TOML file: {error}.", where=Where(str(path))) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(f"cannot be read: {reason}.", where=Where(str(path))) from error
    entries = values.pop("known_good", [])
    if values or not isinstance(entries, list):
        raise UsageError(
            "a file of known good holds [[known_good]] tables and nothing else.",
            where=Where(str(path)),
        )
    lines = [text.count("\n", 0, found.start()) + 1 for found in _HEADER.finditer(text)]
    lines += [0] * (len(entries) - len(lines))
    return [
        _entry(entry, Where(str(path), line)) for entry, line in zip(entries, lines, strict=False)
    ]


def with_known_good(hunts: Iterable[Hunt], entries: Sequence[KnownGood], today: date) -> list[Hunt]:
    """The hunts, each with the entries that are about it.

    :param today: entries that expired before it suppress nothing.
    :raises UsageError: for an entry about a hunt of the library that there is not.
    """
    hunts = list(hunts)
    _refuse_unknown(entries, {hunt.id for hunt in hunts})
    return [
        replace(
            hunt,
            known_good=tuple(
                replace(entry, expired=entry.expires < today)
                for entry in entries
                if hunt.id in entry.hunts or EVERY in entry.hunts
            ),
        )
        for hunt in hunts
    ]


def without_known_good(hunt: Hunt) -> Hunt:
    """Return the hunt over events that no entry suppresses; expired entries suppress none."""
    live = tuple(entry.condition for entry in hunt.known_good if not entry.expired)
    return hunt.restricted_to(Not(Or(live))) if live else hunt


def restrict_to(hunt: Hunt, entry: KnownGood) -> Hunt:
    """Return the hunt over the events that an entry suppresses."""
    return hunt.restricted_to(entry.condition)


def _entry(said: object, where: Where) -> KnownGood:
    if not isinstance(said, Mapping):
        raise UsageError("a known_good entry is a table.", where=where)
    for key in said:
        if key not in _KEYS:
            raise UsageError(
                f"an entry has no {key!r}.",
                remedy="There are: hunt, where, reason, expires.",
                where=where,
            )
    hunts = said.get("hunt")
    named = [hunts] if isinstance(hunts, str) else hunts
    if not isinstance(named, list) or not named or not all(isinstance(n, str) for n in named):
        raise UsageError('an entry says which hunt: hunt = "pod_exec".', where=where)
    reason, expires = said.get("reason"), said.get("expires")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError("an entry says why: reason = “…”.", where=where)
    if not isinstance(expires, date):
        raise UsageError("an entry says until when: expires = 2027-06-30.", where=where)
    return KnownGood(
        tuple(named),
        _condition(said.get("where"), where),
        reason.strip(),
        # A moment is also a date to Python, and not comparable with one.
        date(expires.year, expires.month, expires.day),
        where,
    )


def _condition(said: object, where: Where) -> Condition:
    if not isinstance(said, Mapping) or not said:
        raise UsageError(
            'an entry says of what: where = { "user.effective.name" = "…" }.', where=where
        )
    return And(tuple(_test(str(name), value, where) for name, value in said.items()))


def _test(name: str, said: Any, where: Where) -> Condition:
    try:
        field = resolve(name).field
    except UnknownField as error:
        raise UsageError(error.message, remedy=error.remedy, where=where) from error
    values = said if isinstance(said, list) else [said]
    if field.kind is Kind.JSON or not values:
        raise UsageError(f"{name} cannot be compared with {said!r}.", where=where)
    tests: list[Condition] = []
    for value in values:
        if not isinstance(value, str | int | bool):
            raise UsageError(f"{name} cannot be compared with {value!r}.", where=where)
        if field.kind is Kind.ADDRESS:
            if not is_network(str(value)):
                raise UsageError(f"{name} holds addresses, and {value!r} is none.", where=where)
            tests.append(InNetwork(name, (str(value),)))
        elif isinstance(value, str) and re.search(r"(?<!\\)(?:\\\\)*[*?]", value):
            tests.append(Wildcard(name, value))
        else:
            plain = re.sub(r"\\(.)", r"\1", value) if isinstance(value, str) else value
            if field.kind is not Kind.TIME and coerce(field, plain) is None:
                raise UsageError(f"{name} is never {value!r}.", where=where)
            tests.append(Compare(name, "=", plain))
    return tests[0] if len(tests) == 1 else Or(tuple(tests))


def _refuse_unknown(entries: Sequence[KnownGood], running: set[str]) -> None:
    """An entry for a hunt of a mistyped name would suppress nothing, in silence."""
    ids = {*library_ids(), *running}
    for entry in entries:
        for name in entry.hunts:
            if name == EVERY or name in ids:
                continue
            near = difflib.get_close_matches(name, ids, n=1, cutoff=0.85)
            if near:
                raise UsageError(
                    f"no hunt is named {name!r}.", remedy=f"Did you mean {near[0]}?",
                    where=entry.where,
                )  # fmt: skip
