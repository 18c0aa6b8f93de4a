"""Time lines as figures: a canvas that a script draws on, and the same numbers as a table."""

from __future__ import annotations

import json
from datetime import timedelta

from k8sidx.backends.result import Value
from k8sidx.show.panels.survey import Line
from k8sidx.show.render.escape import html_text, visible
from k8sidx.show.render.page import html_table
from k8sidx.show.render.sheet import Sheet

SERIES = 9
"""Series that colours tell apart; the rest is added up."""
OTHERS = "others"


def chart_figure(line: Line) -> str:
    """The figure; without scripts the table under it still says everything."""
    series = _shown(line)
    labels = [_label(start.isoformat(), line.interval) for start in line.starts]
    data = {"labels": labels, "series": [{"name": n, "values": v} for n, v in series]}
    columns = ("time", *(name for name, _ in series))
    rows: list[tuple[Value, ...]] = [
        (start, *(int(values[at]) for _, values in series))
        for at, start in enumerate(line.starts)
        if any(values[at] for _, values in series)
    ]
    said = f"{line.panel.title}. {line.panel.answers} The numbers are in the table below."
    return "\n".join(
        [
            '<figure class="chart">',
            f"<figcaption><strong>{html_text(line.panel.title)}</strong> "
            f'<span class="soft">{html_text(line.panel.answers)} Each bar is '
            f"{html_text(_span(line.interval))}.</span></figcaption>",
            '<div class="canvas">',
            f'<canvas role="img" aria-label="{html_text(said)}"></canvas></div>',
            f'<script type="application/json">{json_block(data)}</script>',
            f"<details><summary>The numbers</summary>{html_table(Sheet(columns, rows))}</details>",
            "</figure>",
        ]
    )


def json_block(data: object) -> str:
    """JSON inside a script element: nothing in it can end the element or begin another.

    Texts are made visible first, as everywhere in a page.
    """
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _shown(line: Line) -> list[tuple[str, list[float]]]:
    shown = [(visible(name), list(values)) for name, values in line.series[:SERIES]]
    rest = [values for _, values in line.series[SERIES:]]
    if rest:
        shown.append((OTHERS, [sum(at) for at in zip(*rest, strict=True)]))
    return shown


def _label(moment: str, interval: timedelta) -> str:
    day, _, time = moment.partition("T")
    if interval >= timedelta(days=1):
        return day
    seconds = 8 if interval < timedelta(minutes=1) else 5
    return f"{day[5:]} {time[:seconds]}"


def _span(interval: timedelta) -> str:
    seconds = int(interval.total_seconds())
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, length = next(one for one in units if seconds % one[1] == 0)
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"
