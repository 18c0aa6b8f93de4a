"""New-value hunts: values in the current time that the baseline does not have."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import code_names, fill, named, span, times
from k8sidx.hunt.kinds.evidence import (
    COUNT,
    EVIDENCE_METRICS,
    as_count,
    exact_result,
    finding_of,
    sort_key,
)
from k8sidx.hunt.kinds.options import SomeFieldNames, Span
from k8sidx.hunt.kinds.time_window import (
    EXTENT,
    LEAST_HISTORY,
    Spans,
    Window,
    compared_spans,
    extent_of,
    reaches_back,
)
from k8sidx.hunt.result import Finding, HuntResult, Unjudged
from k8sidx.query.algebra import Query, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHunt(Hunt):
    """Values that the baseline does not have.

    :param by: the fields whose combination is new.
    :param window: length of the current time when none is requested.
    :param history: length of the baseline when none is requested.
    """

    kind = "new"
    facts = ("times",)
    documentation = (
        "combinations of values that are absent from the baseline. Nothing is judged if "
        "the data cover less than a tenth of the baseline."
    )
    untranslatable = "it compares with what the time before had"

    by: SomeFieldNames
    window: Span = timedelta(days=1)
    history: Span = timedelta(days=30)

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each new combination of values."""
        extent = extent_of(engine, window)
        spans = compared_spans(window, extent, self.window, self.history)
        if spans is None:
            return _result(self, engine, [])
        if not reaches_back(extent, spans):
            return _result(self, engine, [], (_too_short(spans, extent.first),))
        width = len(self.by)
        query = _combinations(self)
        current = engine.run(
            replace(
                query,
                since=spans.since,
                until=spans.until,
                metrics=(*query.metrics, *EVIDENCE_METRICS),
            )
        )
        before = engine.run(query.replace(since=spans.start, until=spans.since))
        known = {row[:width] for row in before.rows}
        new = [row for row in current.rows if row[:width] not in known]
        new.sort(key=lambda row: (-as_count(row[width]), sort_key(row[:width])))
        return _result(self, engine, [_finding(self, row, spans) for row in new])

    def key_names(self) -> Collection[str]:
        return self.by

    def required_fields(self) -> Collection[str]:
        return self.by

    def baseline_queries(self) -> tuple[Query, ...]:
        return (EXTENT, _combinations(self))

    def describe(self) -> str:
        return (
            f"{code_names(self.by)} of the last {span(self.window)} that the "
            f"{span(self.history)} before did not have"
        )


def _combinations(hunt: NewHunt) -> Query:
    """Return the query for the combinations of values that exist."""
    return Query(
        where=hunt.condition,
        group_by=tuple(Terms(name) for name in hunt.by),
        metrics=(COUNT,),
    )


def _too_short(spans: Spans, first: datetime | None) -> Unjudged:
    reach = f"begin {first:%F %T}Z" if first else "have no times"
    return Unjudged(
        "history",
        f"the data {reach}; to say what is new, at least {LEAST_HISTORY:.0%} of the "
        f"{span(spans.since - spans.start)} before {spans.since:%F %T}Z is needed.",
    )


def _finding(hunt: NewHunt, row: tuple[Value, ...], spans: Spans) -> Finding:
    width = len(hunt.by)
    key: dict[str, Value] = dict(zip(hunt.by, row[:width], strict=True))
    facts = {"times": times(as_count(row[width]))}
    default = f"{hunt.title}: {named(key)}, {facts['times']}"
    reason = fill(hunt.reason, key, facts) if hunt.reason else default
    unseen = f"{reason}; never in the {span(spans.since - spans.start)} before"
    return finding_of(hunt, key, row[width:], unseen)


def _result(
    hunt: NewHunt,
    engine: Engine,
    findings: list[Finding],
    unjudged: tuple[Unjudged, ...] = (),
) -> HuntResult:
    rows: list[tuple[Value, ...]] = [
        (*finding.key.values(), finding.first_seen, finding.last_seen, finding.count)
        for finding in findings
    ]
    columns = (*hunt.by, "first_seen", "last_seen", "count")
    return exact_result(hunt, engine, columns, rows, findings, unjudged)
