"""Outcomes of a finding's requests, for its sentence: created, denied (403), failed (409)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from k8sidx.backends.result import Value
from k8sidx.events.outcome import DENIED, FAILURE, SUCCESS, UNKNOWN, outcome_of
from k8sidx.events.sentence import past
from k8sidx.hunt.finding_text import names_in
from k8sidx.query.algebra import Condition, Terms, leaves

DID = "did"
"""Name in a ``reason`` of what the requests did: ``created``, ``tried to create``."""
_FIELDS = (
    "annotations.authorization.k8s.io/decision",
    "responseStatus.code",
    "responseStatus.status",
    "responseStatus.reason",
)
_TELLING = frozenset({*_FIELDS, "event.outcome"})
_MOST_CODES = 3
"""Codes that a sentence names."""


class Outcome(NamedTuple):
    """An outcome with its code.

    :param name: success, failure, denied or unknown.
    """

    name: str
    code: int | None = None


class OutcomeKey:
    """Fields that a hunt groups by besides its key, so that its sentences can name the outcome.

    Nothing, where the rule is about one outcome, or the key has it.

    :param condition: the hunt's.
    :param names: the fields of its key.
    :param reason: its sentence.
    """

    def __init__(self, condition: Condition, names: Collection[str], reason: str) -> None:
        tested = {leaf.field for leaf in leaves(condition)} | set(names)
        self.is_open = _TELLING.isdisjoint(tested)
        self.fields = _FIELDS if self.is_open or DID in names_in(reason) else ()

    def terms(self) -> tuple[Terms, ...]:
        """Return the keys of the query."""
        return tuple(Terms(name, f"outcome_{name}", keep_missing=True) for name in self.fields)

    def outcome(self, values: Sequence[Value]) -> Outcome:
        """Return the outcome of a group with these values of ``fields``."""
        if not values:
            return Outcome(UNKNOWN)
        code = values[1]
        return Outcome(outcome_of(*values), code if type(code) is int else None)

    def ending(self, outcomes: Mapping[Outcome, int]) -> str:
        """Return the clause on the requests that had no success; empty where all had."""
        if not self.fields:
            return ""
        total = sum(outcomes.values())
        clauses = [
            _clause(word, name, outcomes, total)
            for name, word in ((DENIED, "denied"), (FAILURE, "failed"))
            if any(outcome.name == name for outcome in outcomes)
        ]
        return f", {' and '.join(clauses)}" if clauses else ""


def did(verb: Value, outcomes: Mapping[Outcome, int]) -> str:
    """Return what requests of a verb did: ``created``; ``tried to create`` where none succeeded."""
    names = {outcome.name for outcome in outcomes}
    if SUCCESS in names:
        return past(str(verb or ""))
    word = str(verb or "send a request to")
    object_of = word if verb in _PLAIN else f"{word} on"
    return f"{'asked' if names <= {UNKNOWN} else 'tried'} to {object_of}"


_PLAIN = frozenset({"get", "list", "watch", "create", "update", "patch", "delete", None, ""})


def _clause(word: str, name: str, outcomes: Mapping[Outcome, int], total: int) -> str:
    codes: Counter[str] = Counter()
    for outcome, count in outcomes.items():
        if outcome.name == name:
            codes["no code" if outcome.code is None else str(outcome.code)] += count
    count = codes.total()
    named = ", ".join(code for code, _ in codes.most_common(_MOST_CODES))
    share = "" if count == total else f"{count:,} of {total:,} "
    return f"{share}{word} ({named})"
