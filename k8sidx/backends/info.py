"""What a store says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoreSummary:
    """What a store holds.

    :param first: earliest and ``last`` latest ``@timestamp``.
    """

    events: int
    first: datetime | None
    last: datetime | None
