"""Problems of rules as a sheet."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.hunt.check import CheckReport, Problem
from k8sidx.show.render.sheet import Sheet, quantity

COLUMNS = ("place", "problem", "remedy")


def problems_sheet(problems: Sequence[Problem]) -> Sheet:
    """Return one row per problem, its position as ``file:line``."""
    rows = [(str(problem.where), problem.message, problem.remedy) for problem in problems]
    return Sheet(COLUMNS, rows, "Problems")


def checked_line(checked: CheckReport) -> str:
    """Return the summary: ``15 rules can be run, 1 problem.``"""
    rules, problems = quantity(checked.hunts, "rule"), quantity(len(checked.problems), "problem")
    others = f"; {checked.other_logs:,} about other logs left out" if checked.other_logs else ""
    return f"{rules} can be run, {problems}{others}."
