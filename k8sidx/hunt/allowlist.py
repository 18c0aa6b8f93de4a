"""Allow list: reviewed findings to suppress, kept apart from the rules.

Each entry of its file (TOML) names the hunt, the events by field values, a reason and a last
day. Events that match an entry are suppressed, and the result contains how many they were. An
expired entry suppresses nothing, which the result contains as well.
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
    """Return the entries of a file.

    :raises UsageError: when it cannot be read, or an entry is incomplete.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not a TOML file: {error}.", where=Where(str(path))) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not valid UTF-8"
        raise UsageError(f"cannot be read: {reason}.", where=Where(str(path))) from error
    entries = values.pop("known_good", [])
    if values or not isinstance(entries, list):
        raise UsageError(
            "an allow list contains [[known_good]] tables and nothing else.",
            where=Where(str(path)),
        )
    lines = [text.count("\n", 0, header.start()) + 1 for header in _HEADER.finditer(text)]
    lines += [0] * (len(entries) - len(lines))
    return [
        _entry(entry, Where(str(path), line)) for entry, line in zip(entries, lines, strict=False)
    ]


def with_known_good(hunts: Iterable[Hunt], entries: Sequence[KnownGood], today: date) -> list[Hunt]:
    """Return the hunts, each with the entries that are about it.

    :param today: entries that expired before it suppress nothing.
    :raises UsageError: for an entry about a hunt that does not exist.
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


def _entry(value: object, where: Where) -> KnownGood:
    if not isinstance(value, Mapping):
        raise UsageError("a known_good entry must be a table.", where=where)
    for key in value:
        if key not in _KEYS:
            raise UsageError(
                f"{key!r} is not a key of an entry.",
                remedy="There are: hunt, where, reason, expires.",
                where=where,
            )
    hunts = value.get("hunt")
    ids = [hunts] if isinstance(hunts, str) else hunts
    if not isinstance(ids, list) or not ids or not all(isinstance(name, str) for name in ids):
        raise UsageError('an entry needs a hunt: hunt = "pod_exec".', where=where)
    reason, expires = value.get("reason"), value.get("expires")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError("an entry needs a reason: reason = “…”.", where=where)
    if not isinstance(expires, date):
        raise UsageError("an entry needs a last day: expires = 2027-06-30.", where=where)
    return KnownGood(
        tuple(ids),
        _condition(value.get("where"), where),
        reason.strip(),
        # A datetime is also a date to Python, but cannot be compared with one.
        date(expires.year, expires.month, expires.day),
        where,
    )


def _condition(value: object, where: Where) -> Condition:
    if not isinstance(value, Mapping) or not value:
        raise UsageError(
            'an entry needs events: where = { "user.effective.name" = "…" }.', where=where
        )
    return And(tuple(_test(str(name), test, where) for name, test in value.items()))


def _test(name: str, expected: Any, where: Where) -> Condition:
    try:
        field = resolve(name).field
    except UnknownField as error:
        raise UsageError(error.message, remedy=error.remedy, where=where) from error
    values = expected if isinstance(expected, list) else [expected]
    if field.kind is Kind.JSON or not values:
        raise UsageError(f"{name} cannot be compared with {expected!r}.", where=where)
    tests: list[Condition] = []
    for value in values:
        if not isinstance(value, str | int | bool):
            raise UsageError(f"{name} cannot be compared with {value!r}.", where=where)
        if field.kind is Kind.ADDRESS:
            if not is_network(str(value)):
                raise UsageError(
                    f"{name} contains addresses, and {value!r} is not one.", where=where
                )
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
    """Raise for a mistyped id of a hunt: such an entry would silently suppress nothing."""
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
