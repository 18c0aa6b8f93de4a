"""Checks Sigma rules without running them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from k8sidx.errors import InvalidHunt, OtherLog, Where
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.lists import Lists, how_to_give, shipped_lists


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a rule, or a test of it, from judging.

    :param where: file and line.
    """

    where: Where
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    :param hunts: how many hunts can be run.
    :param other_logs: how many rules are about other logs.
    """

    hunts: int
    other_logs: int
    problems: tuple[Problem, ...]


def check_rules(selectors: Sequence[str], lists: Lists) -> Checked:
    """Read the rules of files and folders, and tell what is in the way of each.

    :raises UsageError: for a folder without rules, or a name that is none.
    """
    errors: list[InvalidHunt] = []
    hunts = load_hunts(selectors, lists, errors.append)
    problems = [
        Problem(error.where or Where("-"), error.message, error.remedy)
        for error in errors
        if not isinstance(error, OtherLog)
    ]
    problems += [problem for hunt in hunts for problem in _doubts(hunt)]
    problems.sort(key=lambda one: (one.where.source, one.where.record))
    others = sum(isinstance(error, OtherLog) for error in errors)
    return Checked(len(hunts), others, tuple(problems))


def _doubts(hunt: Hunt) -> list[Problem]:
    """What a hunt runs in spite of: it judges less than its author meant."""
    found = [
        Problem(one.where, f"{one.about}.", "No event passes that test: name what is meant.")
        for one in hunt.impossible
    ]
    found += [
        Problem(hunt.where, f"no list is named {name!r}.", how_to_give(name))
        for name in hunt.lists_missing
        if name not in shipped_lists()
    ]
    return found
