"""Changes of a store since a checkpoint: times of the events that were stored meanwhile.

What counts is when an event was stored, not its own time: an event that is late, since its shipper
was away or its log was found afterwards, is a change at its own time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

STEP = timedelta(minutes=1)
"""Resolution of the times of changes."""

Checkpoint: TypeAlias = Mapping[str, Any]
"""State of a store up to which its events were looked at; JSON that only its backend reads."""

Spans: TypeAlias = tuple[tuple[datetime, datetime], ...]
"""Times ``[since, until)`` in order, apart from one another."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Events that a checkpoint does not cover.

    :param checkpoint: the state of the store with them.
    :param spans: the times of these events.
    :param untimed: whether some of them have no ``@timestamp``.
    :param restarted: clause on why all events count as new; empty where they do not.
    """

    checkpoint: Checkpoint
    spans: Spans = ()
    untimed: bool = False
    restarted: str = ""

    def __bool__(self) -> bool:
        """Whether there are such events."""
        return bool(self.spans or self.untimed)


def spans_of_steps(steps: Iterable[int]) -> Spans:
    """Return the times of steps.

    :param steps: numbers of steps since 1970, for example minutes.
    """
    return joined(
        (_EPOCH + number * STEP, _EPOCH + (number + 1) * STEP) for number in sorted(set(steps))
    )


def joined(spans: Iterable[tuple[datetime, datetime]]) -> Spans:
    """Return times without those that overlap or touch, in order."""
    result: list[tuple[datetime, datetime]] = []
    for since, until in sorted(spans):
        if result and since <= result[-1][1]:
            result[-1] = result[-1][0], max(until, result[-1][1])
        else:
            result.append((since, until))
    return tuple(result)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
