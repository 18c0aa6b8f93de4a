"""New-value hunts: values in the current time that the baseline does not have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import code_names, named, span, times, worded
from k8sidx.hunt.impersonators import ACTING
from k8sidx.hunt.kinds.evidence import (
    COUNT,
    EVIDENCE_METRICS,
    as_count,
    exact_result,
    finding_of,
    sort_key,
)
from k8sidx.hunt.kinds.finding_key import FindingKey
from k8sidx.hunt.kinds.options import FieldNames, SomeFieldNames, Span
from k8sidx.hunt.kinds.placed import without_places
from k8sidx.hunt.kinds.time_window import (
    CLUSTER,
    EXTENT,
    LEAST_HISTORY,
    WHOLE,
    Spans,
    Window,
    compared_spans,
    extent_of,
    reaches_back,
)
from k8sidx.hunt.result import Finding, HuntResult, Unjudged, Wording
from k8sidx.query.algebra import Query

Row: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHunt(Hunt):
    """Values that the baseline does not have.

    :param by: the fields whose combination is new.
    :param window: length of the current time when none is requested.
    :param history: length of the baseline when none is requested.
    :param known: fields of ``by`` whose values the baseline must have: what is new of a caller,
        say, is reported only of callers that are not new themselves.
    """

    kind = "new"
    facts = ("times",)
    documentation = (
        "combinations of values that are absent from the baseline. Nothing is judged if "
        "the data cover less than a tenth of the baseline. With `known`, those of which "
        "a part, for example the caller, is in the baseline."
    )
    untranslatable = "it compares with what the time before had"

    by: SomeFieldNames
    window: Span = timedelta(days=1)
    history: Span = timedelta(days=30)
    known: FieldNames = ()

    def run(self, engine: Engine, window: Window) -> HuntResult:
        """Return one finding, and one row, for each new combination of values."""
        key = FindingKey(self.by, window)
        extent = extent_of(engine, window)
        spans = compared_spans(window, extent, self.window, self.history)
        if spans is None:
            return _result(self, engine, key, [])
        now = replace(window, since=spans.since, until=spans.until)
        unplaced = without_places(self.condition, self.by, engine, now)
        if not reaches_back(extent, spans):
            too_short = _too_short(spans, extent.first)
            return _result(self, engine, key, [], (too_short, *unplaced))
        width = len(key.fields)
        query = _combinations(self, window)
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
        new = self._new_rows(current.rows, known, key)
        new.sort(key=lambda row: (-as_count(row[width]), sort_key(row[:width])))
        judged = self._of_known(new, known, key)
        findings = [_finding(self, key, row, spans) for row in judged]
        result = _result(self, engine, key, findings, unplaced)
        if len(judged) == len(new):
            return result
        others = (
            f"{len(new) - len(judged):,} new combinations are of {code_names(self.known)} that the "
            "time before did not have either: there is nothing to compare them with."
        )
        return replace(result, notes=(*result.notes, others))

    def _new_rows(self, rows: Sequence[Row], known: Collection[Row], key: FindingKey) -> list[Row]:
        """Return the rows whose values the baseline does not have.

        With :attr:`known`, whom a caller impersonates does not count: the caller would be new
        under each name.
        """
        parts = [at for at, name in enumerate(key.fields) if not self.known or name != ACTING]
        before = {tuple(row[part] for part in parts) for row in known}
        return [row for row in rows if tuple(row[part] for part in parts) not in before]

    def _of_known(self, new: Sequence[Row], known: Collection[Row], key: FindingKey) -> list[Row]:
        """Return the rows of which the baseline has the values of :attr:`known`."""
        if not self.known:
            return list(new)
        names = {*FindingKey(self.known, WHOLE).fields, CLUSTER} - {ACTING}
        parts = [at for at, name in enumerate(key.fields) if name in names]
        callers = {tuple(row[part] for part in parts) for row in known}
        return [row for row in new if tuple(row[part] for part in parts) in callers]

    def key_names(self) -> Collection[str]:
        return self.by

    def required_fields(self) -> Collection[str]:
        return FindingKey(self.by, WHOLE).fields

    def baseline_queries(self, window: Window | None = None) -> tuple[Query, ...]:
        return (EXTENT, _combinations(self, window or WHOLE))

    def describe(self) -> str:
        return (
            f"{code_names(self.by)} of the last {span(self.window)} that the "
            f"{span(self.history)} before did not have"
        )


def _combinations(hunt: NewHunt, window: Window) -> Query:
    """Return the query for the combinations of values that exist."""
    return Query(
        where=hunt.condition,
        group_by=FindingKey(hunt.by, window).terms(keep_missing=False),
        metrics=(COUNT,),
    )


def _too_short(spans: Spans, first: datetime | None) -> Unjudged:
    reach = f"begin {first:%F %T}Z" if first else "have no times"
    return Unjudged(
        "history",
        f"the data {reach}; to say what is new, at least {LEAST_HISTORY:.0%} of the "
        f"{span(spans.since - spans.start)} before {spans.since:%F %T}Z is needed.",
    )


def _finding(
    hunt: NewHunt, finding_key: FindingKey, row: tuple[Value, ...], spans: Spans
) -> Finding:
    width = len(finding_key.fields)
    key = finding_key.key(finding_key.values(row[:width]))
    facts = {"times": times(as_count(row[width]))}
    ending = f"; never in the {span(spans.since - spans.start)} before"
    wording = Wording(hunt.reason, facts, ending) if hunt.reason else None
    default = f"{hunt.title}: {named(key)}, {facts['times']}{ending}"
    reason = worded(wording, key) if wording else default
    return replace(finding_of(hunt, key, row[width:], reason), wording=wording)


def _result(
    hunt: NewHunt,
    engine: Engine,
    finding_key: FindingKey,
    findings: list[Finding],
    unjudged: tuple[Unjudged, ...] = (),
) -> HuntResult:
    keys = [tuple(finding.key.get(name) for name in finding_key.columns) for finding in findings]
    columns, shown = finding_key.table(keys)
    rows: list[tuple[Value, ...]] = [
        (*values, finding.first_seen, finding.last_seen, finding.count)
        for values, finding in zip(shown, findings, strict=True)
    ]
    columns = (*columns, "first_seen", "last_seen", "count")
    return exact_result(hunt, engine, columns, rows, findings, unjudged)
