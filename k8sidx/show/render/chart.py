"""Charts of a report: stacked bars over time, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from k8sidx.backends.result import Value
from k8sidx.show.panels.survey import TimeSeries
from k8sidx.show.render.escape import visible
from k8sidx.show.render.sheet import Sheet

SERIES = 9
"""Series that colours can distinguish; the rest is added up."""
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    :param answers: the question that it answers.
    :param interval: length of the time that a bar stands for, in words.
    :param data: labels and series for the script that draws them.
    :param numbers: the same as a table, without intervals in which nothing happened.
    """

    title: str
    answers: str
    interval: str
    data: Mapping[str, object]
    numbers: Sheet


def chart_of(line: TimeSeries) -> Chart:
    """Return the chart of a time series."""
    series = _shown(line)
    columns = ("time", *(name for name, _ in series))
    rows: list[tuple[Value, ...]] = [
        (start, *(int(values[index]) for _, values in series))
        for index, start in enumerate(line.starts)
        if any(values[index] for _, values in series)
    ]
    return Chart(
        line.panel.title,
        line.panel.answers,
        _span(line.interval),
        {
            "labels": [_label(start.isoformat(), line.interval) for start in line.starts],
            "series": [{"name": name, "values": values} for name, values in series],
        },
        Sheet(columns, rows),
    )


def _shown(line: TimeSeries) -> list[tuple[str, list[float]]]:
    # The script's data are not an expression of a template: names are made visible here.
    shown = [(visible(name), list(values)) for name, values in line.series[:SERIES]]
    rest = [values for _, values in line.series[SERIES:]]
    if rest:
        shown.append((OTHERS, [sum(interval) for interval in zip(*rest, strict=True)]))
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
    unit, length = next(unit for unit in units if seconds % unit[1] == 0)
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"
