"""Model of panels and dashboards.

A panel is one query of the audit log that is worth seeing every day: a
:class:`~k8sidx.query.algebra.Query` with a title and a chart type. Saved objects of
OpenSearch Dashboards and Kibana, the report and the tests are all derived from it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from k8sidx.query.algebra import DateHistogram, Metric, Query

WIDTH = 48
"""Columns of a dashboard's grid, in both products."""

Drawn: TypeAlias = Literal["number", "bars", "pie", "table", "timeline", "lines", "heatmap"]
"""``number``: the metrics, large. ``bars``: horizontal bars of one key. ``timeline``: stacked
bars over time; ``lines`` the same as lines. ``heatmap``: one key over time."""

SPAN = timedelta(minutes=5)
"""Default interval of time series; dashboards choose their own by the displayed time range."""

COUNT = Metric("requests", "count")


@dataclass(frozen=True, slots=True)
class Panel:
    """A query and its chart type.

    :param id: unique among all panels; part of the saved objects' ids.
    :param title: a few words.
    :param answers: the question that it answers, in a sentence.
    :param drawn: chart type.
    :param query: its column names are the headings.
    :param goals: rows of the goal table in docs/dashboards.md that it answers.
    :param hunt: id of the hunt whose own query it is.
    :param findings: whether it is about saved findings on a dashboard of events.
    """

    id: str
    title: str
    answers: str
    drawn: Drawn
    query: Query
    goals: tuple[int, ...] = ()
    hunt: str = ""
    findings: bool = False

    def over(self, interval: timedelta) -> Query:
        """Return the query with another interval in its date histogram."""
        keys = tuple(
            dataclasses.replace(key, interval=interval) if isinstance(key, DateHistogram) else key
            for key in self.query.group_by
        )
        return dataclasses.replace(self.query, group_by=keys)


@dataclass(frozen=True, slots=True)
class Events:
    """The events themselves, newest first.

    :param query: ``select`` names the columns.
    """

    id: str
    title: str
    answers: str
    query: Query
    goals: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A text.

    :param markdown: its content.
    """

    id: str
    title: str
    answers: str
    markdown: str
    goals: tuple[int, ...] = ()


Item: TypeAlias = Panel | Events | Note


@dataclass(frozen=True, slots=True)
class Control:
    """A drop-down filter of a dashboard: the field, and its label."""

    field: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side.

    :param height: in rows of the grid.
    :param widths: columns of the grid that each has; by default equal shares.
    """

    height: int
    panels: tuple[Item, ...]
    widths: tuple[int, ...] = ()

    def edges(self) -> list[int]:
        """Return the columns of the grid at which the panels begin, and the last one ends."""
        if self.widths:
            return [sum(self.widths[:at]) for at in range(len(self.widths) + 1)]
        return [WIDTH * at // len(self.panels) for at in range(len(self.panels) + 1)]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels.

    :param about: its purpose, in a sentence or two.
    :param controls: drop-down filters; empty for none.
    :param findings: whether it shows the findings that ``hunt --save`` stores instead of events.
    """

    id: str
    title: str
    about: str
    rows: tuple[Row, ...]
    controls: tuple[Control, ...] = ()
    findings: bool = False

    @property
    def panels(self) -> tuple[Item, ...]:
        return tuple(panel for row in self.rows for panel in row.panels)

    def about_findings(self, item: Item) -> bool:
        """Whether a panel shows saved findings."""
        return self.findings or (isinstance(item, Panel) and item.findings)

    @property
    def has_findings(self) -> bool:
        """Whether any panel shows saved findings."""
        return any(self.about_findings(item) for item in self.panels)
