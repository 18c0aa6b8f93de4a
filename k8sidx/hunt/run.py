"""Runs hunts on an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.backends.shared import Asker, Sharing
from k8sidx.backends.summaries import SummedEngine
from k8sidx.backends.summary_store import Summaries
from k8sidx.errors import UsageError
from k8sidx.hunt.allowlist import only, without_known_good
from k8sidx.hunt.definition import (
    Hunt,
    MatchHunt,
    NewHunt,
    SequenceHunt,
    SilentHunt,
    SpikeHunt,
    ThresholdHunt,
    TopHunt,
)
from k8sidx.hunt.kinds.baseline_queries import questions
from k8sidx.hunt.kinds.evidence import whole
from k8sidx.hunt.kinds.match import run_match
from k8sidx.hunt.kinds.new import run_new
from k8sidx.hunt.kinds.sequence import run_sequence
from k8sidx.hunt.kinds.silent import run_silent
from k8sidx.hunt.kinds.spike import run_spike
from k8sidx.hunt.kinds.threshold import run_threshold
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.kinds.top import run_top
from k8sidx.hunt.lists import how_to_give
from k8sidx.hunt.required_fields import fields_needed, own_fields
from k8sidx.hunt.result import CannotJudge, HuntResult
from k8sidx.hunt.visibility import Overview, hidden, overview_of, subject
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

    :param overview: what the data are like, when it is known.
    :param summaries: of the store, for the time before; some may be made.
    :raises UnsupportedQuery: when the engine has no way to run it.
    :raises StoreError: when the store cannot be read.
    """
    if hunt.lists_missing:
        return unjudged(hunt, engine, _lists_missing(hunt))
    watched = _Watched(engine)
    result = _run(without_known_good(hunt), watched, window, summaries)
    overview = overview or overview_of([hunt], watched, window)
    return replace(
        result,
        exact=watched.exact,
        notes=(*result.notes, *_known_good(hunt, watched, window)),
        cannot_judge=(
            *_impossible(hunt),
            *hidden(hunt, watched, window, overview),
            *result.cannot_judge,
        ),
    )


def _known_good(hunt: Hunt, engine: Engine, window: Window) -> Iterator[str]:
    """How much each entry of known good left out, and which ones no longer do."""
    for one in hunt.known_good:
        if one.expired:
            yield (
                f"was known good until {one.expires:%F} ({one.where}), and is left out no more: "
                f"{one.reason}"
            )
            continue
        kept = _run(only(hunt, one), engine, window)
        number = len(kept.findings) or len(kept.rows)
        if number:
            what = "finding" if kept.findings else "row"
            events = sum(whole(row[-1]) for row in kept.rows)
            plural = "" if number == 1 else "s"
            yield (
                f"known good until {one.expires:%F}, {number:,} {what}{plural} ({events:,} "
                f"requests) left out: {one.reason}"
            )


class _Watched:
    """An engine, and whether all its answers were exact: a finding rests on several."""

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
    if summaries is not None and _compares(hunt, window):
        engine = SummedEngine(engine, summaries, questions(hunt))
    match hunt:
        case MatchHunt():
            return run_match(hunt, engine, window)
        case TopHunt():
            return run_top(hunt, engine, window)
        case ThresholdHunt():
            return run_threshold(hunt, engine, window)
        case SequenceHunt():
            return run_sequence(hunt, engine, window)
        case NewHunt():
            return run_new(hunt, engine, window)
        case SpikeHunt():
            return run_spike(hunt, engine, window)
        case SilentHunt():
            return run_silent(hunt, engine, window)
    raise TypeError(f"no kind of hunt: {type(hunt).__name__}")


def _compares(hunt: Hunt, window: Window) -> bool:
    """Whether a hunt looks at the time before; tables only when they are asked to."""
    return window.baseline is not None or not isinstance(hunt, TopHunt)


def _lists_missing(hunt: Hunt) -> tuple[CannotJudge, ...]:
    return tuple(
        CannotJudge("list", f"it needs the list {name!r}. {how_to_give(name)}")
        for name in hunt.lists_missing
    )


def _impossible(hunt: Hunt) -> tuple[CannotJudge, ...]:
    return tuple(
        CannotJudge("impossible", f"{one.where}: {one.about}; no event passes that test.")
        for one in hunt.impossible
    )


def unjudged(hunt: Hunt, engine: Engine, why: tuple[CannotJudge, ...]) -> HuntResult:
    """The result of a hunt that judges nothing."""
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
    """Run hunts, in their order; where the engine can, with what they share done once.

    :param on_start: told of each hunt before it runs.
    :param on_error: told of each hunt that the engine has no way to run, while the others
        run; without it the error is raised.
    :param summaries: of the store, for the time before; some may be made.
    """
    several = list(hunts)
    results = []
    with _engines(several, engine, window) as engines:
        overview = overview_of(several, engines[0], window) if several else None
        for hunt, its_engine in zip(several, engines, strict=True):
            if on_start:
                on_start(hunt)
            try:
                results.append(run_hunt(hunt, its_engine, window, overview, summaries))
            except UsageError as error:
                if on_error is None:
                    raise
                on_error(hunt, error)
                why = CannotJudge("query", f"{engine.name} cannot run it: {error}")
                results.append(unjudged(hunt, engine, (why,)))
    return results


SEVERAL = 3
"""Hunts from which on it is worth while to do together what they share."""


@contextmanager
def _engines(hunts: Sequence[Hunt], engine: Engine, window: Window) -> Iterator[Sequence[Engine]]:
    """An engine for each hunt."""
    if len(hunts) < SEVERAL or not isinstance(engine, Sharing):
        yield [engine] * len(hunts)
        return
    with engine.together(
        [_asker(hunt, window) for hunt in hunts], window.since, window.until
    ) as engines:
        yield engines


def _asker(hunt: Hunt, window: Window) -> Asker:
    counts = isinstance(hunt, TopHunt) and window.baseline is None
    fields = own_fields(hunt) if counts else fields_needed([hunt])
    return Asker((hunt.condition, subject(hunt)), fields, counts)
