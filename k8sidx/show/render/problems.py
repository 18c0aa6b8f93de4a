"""What is in the way of rules, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.hunt.check import Checked, Problem
from k8sidx.show.render.sheet import Sheet

COLUMNS = ("place", "problem", "remedy")


def problems_sheet(problems: Sequence[Problem]) -> Sheet:
    """One row a problem, its place as ``file:line``."""
    rows = [(str(one.where), one.message, one.remedy) for one in problems]
    return Sheet(COLUMNS, rows, "Problems")


def checked_line(checked: Checked) -> str:
    """``15 rules can be run, 1 problem.``"""
    rules = "1 rule" if checked.hunts == 1 else f"{checked.hunts:,} rules"
    number = len(checked.problems)
    problems = "1 problem" if number == 1 else f"{number:,} problems"
    others = f"; {checked.other_logs:,} about other logs left out" if checked.other_logs else ""
    return f"{rules} can be run, {problems}{others}."
