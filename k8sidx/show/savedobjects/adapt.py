"""Dashboards over the fields of an index that another program filled.

A panel whose fields are there stays as it is. A field that k8sidx derives, and that the index has
nothing to group by for, is replaced by those that it is derived from. What remains is left out,
with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from k8sidx.errors import UnsupportedQuery
from k8sidx.query.algebra import Key, Metric, Query, Terms
from k8sidx.show.panels.panel import Dashboard, Events, Item, Note, Panel, Row
from k8sidx.show.savedobjects.index_fields import TIME, IndexFields

INSTEAD = {
    "target.resource": ("objectRef.resource", "objectRef.subresource"),
    "target.name": ("objectRef.name",),
    "user.effective.name": ("user.username",),
    "user_agent.name": ("userAgent",),
    "source.ip": ("sourceIPs",),
    "event.outcome": ("responseStatus.code",),
}
"""Fields of the event from which a field is derived, for people to look at instead."""
_ONE_KEY = frozenset({"bars", "pie", "timeline", "lines", "heatmap"})
"""Charts in which another key would be another dimension."""


@dataclass(slots=True)
class Adapted:
    """Dashboards that an index can answer.

    :ivar left_out: the panel, with the reason.
    :ivar replaced: the panel, with the fields that it shows instead of another one.
    :ivar panels: number of panels that there would be over own fields.
    """

    dashboards: list[Dashboard] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    panels: int = 0


def adapt(dashboards: Iterable[Dashboard], fields: IndexFields) -> Adapted:
    """Return the dashboards over the fields of an index; one without any panel is left out."""
    adapted = Adapted()
    for dashboard in dashboards:
        rows = [
            row for row in (_row(row, dashboard, fields, adapted) for row in dashboard.rows) if row
        ]
        if rows:
            controls = tuple(
                control
                for control in dashboard.controls
                if dashboard.findings or _path(control.field, fields)
            )
            adapted.dashboards.append(replace(dashboard, rows=tuple(rows), controls=controls))
    return adapted


def _row(row: Row, dashboard: Dashboard, fields: IndexFields, adapted: Adapted) -> Row | None:
    kept: list[Item] = []
    for item in row.panels:
        if isinstance(item, Note) or dashboard.about_findings(item):
            kept.append(item)
            continue
        adapted.panels += 1
        name = f"{dashboard.title} / {item.title}"
        try:
            query, replaced = _query(item, fields)
        except UnsupportedQuery as error:
            adapted.left_out.append((name, error.message))
            continue
        adapted.replaced += [(name, text) for text in replaced]
        kept.append(replace(item, query=query))
    if not kept:
        return None
    # What is left of a row shares its room.
    return Row(row.height, tuple(kept), row.widths if len(kept) == len(row.panels) else ())


def _query(item: Panel | Events, fields: IndexFields) -> tuple[Query, list[str]]:
    """Return the query of a panel over fields that are there, and what was replaced.

    :raises UnsupportedQuery: when the index cannot answer it.
    """
    if lack := fields.lack_of(item.query.where):
        raise UnsupportedQuery(lack)
    replaced: list[str] = []
    if isinstance(item, Events):
        columns = list(_columns(item.query.select, fields, replaced))
        return replace(item.query, select=tuple(dict.fromkeys(columns))), replaced
    one_key = item.drawn in _ONE_KEY
    keys: dict[str, Key] = {}
    for key in item.query.group_by:
        for new in _keys(key, fields, replaced, one_key=one_key):
            keys.setdefault(new.field if isinstance(new, Terms) else new.column, new)
    metrics = tuple(_metric(metric, fields, replaced) for metric in item.query.metrics)
    return replace(item.query, group_by=tuple(keys.values()), metrics=metrics), replaced


def _keys(key: Key, fields: IndexFields, replaced: list[str], *, one_key: bool) -> Iterator[Key]:
    if not isinstance(key, Terms):
        fields.path(TIME)
        yield key
        return
    if _path(key.field, fields):
        yield key
        return
    names = INSTEAD.get(key.field, ())
    able = [name for name in names if _path(name, fields)]
    if not able or able[0] != names[0]:
        fields.path(key.field)  # raises
        raise UnsupportedQuery(f"this index has no {key.field} to group by.")
    able = able[:1] if one_key else able
    replaced.append(f"{' and '.join(able)} instead of {key.field}")
    for at, name in enumerate(able):
        heading = key.column if not at else name.rpartition(".")[2]
        yield Terms(name, heading, keep_missing=key.keep_missing or at > 0)


def _metric(metric: Metric, fields: IndexFields, replaced: list[str]) -> Metric:
    if not metric.field or _path(metric.field, fields):
        return metric
    for name in INSTEAD.get(metric.field, ()):
        if metric.kind == "count_distinct" and _path(name, fields):
            replaced.append(f"{name} instead of {metric.field}")
            return replace(metric, field=name)
    fields.path(metric.field)  # raises
    raise UnsupportedQuery(f"this index has no {metric.field} to group by.")


def _columns(names: Sequence[str], fields: IndexFields, replaced: list[str]) -> Iterator[str]:
    for name in names:
        able = [column for column in (name, *INSTEAD.get(name, ())) if _column(column, fields)]
        if name in able:
            yield name
        elif able:
            replaced.append(f"{' and '.join(able)} instead of {name}")
            yield from able
        else:
            replaced.append(f"no column {name}")


def _path(name: str, fields: IndexFields) -> str:
    try:
        return fields.path(name)
    except UnsupportedQuery:
        return ""


def _column(name: str, fields: IndexFields) -> str:
    try:
        return fields.column(name)
    except UnsupportedQuery:
        return ""
