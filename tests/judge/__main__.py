"""``make judge``: what the library finds, misses and wrongly finds.

Ends with 1 when a strict case is not exact, a scenario is missed or ordinary work is loud.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.result import Finding
from tests.judge.cases import CASES, Verdict, indicators
from tests.judge.recorded import RECORDED, Sighting
from tests.judge.run import judge_alone, judge_among_others, judge_cases, judge_quiet

MOST_MEDIUM = 5
"""Findings of level medium that ordinary work may have."""


def main() -> int:
    """Judge the library by everything that lies beside the checkout."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    hunts = load_library()
    console.print(f"{len(hunts)} hunts")
    good = True
    with tempfile.TemporaryDirectory(prefix="k8sidx-judge-") as folder:
        if CASES.is_dir():
            for name, verdicts in judge_cases(load_library(indicators()), Path(folder)):
                good &= show_cases(console, name, verdicts)
        else:
            console.print(f"SKIPPED: the cases of public suites, {CASES} is not there")
        if RECORDED.is_dir():
            alone = judge_alone(hunts, Path(folder))
            among = judge_among_others(hunts, Path(folder))
            good &= show_scenarios(console, alone, among)
            good &= show_quiet(console, judge_quiet(hunts, Path(folder)))
        else:
            console.print(f"SKIPPED: the recorded attacks, {RECORDED} is not there")
    return 0 if good else 1


def show_cases(console: Console, engine: str, verdicts: Sequence[Verdict]) -> bool:
    """Print the verdicts; returns whether every strict case is exact."""
    table = Table(title=f"Public test cases on {engine}", title_justify="left")
    for heading in ("of", "cases", "exact", "found", "missed", "false"):
        table.add_column(heading, justify="left" if heading == "of" else "right")
    strict = [one for one in verdicts if one.case.strict]
    for name, some in (
        *_by(strict, lambda one: one.case.anchor),
        *_by(strict, lambda one: one.case.platform),
        ("all strict", strict),
        ("not strict", [one for one in verdicts if not one.case.strict]),
    ):
        table.add_row(name, *(str(number) for number in _numbers(some)))
    console.print(table)
    for one in verdicts:
        if not one.exact:
            console.print(Text(_line(one)))
    return all(one.exact for one in strict)


def _by(
    verdicts: Iterable[Verdict], key: Callable[[Verdict], str]
) -> list[tuple[str, list[Verdict]]]:
    found: dict[str, list[Verdict]] = {}
    for one in verdicts:
        found.setdefault(key(one), []).append(one)
    return sorted(found.items())


def _numbers(some: Sequence[Verdict]) -> tuple[int, ...]:
    return (
        len(some),
        sum(one.exact for one in some),
        sum(len(one.found) for one in some),
        sum(len(one.missed) for one in some),
        sum(len(one.false) for one in some),
    )


def _line(one: Verdict) -> str:
    parts = [one.case.id if one.case.strict else f"(not strict) {one.case.id}"]
    parts += [f"missed {', '.join(sorted(one.missed))}"] if one.missed else []
    parts += [f"false {', '.join(sorted(one.false))}"] if one.false else []
    if not one.case.strict:
        parts.append(one.explanation or "NOT EXPLAINED")
    return ": ".join(parts)


def show_scenarios(
    console: Console, alone: Sequence[Sighting], compared: Sequence[Sighting]
) -> bool:
    """Print what was seen of each scenario; returns whether all were.

    :param alone: what the log of the attacks shows by itself.
    :param compared: what it shows beside the ordinary work before.
    """
    table = Table(title="Recorded attacks", title_justify="left")
    for heading in ("scenario", "tactic", "", "by hunts of level medium and above", "below"):
        table.add_column(heading, overflow="fold")
    seen = sorted(
        zip(alone, compared, strict=True),
        key=lambda both: (both[0].scenario.tactic, both[0].scenario.name),
    )
    for first, second in seen:
        said = "found" if first.by else "found with history" if second.by else "MISSED"
        by = sorted({*first.by, *second.by})
        below = sorted({*first.below, *second.below} - set(by))
        scenario = first.scenario
        table.add_row(scenario.name, scenario.tactic, said, ", ".join(by), ", ".join(below))
    console.print(table)
    by_itself = sum(bool(first.by) for first, _ in seen)
    found = sum(bool(first.by or second.by) for first, second in seen)
    console.print(
        f"{found} of {len(seen)} scenarios found, {by_itself} of them without any history"
    )
    return found == len(seen)


def show_quiet(console: Console, findings: Sequence[Finding]) -> bool:
    """Print what ordinary work sets off; returns whether it is quiet."""
    levels = Counter(one.level for one in findings)
    console.print(f"ordinary work: {dict(levels) or 'no findings'}")
    loud = [one for one in findings if one.level in ("medium", "high", "critical")]
    for one in loud:
        console.print(Text(f"  {one.level} {one.hunt}: {one.reason}"))
    return levels["medium"] <= MOST_MEDIUM and not (levels["high"] or levels["critical"])


if __name__ == "__main__":
    sys.exit(main())
