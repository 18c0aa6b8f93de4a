"""Hunt results as sheets and on a terminal.

``table`` is for reading: findings first, then the rows of each hunt, long lists cut with a
line on what is left out. The other formats leave nothing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.show.render.escape import visible
from k8sidx.show.render.judged import judged_text
from k8sidx.show.render.sheet import Sheet, quantity, readable_time

if TYPE_CHECKING:
    from rich.console import Console

FINDINGS_SHOWN = 5
ROWS_SHOWN = 10
"""Findings and rows per hunt that ``table`` prints for several hunts; of one hunt, all."""

_APPROXIMATE = "The counts are approximate."


def by_urgency(results: Sequence[HuntResult]) -> list[Finding]:
    """Return all findings, the most urgent level first, then by hunt in the hunt's order."""
    findings = chain.from_iterable(result.findings for result in results)
    return sorted(findings, key=lambda finding: -urgency(finding.level))


def sheet_of(result: HuntResult) -> Sheet:
    """Return the hunt's own table under its title."""
    notes = result.remarks if result.exact else (*result.remarks, _APPROXIMATE)
    return Sheet(result.columns, result.rows, result.title, result.level, notes)


def findings_sheet(findings: Sequence[Finding]) -> Sheet:
    """Return one row per finding, for documents."""
    columns = ("level", "hunt", "count", "first_seen", "last_seen", "reason")
    rows: list[tuple[Value, ...]] = [
        (f.level, f.hunt, f.count, f.first_seen, f.last_seen, f.reason) for f in findings
    ]
    return Sheet(columns, rows, "Findings")


def counted(results: Sequence[HuntResult]) -> str:
    """Return the number of findings, and of the events that were looked at: ``3 findings (1 high,
    2 low) from 40 hunts; 812 events judged, from … to …``."""
    judged = next((result.judged for result in results if result.judged), None)
    about = f"; {judged_text(judged)}" if judged else ""
    return f"{findings_counted(results)}{about}"


def findings_counted(results: Sequence[HuntResult]) -> str:
    """Return the number of findings: ``3 findings (1 high, 2 low) from 40 hunts``."""
    findings = by_urgency(results)
    levels = [finding.level for finding in findings]
    each = ", ".join(f"{levels.count(level)} {level}" for level in dict.fromkeys(levels))
    levels_counted = f" ({each})" if each else ""
    total, hunts = quantity(len(findings), "finding"), quantity(len(results), "hunt")
    return f"{total}{levels_counted} from {hunts}"


def print_hunts(console: Console, results: Sequence[HuntResult]) -> None:
    """Print the findings, then each hunt's table under its title, then the hunts without rows."""
    from k8sidx.show.render.terminal import print_sheet

    several = len(results) > 1
    if several or by_urgency(results):
        _print_findings(console, results, FINDINGS_SHOWN if several else None)
        console.print()
    for result in results:
        if result.rows:
            print_sheet(console, sheet_of(result), most=ROWS_SHOWN if several else None)
            if several:
                console.print()
    for result in results:
        if not result.rows:
            print_sheet(console, sheet_of(result))


def _print_findings(console: Console, results: Sequence[HuntResult], most: int | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from k8sidx.show.render.terminal import level_text

    console.print(Text(counted(results), style="bold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    ordered = sorted(results, key=lambda result: -_worst(result))
    for result in ordered:
        shown = by_urgency([result])[:most]
        for finding in shown:
            text = Text(visible(finding.reason))
            text.append(f"\n{visible(finding.hunt)} · {_span(finding)}", style="dim")
            grid.add_row(level_text(finding.level), text)
        left = len(result.findings) - len(shown)
        if left:
            more = f"… {left:,} more of {visible(result.hunt)}"
            grid.add_row("", Text(more, style="dim"))
    console.print(grid)


def _worst(result: HuntResult) -> int:
    return max((urgency(finding.level) for finding in result.findings), default=-1)


def _span(finding: Finding) -> str:
    events = quantity(finding.count, "event")
    first, last = readable_time(finding.first_seen), readable_time(finding.last_seen)
    if not first or first == last:
        return f"{events} · {first}" if first else events
    same_day = first.partition(" ")[0] == last.partition(" ")[0]
    return f"{events} · {first} to {last.partition(' ')[2] if same_day else last}"
