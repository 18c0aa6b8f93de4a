"""Runs hunts on an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8sidx.engine.protocol import Engine
from k8sidx.hunt.definition import (
    Hunt,
    MatchHunt,
    NewHunt,
    SequenceHunt,
    SpikeHunt,
    ThresholdHunt,
    TopHunt,
)
from k8sidx.hunt.lists import how_to_give
from k8sidx.hunt.match import run_match
from k8sidx.hunt.new import run_new
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.sequence import run_sequence
from k8sidx.hunt.spike import run_spike
from k8sidx.hunt.threshold import run_threshold
from k8sidx.hunt.top import run_top
from k8sidx.hunt.window import Window

__all__ = ["Window", "run_hunt", "run_hunts"]


def run_hunt(hunt: Hunt, engine: Engine, window: Window) -> HuntResult:
    """Run one hunt.

    :raises UnsupportedQuery: when the engine has no way to run it.
    :raises StoreError: when the store cannot be read.
    """
    if hunt.lists_missing:
        return _without_lists(hunt, engine)
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
    raise TypeError(f"no kind of hunt: {type(hunt).__name__}")


def _without_lists(hunt: Hunt, engine: Engine) -> HuntResult:
    """A hunt that names a list which nobody has given judges nothing, and says so."""
    notes = tuple(
        f"cannot judge: it needs the list {name!r}. {how_to_give(name)}"
        for name in hunt.lists_missing
    )
    return HuntResult(hunt.id, hunt.title, hunt.level, engine.name, True, (), [], notes=notes)


def run_hunts(
    hunts: Iterable[Hunt],
    engine: Engine,
    window: Window,
    on_start: Callable[[Hunt], None] | None = None,
) -> list[HuntResult]:
    """Run hunts one after the other.

    :param on_start: told of each hunt before it runs.
    """
    results = []
    for hunt in hunts:
        if on_start:
            on_start(hunt)
        results.append(run_hunt(hunt, engine, window))
    return results
