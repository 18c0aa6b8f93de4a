"""The daily summaries behind hunts that compare: how far they are, and making them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from k8sidx.backends.protocol import Engine
from k8sidx.backends.summaries import DAY, SummedEngine, complete, start_of
from k8sidx.backends.summary_key import digest_of
from k8sidx.backends.summary_store import Summaries
from k8sidx.hunt.allowlist import without_known_good
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.baseline_queries import questions
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.query.algebra import Query


@dataclass(frozen=True, slots=True)
class Baseline:
    """The summaries of one hunt.

    :param days: days that are over and have events.
    :param behind: those of them that lack a summary.
    :param made: how many were made just now.
    """

    hunt: str
    kind: str
    days: int
    behind: int
    first: date | None
    last: date | None
    made: int = 0


def comparing(hunts: Iterable[Hunt]) -> list[Hunt]:
    """The hunts that look at the time before."""
    return [hunt for hunt in hunts if questions(hunt) and not hunt.lists_missing]


def baselines(hunts: Sequence[Hunt], summaries: Summaries) -> list[Baseline]:
    """How far the summaries of hunts are.

    :raises StoreError: when the store cannot be read.
    """
    days = complete(summaries)
    return [_baseline(hunt, days, summaries) for hunt in hunts]


def update_baselines(
    hunts: Sequence[Hunt],
    engine: Engine,
    summaries: Summaries,
    window: Window,
    on_start: Callable[[Hunt], None] | None = None,
) -> list[Baseline]:
    """Make the summaries that hunts lack, of the whole days in a window.

    :raises UnsupportedQuery: when the engine has no way to run a hunt.
    :raises StoreError: when the store cannot be read.
    """
    days = [day for day in complete(summaries) if _in(day, window)]
    summed = SummedEngine(engine, summaries, ())
    updated = []
    for hunt in hunts:
        if on_start:
            on_start(hunt)
        made = max(summed.make(question, days) for question in _asked(hunt))
        updated.append(_baseline(hunt, days, summaries, made))
    return updated


def _baseline(hunt: Hunt, days: Sequence[date], summaries: Summaries, made: int = 0) -> Baseline:
    kept = set(days)
    for question in _asked(hunt):
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


def _asked(hunt: Hunt) -> tuple[Query, ...]:
    """What the hunt asks, with its known good left out."""
    return questions(without_known_good(hunt))


def _in(day: date, window: Window) -> bool:
    start = start_of(day)
    return (window.since is None or window.since <= start) and (
        window.until is None or start + DAY <= window.until
    )
