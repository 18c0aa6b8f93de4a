"""Baseline summaries: their state by hunt, and their update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from k8sidx.backends.protocol import Engine
from k8sidx.backends.summaries import DAY, SummaryEngine, completed_days, start_of_day
from k8sidx.backends.summary_key import digest_of
from k8sidx.backends.summary_store import Summaries
from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.allowlist import without_known_good
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.events_judged import clusters_of
from k8sidx.hunt.kinds.time_window import WHOLE, Window
from k8sidx.query.algebra import Query


@dataclass(frozen=True, slots=True)
class Baseline:
    """The summaries of one hunt.

    :param days: number of complete days with events.
    :param behind: number of these that lack a summary.
    :param made: number of summaries that this update made.
    """

    hunt: str
    kind: str
    days: int
    behind: int
    first: date | None
    last: date | None
    made: int = 0


def comparing(hunts: Iterable[Hunt]) -> list[Hunt]:
    """Return the hunts that compare with a baseline."""
    return [hunt for hunt in hunts if hunt.baseline_queries() and not hunt.lists_missing]


def baseline_states(hunts: Sequence[Hunt], engine: Engine, summaries: Summaries) -> list[Baseline]:
    """Return the state of the summaries of hunts.

    :raises StoreError: when the store cannot be read.
    """
    days = completed_days(summaries)
    scope = _scope(engine)
    return [_baseline(hunt, scope, days, summaries) for hunt in hunts]


def update_baselines(
    hunts: Sequence[Hunt],
    engine: Engine,
    summaries: Summaries,
    window: Window,
    on_start: Callable[[Hunt], None] | None = None,
    on_error: Callable[[Hunt, UnsupportedQuery], None] | None = None,
) -> list[Baseline]:
    """Make the missing summaries of hunts for the whole days in a window.

    :param on_start: called with each hunt before its summaries are made.
    :param on_error: called with each hunt that the engine has no way to run, while the others
        are updated; without it the error is raised.

    :raises UnsupportedQuery: when the engine has no way to run a hunt.
    :raises StoreError: when the store cannot be read.
    """
    days = [day for day in completed_days(summaries) if _is_within(day, window)]
    summed = SummaryEngine(engine, summaries, ())
    scope = _scope(engine)
    updated = []
    for hunt in hunts:
        if on_start:
            on_start(hunt)
        made = 0
        try:
            made = max(summed.make(question, days) for question in _queries(hunt, scope))
        except UnsupportedQuery as error:
            if on_error is None:
                raise
            on_error(hunt, error)
        updated.append(_baseline(hunt, scope, days, summaries, made))
    return updated


def _baseline(
    hunt: Hunt, scope: Window, days: Sequence[date], summaries: Summaries, made: int = 0
) -> Baseline:
    kept = set(days)
    for question in _queries(hunt, scope):
        kept &= summaries.kept(digest_of(question))
    return Baseline(
        hunt.id,
        hunt.kind,
        len(days),
        len(days) - len(kept),
        min(kept, default=None),
        max(kept, default=None),
        made,
    )


def _scope(engine: Engine) -> Window:
    """Return the window of all events, with their clusters."""
    return replace(WHOLE, clusters=clusters_of(engine, WHOLE))


def _queries(hunt: Hunt, scope: Window) -> tuple[Query, ...]:
    """Return the baseline queries without events that the allow list suppresses."""
    return without_known_good(hunt).baseline_queries(scope)


def _is_within(day: date, window: Window) -> bool:
    start = start_of_day(day)
    return (window.since is None or window.since <= start) and (
        window.until is None or start + DAY <= window.until
    )
