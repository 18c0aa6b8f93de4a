"""Pictures of the dashboards for the documentation: ``make pictures``.

They show the demo's log, drawn by this program from the same panels, positions, widths and colours
that the saved objects are made of: neither OpenSearch Dashboards nor Kibana runs here. In the
products, type faces and margins differ.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.findings import read_findings
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import (
    Always,
    Compare,
    Condition,
    DateHistogram,
    Metric,
    OneOf,
    Query,
    Terms,
)
from k8sidx.show.panels.colors import MISSING, NEUTRAL, colors_of
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.panel import Dashboard, Events, Item, Panel
from k8sidx.show.savedobjects.columns import SCREEN, fixed_widths, stream_columns, stream_widths
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.index_fields import field_type
from k8sidx.show.savedobjects.layout import (
    CONTROLS_HEIGHT,
    NOTE_HEIGHT,
    Rectangle,
    controls_position,
    note_position,
    positions,
)
from k8sidx.show.savedobjects.links import links
from k8sidx.show.savedobjects.search_source import SERIES, table_columns

INTERVAL = timedelta(minutes=2)
PALETTE = ("#54B399", "#6092C0", "#D36086", "#9170B8", "#CA8EAE", "#D6BF57", "#B9A888", "#DA8B45",
           "#AA6556", "#E7664C")  # fmt: skip
"""The products' own colours, for series that mean nothing."""
Rows = list[tuple[Any, ...]]

STYLE = """
body { margin: 0; background: #FAFBFD; color: #343741; font: 13px/1.4 Inter, system-ui, sans-serif }
main { width: 1280px; display: grid; grid-template-columns: repeat(48, 1fr); gap: 8px;
       grid-auto-rows: 20px; padding: 8px; box-sizing: border-box }
section { background: #fff; border: 1px solid #D3DAE6; border-radius: 6px; overflow: hidden;
          padding: 6px 10px; display: flex; flex-direction: column; min-width: 0 }
h2 { font-size: 13px; margin: 0 0 4px; font-weight: 600 }
.body { flex: 1; overflow: hidden; min-height: 0; display: flex; gap: 8px }
.number { font-size: 44px; text-align: center; width: 100%; align-self: center; line-height: 1.1 }
.number small { display: block; font-size: 13px; color: #69707D }
table { align-self: flex-start; border-collapse: collapse; width: 100%; table-layout: fixed;
        font-size: 12px }
th, td { text-align: left; padding: 4px 6px; border-bottom: 1px solid #EEF0F4; overflow: hidden;
         white-space: nowrap; text-overflow: ellipsis }
th { font-weight: 600 } td.n, th.n { text-align: right }
svg { width: 100%; height: 100% } .legend { font-size: 11px; width: 118px; flex: none }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 50%;
            margin-right: 5px }
.legend div { overflow: hidden; white-space: nowrap; text-overflow: ellipsis }
.bars { width: 100%; font-size: 11px }
.bars div { display: flex; align-items: center; height: 24px }
.bars span { width: 150px; text-align: right; padding-right: 6px; overflow: hidden; flex: none;
             white-space: nowrap; text-overflow: ellipsis }
.bars b { background: #6092C0; height: 16px; font-weight: 400 }
.bars em { padding-left: 4px; font-style: normal; color: #69707D }
.donut { width: 150px; height: 150px; border-radius: 50%; align-self: center; flex: none;
         mask: radial-gradient(circle, transparent 42%, #000 43%) }
.lists { display: flex; flex-wrap: wrap; align-content: flex-start; gap: 6px 16px; width: 100% }
.lists div { flex: 1 0 240px } .lists p { margin: 4px 0 0; padding: 6px 8px; color: #98A2B3;
     border: 1px solid #D3DAE6; border-radius: 4px }
a { color: #006BB4 } .note { font-size: 12px }
@media (prefers-color-scheme: dark) {
  body { background: #141519; color: #DFE5EF }
  section { background: #1D1E24; border-color: #343741 }
  th, td { border-color: #25262E } a { color: #36A2EF } .number small, .bars em { color: #98A2B3 }
  .lists p { border-color: #343741 } text { fill: #98A2B3 }
}
"""


class Data:
    """The rows of panels: events from a store, findings from the file beside them."""

    def __init__(self, store: EmbeddedStore, engine: DuckDBEngine) -> None:
        self.engine = engine
        self.findings = list(read_findings(store.path).values())

    def rows(self, query: Query, *, findings: bool) -> Rows:
        """Return the rows of a query, its time series in the interval of the pictures."""
        keys = tuple(
            replace(key, interval=INTERVAL) if isinstance(key, DateHistogram) else key
            for key in query.group_by
        )
        query = replace(query, group_by=keys)
        if not findings:
            return [tuple(row) for row in self.engine.run(query).rows]
        matching = [one for one in self.findings if holds(query.where, one)]
        if query.select:
            matching.sort(key=lambda one: one["@timestamp"], reverse=True)
            return [tuple(one.get(name) for name in query.select) for one in matching]
        return grouped(query, matching)


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether a finding matches a condition of a panel."""
    match condition:
        case Always():
            return True
        case Compare(name, "=", value):
            return bool(record.get(name) == value)
        case OneOf(name, values):
            return record.get(name) in values
    raise TypeError(f"panels of findings have no {type(condition).__name__}")


def grouped(query: Query, records: Iterable[Mapping[str, Any]]) -> Rows:
    """Return the rows of a query about findings."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        for key in _keys(query, record):
            groups.setdefault(key, []).append(record)
    if not query.group_by:
        groups.setdefault((), [])
    rows = [
        (*key, *(_metric(metric, members) for metric in query.metrics))
        for key, members in groups.items()
    ]
    for order in reversed(query.order):
        at = query.columns.index(order.column)
        rows.sort(key=lambda row: row[at], reverse=order.descending)
    return rows[: query.limit]


def _keys(query: Query, record: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    keys: list[tuple[Any, ...]] = [()]
    for key in query.group_by:
        if isinstance(key, DateHistogram):
            seconds = INTERVAL.total_seconds()
            start = record["@timestamp"].timestamp() // seconds * seconds
            values = [datetime.fromtimestamp(start, record["@timestamp"].tzinfo)]
        else:
            value = record.get(key.field)
            values = value if isinstance(value, list) else [] if value is None else [value]
        keys = [(*before, value) for before in keys for value in values]
    return keys


def _metric(metric: Metric, members: list[Mapping[str, Any]]) -> Any:
    values = [one[metric.field] for one in members if one.get(metric.field) is not None]
    match metric.kind:
        case "count":
            return len(members)
        case "count_distinct":
            return len(set(values))
        case "max":
            return max(values, default=None)
    raise TypeError(f"panels of findings have no {metric.kind}")


def shown(value: Any, field: str = "") -> str:
    """Return a value as the index pattern formats it."""
    if value is None:
        return MISSING
    if isinstance(value, datetime):
        return f"{value:%b} {value.day} {value:%H:%M:%S}"
    if field == "verb" and value == "":
        return "(none)"
    if field == "event.duration":
        return f"{value / 1e6:,.1f}"
    if field == "event.bytes":
        return f"{value / 1024:,.1f}KB" if value < 1024**2 else f"{value / 1024**2:,.1f}MB"
    if field == "finding.query":
        return "show events"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and field != "responseStatus.code" else str(value)


def colors_for(panel: Panel, names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each series."""
    terms = [key for key in panel.query.group_by if isinstance(key, Terms)]
    fixed = colors_of(terms[0].field) if terms else {}
    rest = iter(PALETTE * 5)
    return {name: fixed.get(name) or (NEUTRAL if name == MISSING else next(rest)) for name in names}


def number(panel: Panel, rows: Rows) -> str:
    metric = panel.query.metrics[0]
    value = shown(rows[0][0] or 0, metric.field if metric.kind == "sum" else "")
    return f'<div class="number">{value}<small>{escape(metric.name)}</small></div>'


def table(panel: Panel, rows: Rows) -> str:
    columns = table_columns(panel)
    fixed = fixed_widths(columns)
    fields = [key.field for key in panel.query.group_by if isinstance(key, Terms)]
    fields += [metric.field if metric.kind != "count_distinct" else ""
               for metric in panel.query.metrics]  # fmt: skip
    return _table([(heading, fixed.get(at, 0), kind == "number" and at >= len(panel.query.group_by))
                   for at, (_, kind, heading) in enumerate(columns)], fields, rows)  # fmt: skip


def _table(columns: list[tuple[str, int, bool]], fields: list[str], rows: Rows) -> str:
    cells = "".join(
        f'<th style="width:{width or "auto"}{"px" if width else ""}" {_class(right)}>'
        f"{escape(heading)}</th>"
        for heading, width, right in columns
    )
    lines = [
        "".join(
            f"<td {_class(columns[at][2])}>{_cell(value, fields[at])}</td>"
            for at, value in enumerate(row)
        )
        for row in rows[:12]
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><tr>{cells}</tr>{body}</table>"


def _class(right: bool) -> str:
    return 'class="n"' if right else ""


def _cell(value: Any, field: str) -> str:
    text = escape(shown(value, field))
    return f'<a href="#">{text}</a>' if field in ("finding.query", "rule.id") else text


def bars(panel: Panel, rows: Rows) -> str:
    most = max((row[1] for row in rows), default=1)
    field = panel.query.group_by[0].field if isinstance(panel.query.group_by[0], Terms) else ""
    lines = [
        f"<div><span>{escape(shown(key, field))}</span>"
        f'<b style="width:{60 * count / most:.1f}%"></b><em>{count:,}</em></div>'
        for key, count in rows
    ]
    return f'<div class="bars">{"".join(lines)}</div>'


def pie(panel: Panel, rows: Rows) -> str:
    names = [shown(row[0]) for row in rows]
    colors = colors_for(panel, names)
    total, at, parts = sum(row[1] for row in rows) or 1, 0.0, []
    for name, row in zip(names, rows, strict=True):
        end = at + 100 * row[1] / total
        parts.append(f"{colors[name]} {at:.2f}% {end:.2f}%")
        at = end
    donut = f'<div class="donut" style="background:conic-gradient({",".join(parts)})"></div>'
    return donut + legend(colors)


def legend(colors: Mapping[str, str]) -> str:
    lines = [
        f'<div><i style="background:{color}"></i>{escape(name)}</div>'
        for name, color in colors.items()
    ]
    return f'<div class="legend">{"".join(lines)}</div>'


def timeline(panel: Panel, rows: Rows, *, lines: bool) -> str:
    split = len(panel.query.group_by) > 1
    totals: dict[str, float] = {}
    cells: dict[datetime, dict[str, float]] = {}
    for row in rows:
        start, name, value = row[0], shown(row[1]) if split else "", row[-1] or 0
        totals[name] = totals.get(name, 0) + value
        cells.setdefault(start, {})[name] = value
    names = sorted(totals, key=lambda name: -totals[name])[:SERIES]
    colors = colors_for(panel, names)
    if not cells:
        return "<p>No results found</p>"
    first, last = min(cells), max(cells)
    count = int((last - first) / INTERVAL) + 1
    stacked = max(sum(cell.get(name, 0) for name in names) for cell in cells.values())
    single = max(max(cell.get(name, 0) for name in names) for cell in cells.values())
    most = (single if lines else stacked) or 1
    marks = []
    for name in reversed(names) if lines else []:
        points = " ".join(
            f"{1000 * (start - first) / INTERVAL / count:.1f},"
            f"{290 - 280 * cells[start].get(name, 0) / most:.1f}"
            for start in sorted(cells)
        )
        marks.append(f'<polyline points="{points}" fill="none" stroke="{colors[name]}" '
                     'stroke-width="3"/>')  # fmt: skip
    for start, cell in () if lines else cells.items():
        x, y = 1000 * ((start - first) / INTERVAL) / count, 290.0
        for name in names:
            height = 280 * cell.get(name, 0) / most
            y -= height
            marks.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{900 / count:.1f}" '
                         f'height="{height:.1f}" fill="{colors[name]}"/>')  # fmt: skip
    svg = f'<svg viewBox="0 0 1000 300" preserveAspectRatio="none">{"".join(marks)}</svg>'
    return svg + (legend(colors) if split else "")


def heatmap(rows: Rows) -> str:
    starts, names = sorted({row[0] for row in rows}), sorted({str(row[1]) for row in rows})
    counts = {(row[0], str(row[1])): row[2] for row in rows}
    most = max(counts.values(), default=1)
    lines = []
    for name in names:
        cells = "".join(
            f'<td style="background:rgba(0,107,180,{counts.get((start, name), 0) / most:.2f})">'
            "</td>"
            for start in starts
        )
        lines.append(f'<tr><td style="width:150px">{escape(name)}</td>{cells}</tr>')
    return f"<table>{''.join(lines)}</table>"


def body(item: Item, data: Data, *, findings: bool) -> str:
    """Return the content of a panel."""
    if isinstance(item, Events):
        fields = list(item.query.select)
        rows = data.rows(replace(item.query, limit=30), findings=findings)
        shown = stream_columns(fields, {field: field_type(field) for field in fields})
        widths = stream_widths(shown)
        columns = [(heading, widths.get(field, 0), False) for field, _, heading in shown]
        return _table(columns, fields, rows)
    if not isinstance(item, Panel):
        return ""
    rows = data.rows(item.query, findings=findings)
    match item.drawn:
        case "number":
            return number(item, rows)
        case "table":
            return table(item, rows)
        case "bars":
            return bars(item, rows)
        case "pie":
            return pie(item, rows)
        case "heatmap":
            return heatmap(rows)
    return timeline(item, rows, lines=item.drawn == "lines")


def page(dashboard: Dashboard, data: Data) -> str:
    """Return a dashboard as HTML."""
    parts = [_section(note_position(), "", f'<div class="note">{_markdown(dashboard)}</div>')]
    lists = "".join(f"<div>{escape(c.label)}<p>Select…</p></div>" for c in dashboard.controls)
    parts.append(_section(controls_position(), "Filter by", f'<div class="lists">{lists}</div>'))
    for item, rectangle in positions(dashboard, NOTE_HEIGHT + CONTROLS_HEIGHT):
        content = body(item, data, findings=dashboard.about_findings(item))
        parts.append(_section(rectangle, item.title, content))
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>'
        f'<main style="width:{SCREEN}px">{"".join(parts)}</main>'
    )


def _markdown(dashboard: Dashboard) -> str:
    text = escape(links(dashboards(), dashboard, Names(), "opensearch"))
    text = re.sub(r"\[([^]]+)\]\([^)]*\)", r'<a href="#">\1</a>', text)
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text).replace("\n\n", "<br><br>")


def _section(at: Rectangle, title: str, content: str) -> str:
    area = f"grid-column:{at.x + 1}/span {at.width};grid-row:{at.y + 1}/span {at.height}"
    heading = f"<h2>{escape(title)}</h2>" if title else ""
    return f'<section style="{area}">{heading}<div class="body">{content}</div></section>'


def write_pages(store: Path, folder: Path) -> list[Path]:
    """Write a page for each dashboard that shows data, and return their paths."""
    opened = EmbeddedStore(store)
    paths = []
    with opened.engine() as engine:
        data = Data(opened, engine)
        for dashboard in dashboards():
            if dashboard.controls:
                path = folder / f"dashboard-{dashboard.id}.html"
                path.write_text(page(dashboard, data), "utf-8")
                paths.append(path)
    return paths


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]), Path(sys.argv[2]))
