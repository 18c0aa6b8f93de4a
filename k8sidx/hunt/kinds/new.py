"""New-entrant hunts: values in the current time that the time before did not have."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import NewHunt
from k8sidx.hunt.finding_text import fill, named, span, times
from k8sidx.hunt.kinds.baseline_queries import known_before
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS, exact_result, finding_of, sortable, whole
from k8sidx.hunt.kinds.time_window import (
    LEAST_HISTORY,
    Spans,
    Window,
    compared_spans,
    extent_of,
    reaches_back,
)
from k8sidx.hunt.result import CannotJudge, Finding, HuntResult


def run_new(hunt: NewHunt, engine: Engine, window: Window) -> HuntResult:
    """One finding, and one row, for each new combination of values."""
    extent = extent_of(engine, window)
    spans = compared_spans(window, extent, hunt.window, hunt.history)
    if spans is None:
        return _result(hunt, engine, [])
    if not reaches_back(extent, spans):
        return _result(hunt, engine, [], (_too_short(spans, extent.first),))
    width = len(hunt.by)
    asked = known_before(hunt)
    now = engine.run(
        replace(
            asked,
            since=spans.since,
            until=spans.until,
            metrics=(*asked.metrics, *EVIDENCE_METRICS),
        )
    )
    before = engine.run(asked.replace(since=spans.start, until=spans.since))
    known = {row[:width] for row in before.rows}
    new = [row for row in now.rows if row[:width] not in known]
    new.sort(key=lambda row: (-whole(row[width]), sortable(row[:width])))
    return _result(hunt, engine, [_finding(hunt, row, spans) for row in new])


def _too_short(spans: Spans, first: datetime | None) -> CannotJudge:
    reach = f"begin {first:%F %T}Z" if first else "have no times"
    return CannotJudge(
        "history",
        f"the data {reach}; to say what is new, at least {LEAST_HISTORY:.0%} of the "
        f"{span(spans.since - spans.start)} before {spans.since:%F %T}Z is needed.",
    )


def _finding(hunt: NewHunt, row: tuple[Value, ...], spans: Spans) -> Finding:
    width = len(hunt.by)
    key: dict[str, Value] = dict(zip(hunt.by, row[:width], strict=True))
    facts = {"times": times(whole(row[width]))}
    usual = f"{hunt.title}: {named(key)}, {facts['times']}"
    reason = fill(hunt.reason, key, facts) if hunt.reason else usual
    unseen = f"{reason}; never in the {span(spans.since - spans.start)} before"
    return finding_of(hunt, key, row[width:], unseen)


def _result(
    hunt: NewHunt,
    engine: Engine,
    findings: list[Finding],
    cannot_judge: tuple[CannotJudge, ...] = (),
) -> HuntResult:
    rows: list[tuple[Value, ...]] = [
        (*one.key.values(), one.first_seen, one.last_seen, one.count) for one in findings
    ]
    columns = (*hunt.by, "first_seen", "last_seen", "count")
    return exact_result(hunt, engine, columns, rows, findings, cannot_judge)
