"""Many questions over the same events, in fewer passes than one for each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from k8sidx.backends.protocol import Engine
from k8sidx.query.algebra import Condition


@dataclass(frozen=True, slots=True)
class Asker:
    """Something that will ask about the events of a condition.

    :param conditions: most of its queries are about events for which one of them holds.
    :param fields: stored fields that its queries read.
    :param counts: it asks how many there are by value, and never for single events or times.
    """

    conditions: tuple[Condition, ...]
    fields: frozenset[str]
    counts: bool = False


@runtime_checkable
class Sharing(Protocol):
    """An engine that can prepare for several askers at once."""

    def together(
        self, askers: Sequence[Asker], since: datetime | None, until: datetime | None
    ) -> AbstractContextManager[Sequence[Engine]]:
        """An engine for each asker, while the context is open.

        Each answers every query just as this engine does; those about events of one of
        the asker's conditions in the time range cheaper.
        """
