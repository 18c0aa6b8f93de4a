"""For each hunt of the library what sets it off, and a near miss that does not.

The modules beside this one hold the pairs, under ``PAIRS``, by hunt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.building import event

Events = Sequence[dict[str, Any]]

HISTORY = timedelta(hours=2)
"""How far ``before`` reaches back from ``tests.building.START``."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two streams of events.

    :param fires: what the hunt must find; for a top-N hunt, what must be in its table.
    :param silent: what it must not find, though it is close.
    :param before: what the time before ``START`` had, for hunts that compare.
    :param lists: entries for the placeholders that the hunt needs.
    """

    fires: Events
    silent: Events
    before: Events = ()
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)


def pair(
    fires: dict[str, Any] | Events,
    silent: dict[str, Any] | Events,
    *,
    before: Events = (),
    **lists: Sequence[str],
) -> Pair:
    """A pair, single events written without a list."""
    return Pair(_events(fires), _events(silent), before, lists)


def _events(said: dict[str, Any] | Events) -> Events:
    return [said] if isinstance(said, dict) else said


def burst(count: int, *, every: float = 1, **more: Any) -> list[dict[str, Any]]:
    """The same request again and again; ``{n}`` in a text becomes its number."""
    return [event(**_numbered(more, n), seconds=n * every) for n in range(count)]


def _numbered(more: Mapping[str, Any], n: int) -> dict[str, Any]:
    return {
        key: value.replace("{n}", str(n)) if isinstance(value, str) else value
        for key, value in more.items()
    }


def usual() -> Iterator[dict[str, Any]]:
    """Something that happened early enough to compare with."""
    yield event("get", "leases", user="nobody", seconds=-HISTORY.total_seconds() + 60)
