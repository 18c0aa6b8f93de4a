"""Generator of the tables in ``docs/dashboards.md``.

``python -m docs.generate.dashboards docs/dashboards.md`` rewrites the text between the markers;
the rest is written by hand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from k8sidx.show.panels.goals import BY_CONTROLS, GOALS, NOTES
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard, Events, Item, Panel

_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_current_tables(text: str) -> str:
    """Return the page with its tables up to date."""
    made = {"goals": goals_table(), "panels": panels_tables()}
    return _BLOCK.sub(lambda match: match[1] + made[match[2]] + match[3], text)


def goals_table() -> str:
    """Return a table of the goals with the dashboards and panels that cover them."""
    answered: dict[int, list[str]] = {number: [] for number in GOALS}
    for dashboard in dashboards():
        for panel in dashboard.panels:
            for goal in panel.goals:
                answered[goal].append(f"{dashboard.id}: {panel.title}")
    answered[BY_CONTROLS] = ["the controls and the filter of every dashboard"]
    lines = ["| # | goal | covered by |", "| --- | --- | --- |"]
    for number, what in GOALS.items():
        by = "; ".join(dict.fromkeys(answered[number]))
        note = f" ({NOTES[number]})" if number in NOTES else ""
        lines.append(f"| {number} | {what} | {by}{note} |")
    return "\n".join(lines) + "\n"


def panels_tables() -> str:
    """Return a table of panels for each dashboard."""
    return "\n".join(_dashboard(one) for one in dashboards())


def _dashboard(dashboard: Dashboard) -> str:
    lines = [f"### {dashboard.title}", "", dashboard.about, ""]
    if dashboard.controls:
        lines += [f"![{dashboard.title}](pictures/dashboard-{dashboard.id}.png)", ""]
    lines.append("| panel | chart | question |")
    lines.append("| --- | --- | --- |")
    lines += [f"| {one.title} | {_drawn(one)} | {one.answers} |" for one in dashboard.panels]
    return "\n".join(lines) + "\n"


def _drawn(item: Item) -> str:
    return (
        item.drawn if isinstance(item, Panel) else "events" if isinstance(item, Events) else "text"
    )


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_current_tables(page.read_text("utf-8")), "utf-8")
