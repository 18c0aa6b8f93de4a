"""Runner of hunts on an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.backends.shared import ScanRequest, SharedScans
from k8sidx.backends.summaries import SummaryEngine
from k8sidx.backends.summary_store import Summaries
from k8sidx.errors import UsageError
from k8sidx.hunt.allowlist import restrict_to, without_known_good
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.exemptions import lift_exemptions
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.lists import how_to_give
from k8sidx.hunt.required_fields import own_fields, required_fields
from k8sidx.hunt.result import HuntResult, Unjudged
from k8sidx.hunt.visibility import Overview, hidden_events, overview_of, subject
from k8sidx.query.algebra import Query

__all__ = ["Window", "run_hunt", "run_hunts"]


def run_hunt(
    hunt: Hunt,
    engine: Engine,
    window: Window,
    overview: Overview | None = None,
    summaries: Summaries | None = None,
) -> HuntResult:
    """Run one hunt.

    :param overview: of the data, when it is known.
    :param summaries: daily summaries of the store, for baselines; missing ones may be made.
    :raises UnsupportedQuery: when the engine has no way to run it.
    :raises StoreError: when the store cannot be read.
    """
    if hunt.lists_missing:
        return unjudged(hunt, engine, _lists_missing(hunt))
    lifted = lift_exemptions([hunt], engine, window, summaries)
    return _judge(lifted.hunts[0], engine, window, overview, summaries, lifted.unknown)


def _judge(
    hunt: Hunt,
    engine: Engine,
    window: Window,
    overview: Overview | None,
    summaries: Summaries | None,
    callers_unknown: tuple[Unjudged, ...],
) -> HuntResult:
    if hunt.lists_missing:
        return unjudged(hunt, engine, _lists_missing(hunt))
    tracked = _ExactnessTracker(engine)
    result = _run(without_known_good(hunt), tracked, window, summaries)
    overview = overview or overview_of([hunt], tracked, window)
    return replace(
        result,
        exact=tracked.exact,
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
    if summaries is not None and not hunt.counts_only(window):
        engine = SummaryEngine(engine, summaries, hunt.baseline_queries())
    return hunt.run(engine, window)


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
    return HuntResult(hunt.id, hunt.title, hunt.level, engine.name, True, (), [], cannot_judge=why)


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
    results = []
    with _engines(all_hunts, engine, window) as engines:
        overview = overview_of(all_hunts, engines[0], window) if all_hunts else None
        for hunt, hunt_engine in zip(all_hunts, engines, strict=True):
            if on_start:
                on_start(hunt)
            try:
                results.append(
                    _judge(hunt, hunt_engine, window, overview, summaries, lifted.unknown)
                )
            except UsageError as error:
                if on_error is None:
                    raise
                on_error(hunt, error)
                why = Unjudged("query", f"{engine.name} cannot run it: {error}")
                results.append(unjudged(hunt, engine, (why,)))
    return results


MIN_HUNTS_FOR_SHARED_SCAN = 3
"""Hunts from which on sharing a scan costs less than it saves."""


@contextmanager
def _engines(hunts: Sequence[Hunt], engine: Engine, window: Window) -> Iterator[Sequence[Engine]]:
    """Return an engine for each hunt."""
    if len(hunts) < MIN_HUNTS_FOR_SHARED_SCAN or not isinstance(engine, SharedScans):
        yield [engine] * len(hunts)
        return
    with engine.prepare(
        [_asker(hunt, window) for hunt in hunts], window.since, window.until
    ) as engines:
        yield engines


def _asker(hunt: Hunt, window: Window) -> ScanRequest:
    counts = hunt.counts_only(window)
    fields = own_fields(hunt) if counts else required_fields([hunt])
    return ScanRequest((hunt.condition, subject(hunt)), fields, counts)
