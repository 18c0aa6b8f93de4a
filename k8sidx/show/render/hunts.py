"""Hunt results in every output format.

``table`` is for reading: findings first, then each hunt's rows, long lists cut with a
word on what is left out. The other formats leave nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from k8sidx.backends.result import Value
from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.show.render.csv import csv_text
from k8sidx.show.render.escape import json_line, json_text, visible
from k8sidx.show.render.markdown import markdown_table
from k8sidx.show.render.page import html_page, html_section
from k8sidx.show.render.sheet import Sheet, is_number, readable_time

if TYPE_CHECKING:
    from rich.console import Console

FINDINGS_SHOWN = 5
ROWS_SHOWN = 10
"""What ``table`` shows of one hunt when there are several; a hunt alone is shown whole."""

_APPROXIMATE = "The counts are approximate."


def by_urgency(results: Sequence[HuntResult]) -> list[Finding]:
    """All findings, the most urgent level first, then by hunt and as the hunt ordered them."""
    findings = chain.from_iterable(result.findings for result in results)
    return sorted(findings, key=lambda finding: -urgency(finding.level))


def sheet_of(result: HuntResult) -> Sheet:
    """The hunt's own table under its title."""
    notes = result.remarks if result.exact else (*result.remarks, _APPROXIMATE)
    return Sheet(result.columns, result.rows, result.title, result.level, notes)


def findings_sheet(findings: Sequence[Finding]) -> Sheet:
    """One row a finding, for documents."""
    columns = ("level", "hunt", "count", "first_seen", "last_seen", "reason")
    rows: list[tuple[Value, ...]] = [
        (f.level, f.hunt, f.count, f.first_seen, f.last_seen, f.reason) for f in findings
    ]
    return Sheet(columns, rows, "Findings")


def counted(results: Sequence[HuntResult]) -> str:
    """``3 findings (1 high, 2 low) from 40 hunts``."""
    findings = by_urgency(results)
    levels = [finding.level for finding in findings]
    each = ", ".join(f"{levels.count(level)} {level}" for level in dict.fromkeys(levels))
    hunts = f"{len(results):,} {'hunt' if len(results) == 1 else 'hunts'}"
    word = "finding" if len(findings) == 1 else "findings"
    return f"{len(findings):,} {word}{f' ({each})' if each else ''} from {hunts}"


def hunts_csv(results: Sequence[HuntResult]) -> str:
    """One hunt: its columns and rows. Several: one line a finding, and one line a row of
    the hunts that rank instead of finding, with what they have in common as columns."""
    if len(results) == 1:
        return csv_text(sheet_of(results[0]))
    columns = ("hunt", "level", "count", "first_seen", "last_seen", "reason", "values", "audit_ids")
    return csv_text(Sheet(columns, [line for result in results for line in _lines(result)]))


def _lines(result: HuntResult) -> Iterator[tuple[Value, ...]]:
    for f in result.findings:
        key, evidence = json_line(f.key), json_line(f.audit_ids)
        yield f.hunt, f.level, f.count, f.first_seen, f.last_seen, f.reason, key, evidence
    if result.findings:
        return
    for row in result.rows:
        values = dict(zip(result.columns, row, strict=True))
        last = row[-1] if row and is_number(row[-1]) else None
        yield result.hunt, result.level, last, None, None, None, json_line(values), None


def hunts_json(results: Sequence[HuntResult]) -> str:
    """A list with one object a hunt (docs/cli.md)."""
    return json_text([_object(result) for result in results]) + "\n"


def finding_object(finding: Finding) -> dict[str, object]:
    """A finding as JSON shows it (docs/cli.md)."""
    return {
        "hunt": finding.hunt,
        "level": finding.level,
        "key": finding.key,
        "count": finding.count,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "reason": finding.reason,
        "audit_ids": finding.audit_ids,
    }


def _object(result: HuntResult) -> dict[str, object]:
    return {
        "hunt": result.hunt,
        "title": result.title,
        "level": result.level,
        "engine": result.engine,
        "exact": result.exact,
        "columns": result.columns,
        "rows": result.rows,
        "findings": [finding_object(finding) for finding in result.findings],
        "notes": result.notes,
        "cannot_judge": [
            {
                "kind": one.kind,
                "reason": one.reason,
                "count": one.count,
                "audit_ids": one.audit_ids,
            }
            for one in result.cannot_judge
        ],
    }


def hunts_markdown(results: Sequence[HuntResult]) -> str:
    findings = by_urgency(results)
    parts = [f"# {counted(results)}\n"]
    if findings:
        parts.append(markdown_table(findings_sheet(findings)))
    parts += [markdown_table(sheet_of(result)) for result in results]
    return "\n".join(parts)


def hunts_html(results: Sequence[HuntResult]) -> str:
    return html_page("Hunt results", ["<h1>Hunt results</h1>", *hunt_sections(results)])


def hunt_sections(results: Sequence[HuntResult]) -> Iterator[str]:
    """Findings first, then every hunt's table, then the hunts that have no rows."""
    findings = by_urgency(results)
    if findings:
        yield html_section(findings_sheet(findings), caption=counted(results))
    else:
        yield "<h2>Findings</h2>\n<p>No findings.</p>"
    for result in results:
        yield html_section(sheet_of(result), identifier=result.hunt)


def print_hunts(console: Console, results: Sequence[HuntResult]) -> None:
    """The findings, then each hunt's table under its title, then the hunts without rows."""
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
    events = f"{finding.count:,} {'event' if finding.count == 1 else 'events'}"
    first, last = readable_time(finding.first_seen), readable_time(finding.last_seen)
    if not first or first == last:
        return f"{events} · {first}" if first else events
    same_day = first.partition(" ")[0] == last.partition(" ")[0]
    return f"{events} · {first} to {last.partition(' ')[2] if same_day else last}"
