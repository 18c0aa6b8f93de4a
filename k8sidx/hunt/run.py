"""Runner of hunts on an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result, Value
from k8sidx.backends.scoped import ScopedEngine
from k8sidx.backends.shared import ConcurrentQueries, ScanRequest, SharedScans
from k8sidx.backends.summaries import SummaryEngine
from k8sidx.backends.summary_store import Summaries
from k8sidx.errors import UnsupportedQuery, UsageError
from k8sidx.hunt.allowlist import restrict_to, without_known_good
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.events_judged import clusters_of, events_judged
from k8sidx.hunt.exemptions import lift_exemptions
from k8sidx.hunt.finding_callers import with_callers
from k8sidx.hunt.impersonators import ACTING, EFFECTIVE, trusted_condition
from k8sidx.hunt.kinds.correlation import Correlation
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.time_window import CLUSTER, Window, count_events
from k8sidx.hunt.lists import how_to_give
from k8sidx.hunt.required_fields import own_fields, scanned_fields
from k8sidx.hunt.result import UNNAMED, EventsJudged, HuntResult, Unjudged
from k8sidx.hunt.ties import with_ties
from k8sidx.hunt.visibility import Overview, hidden_events, overview_of, subject
from k8sidx.query.algebra import Compare, Condition, Not, Present, Query

__all__ = ["Window", "run_hunt", "run_hunts"]


def run_hunt(
    hunt: Hunt, engine: Engine, window: Window, summaries: Summaries | None = None
) -> HuntResult:
    """Run one hunt.

    :param summaries: daily summaries of the store, for baselines; missing ones may be made.
    :raises UnsupportedQuery: when the engine has no way to run it.
    :raises StoreError: when the store cannot be read.
    """
    (result,) = run_hunts([hunt], engine, window, summaries=summaries)
    return result


def _judge(
    hunt: Hunt,
    engine: Engine,
    window: Window,
    overview: Overview,
    summaries: Summaries | None,
    callers_unknown: tuple[Unjudged, ...],
) -> HuntResult:
    if hunt.lists_missing:
        return unjudged(hunt, engine, _lists_missing(hunt))
    tracked = _ExactnessTracker(engine)
    result = _run(without_known_good(hunt), tracked, window, summaries)
    return replace(
        result,
        exact=tracked.exact,
        tags=tuple(hunt.tags),
        falsepositives=tuple(hunt.falsepositives),
        notes=(*result.notes, *_suppressed(hunt, tracked, window)),
        cannot_judge=(
            *_impossible(hunt),
            *(callers_unknown if hunt.unexempted is not None else ()),
            *hidden_events(hunt, tracked, window, overview),
            *result.cannot_judge,
        ),
    )


def _suppressed(hunt: Hunt, engine: Engine, window: Window) -> Iterator[str]:
    """Yield a note on how much each entry of the allow list suppresses, and on expired ones."""
    for entry in hunt.known_good:
        if entry.expired:
            yield (
                f"was known good until {entry.expires:%F} ({entry.where}), and is left out no "
                f"more: {entry.reason}"
            )
            continue
        kept = _run(restrict_to(hunt, entry), engine, window)
        number = len(kept.findings) or len(kept.rows)
        if number:
            noun = "finding" if kept.findings else "row"
            events = sum(as_count(row[-1]) for row in kept.rows)
            plural = "" if number == 1 else "s"
            yield (
                f"known good until {entry.expires:%F}, {number:,} {noun}{plural} ({events:,} "
                f"requests) left out: {entry.reason}"
            )


class _ExactnessTracker:
    """An engine that records whether all its results were exact: a finding rests on several."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.exact = True
        self._engine = engine

    def run(self, query: Query) -> Result:
        result = self._engine.run(query)
        self.exact = self.exact and result.exact
        return result


def _run(
    hunt: Hunt, engine: Engine, window: Window, summaries: Summaries | None = None
) -> HuntResult:
    if window.by_cluster and hunt.judges_clusters_alone(window):
        return _run_by_cluster(hunt, engine, window)
    if window.through_proxies and isinstance(hunt, Correlation) and hunt.is_about_callers:
        return joined(
            hunt.restricted_to(Not(window.through_proxies)).run(engine, window),
            _of_people(hunt.for_people(window.through_proxies).run(engine, window)),
        )
    if summaries is not None and not hunt.counts_only(window):
        engine = SummaryEngine(engine, summaries, hunt.baseline_queries(window))
    return hunt.run(engine, window)


def _run_by_cluster(hunt: Hunt, engine: Engine, window: Window) -> HuntResult:
    """Return the results of a hunt about numbers of events, for each cluster by itself."""
    results = []
    for name in window.clusters:
        here: Condition = Not(Present(CLUSTER)) if name is None else Compare(CLUSTER, "=", name)
        shown = UNNAMED if name is None else name
        result = hunt.run(ScopedEngine(engine, here), replace(window, clusters=(name,)))
        results.append(
            replace(
                result,
                columns=(CLUSTER, *result.columns),
                rows=[(shown, *row) for row in result.rows],
                notes=tuple(f"{shown}: {note}" for note in result.notes),
                findings=[
                    replace(finding, key={**finding.key, CLUSTER: shown})
                    for finding in result.findings
                ],
            )
        )
    return joined(*_with_same_columns(results))


def _with_same_columns(results: Sequence[HuntResult]) -> list[HuntResult]:
    """Return results with the columns of the one that has most: a cluster without a baseline has
    nothing in those that compare."""
    columns = max((result.columns for result in results), key=len)
    return [
        replace(
            result,
            columns=columns,
            rows=[_row(columns, result.columns, row) for row in result.rows],
        )
        for result in results
    ]


def _row(
    columns: Sequence[str], present: Sequence[str], row: tuple[Value, ...]
) -> tuple[Value, ...]:
    values = dict(zip(present, row, strict=True))
    return tuple(values.get(name) for name in columns)


def _of_people(result: HuntResult) -> HuntResult:
    """Return a result with the people, whose requests a proxy sent, as the impersonated users."""
    findings = [
        replace(finding, key={**finding.key, ACTING: finding.key[EFFECTIVE]})
        if EFFECTIVE in finding.key
        else finding
        for finding in result.findings
    ]
    return replace(result, findings=findings)


def joined(first: HuntResult, *others: HuntResult) -> HuntResult:
    """Return the results of one hunt over several parts of the events as one."""
    results = (first, *others)
    return replace(
        first,
        exact=all(result.exact for result in results),
        rows=[row for result in results for row in result.rows],
        findings=[finding for result in results for finding in result.findings],
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        cannot_judge=tuple(dict.fromkeys(gap for result in results for gap in result.cannot_judge)),
    )


def _lists_missing(hunt: Hunt) -> tuple[Unjudged, ...]:
    return tuple(
        Unjudged("list", f"it needs the list {name!r}. {how_to_give(name)}")
        for name in hunt.lists_missing
    )


def _impossible(hunt: Hunt) -> tuple[Unjudged, ...]:
    return tuple(
        Unjudged("impossible", f"{test.where}: {test.about}; no event passes that test.")
        for test in hunt.impossible
    )


def unjudged(hunt: Hunt, engine: Engine, why: tuple[Unjudged, ...]) -> HuntResult:
    """Return the result of a hunt that judges nothing."""
    return HuntResult(
        hunt.id, hunt.title, hunt.level, engine.name, True, (), [], cannot_judge=why,
        tags=tuple(hunt.tags), falsepositives=tuple(hunt.falsepositives),
    )  # fmt: skip


def run_hunts(
    hunts: Iterable[Hunt],
    engine: Engine,
    window: Window,
    on_start: Callable[[Hunt], None] | None = None,
    on_error: Callable[[Hunt, UsageError], None] | None = None,
    *,
    summaries: Summaries | None = None,
) -> list[HuntResult]:
    """Run hunts in their order; where the engine supports it, they share scans.

    :param on_start: called with each hunt before it runs.
    :param on_error: called with each hunt that the engine has no way to run, while the others
        run; without it the error is raised.
    :param summaries: daily summaries of the store, for baselines; missing ones may be made.
    """
    lifted = lift_exemptions(list(hunts), engine, window, summaries)
    all_hunts = lifted.hunts
    judged = events_judged(engine, window.since, window.until)
    window = _with_scope(window, all_hunts, engine, judged)
    results = []
    with _judging(all_hunts, engine, window, summaries, lifted.unknown) as judging:
        for hunt, judge in zip(all_hunts, judging, strict=True):
            if on_start:
                on_start(hunt)
            try:
                results.append(judge())
            except UsageError as error:
                if on_error is None:
                    raise
                on_error(hunt, error)
                why = Unjudged("query", f"{engine.name} cannot run it: {error}")
                results.append(unjudged(hunt, engine, (why,)))
    by_id = {hunt.id: hunt for hunt in all_hunts}
    trusted = next((hunt.trusted_impersonators for hunt in all_hunts), ())
    attributed = with_ties(with_callers(results, by_id, engine, window), trusted, engine, window)
    name = window.clusters[0] if len(window.clusters) == 1 else None
    return [replace(_in_cluster(result, name), judged=judged) for result in attributed]


def _in_cluster(result: HuntResult, name: str | None) -> HuntResult:
    """Return the result with the name of the only cluster in the keys of its findings."""
    if name is None or not result.findings:
        return result
    findings = [
        finding if CLUSTER in finding.key else replace(finding, key={**finding.key, CLUSTER: name})
        for finding in result.findings
    ]
    return replace(result, findings=findings)


def _with_scope(
    window: Window, hunts: Sequence[Hunt], engine: Engine, judged: EventsJudged
) -> Window:
    """Return the window with the clusters that are told apart, and the trusted proxies' requests.

    A baseline can have clusters that the window itself has not.
    """
    clusters = tuple(name for name, _ in judged.clusters)
    if judged.clusters and any(hunt.baseline_queries() for hunt in hunts):
        clusters = clusters_of(engine, window)
    trusted = next((hunt.trusted_impersonators for hunt in hunts if _may_split(hunt)), ())
    sent = trusted_condition(trusted)
    if not trusted or not _has(sent, engine, window):
        return replace(window, clusters=clusters)
    return replace(window, clusters=clusters, through_proxies=sent)


def _may_split(hunt: Hunt) -> bool:
    return (
        bool(hunt.trusted_impersonators) and isinstance(hunt, Correlation) and hunt.is_about_callers
    )


def _has(where: Condition, engine: Engine, window: Window) -> bool:
    try:
        return bool(count_events(where, engine, window))
    except UnsupportedQuery:
        return False


MIN_HUNTS_FOR_SHARED_SCAN = 3
"""Hunts from which on sharing a scan costs less than it saves."""


@contextmanager
def _judging(
    hunts: Sequence[Hunt],
    engine: Engine,
    window: Window,
    summaries: Summaries | None,
    callers_unknown: tuple[Unjudged, ...],
) -> Iterator[list[Callable[[], HuntResult]]]:
    """Return a function for each hunt that returns its result, or raises its error."""

    def judge(hunt: Hunt, overview: Overview, engine: Engine) -> HuntResult:
        return _judge(hunt, engine, window, overview, summaries, callers_unknown)

    if len(hunts) >= MIN_HUNTS_FOR_SHARED_SCAN and isinstance(engine, ConcurrentQueries):
        overview = overview_of(hunts, engine, window)
        with engine.together([partial(judge, hunt, overview) for hunt in hunts]) as outcomes:
            yield [outcome.result for outcome in outcomes]
        return
    with _engines(hunts, engine, window) as engines:
        overview = overview_of(hunts, engines[0], window) if hunts else Overview()
        yield [
            partial(judge, hunt, overview, each) for hunt, each in zip(hunts, engines, strict=True)
        ]


@contextmanager
def _engines(hunts: Sequence[Hunt], engine: Engine, window: Window) -> Iterator[Sequence[Engine]]:
    """Return an engine for each hunt."""
    if len(hunts) < MIN_HUNTS_FOR_SHARED_SCAN or not isinstance(engine, SharedScans):
        yield [engine] * len(hunts)
        return
    with engine.prepare(
        [_scan_request(hunt, window) for hunt in hunts], window.since, window.until
    ) as engines:
        yield engines


def _scan_request(hunt: Hunt, window: Window) -> ScanRequest:
    counts = hunt.counts_only(window)
    fields = own_fields(hunt) if counts else scanned_fields([hunt])
    return ScanRequest((hunt.condition, subject(hunt)), fields, counts)
