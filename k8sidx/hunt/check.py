"""Checker of Sigma rules, without running them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from k8sidx.errors import DifferentLogSource, InvalidHunt, Where
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.lists import Lists, how_to_give, shipped_lists


@dataclass(frozen=True, slots=True)
class Problem:
    """A defect of a rule or of one of its tests.

    :param where: the file and line.
    """

    where: Where
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of a check.

    :param hunts: number of hunts that can be run.
    :param other_logs: number of rules about other logs.
    """

    hunts: int
    other_logs: int
    problems: tuple[Problem, ...]


def check_rules(selectors: Sequence[str], lists: Lists) -> CheckReport:
    """Check the rules of files and folders.

    :raises UsageError: for a folder without rules, or a name that is neither a file nor a hunt.
    """
    errors: list[InvalidHunt] = []
    hunts = load_hunts(selectors, lists, errors.append)
    problems = [
        Problem(error.where or Where("-"), error.message, error.remedy)
        for error in errors
        if not isinstance(error, DifferentLogSource)
    ]
    problems += [problem for hunt in hunts for problem in _warnings(hunt)]
    problems.sort(key=lambda problem: (problem.where.source, problem.where.record))
    others = sum(isinstance(error, DifferentLogSource) for error in errors)
    return CheckReport(len(hunts), others, tuple(problems))


def _warnings(hunt: Hunt) -> list[Problem]:
    """Return the problems that do not stop a hunt: it judges less than its author meant."""
    problems = [
        Problem(test.where, f"{test.about}.", "No event passes that test: name what is meant.")
        for test in hunt.impossible
    ]
    problems += [
        Problem(hunt.where, f"the list {name!r} does not exist.", how_to_give(name))
        for name in hunt.lists_missing
        if name not in shipped_lists()
    ]
    return problems
