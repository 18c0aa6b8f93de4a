"""Groups of watched hunts, by how far they look back from a new event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from k8sidx.backends.changes import Spans, joined
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.top import TopHunt

MAX_SPANS = 6
"""Times that one run looks at apart from one another; more are joined where they are closest."""


@dataclass(frozen=True, slots=True)
class Group:
    """Hunts that run together.

    :param name: names the group in a checkpoint.
    :param look_back: how far before, and after, a new event the events lie that matter to it.
    :param compares: whether they compare with a baseline: their cost is that of the time before
        as well.
    """

    name: str
    look_back: timedelta
    compares: bool
    hunts: tuple[Hunt, ...]

    def windows(self, spans: Spans) -> Spans:
        """Return the times to look at for new events of these times."""
        wide = ((_minus(a, self.look_back), _plus(b, self.look_back)) for a, b in spans)
        windows = list(joined(wide))
        while len(windows) > MAX_SPANS:
            gaps = [later[0] - earlier[1] for earlier, later in pairwise(windows)]
            nearest = gaps.index(min(gaps))
            windows[nearest : nearest + 2] = [(windows[nearest][0], windows[nearest + 1][1])]
        return tuple(windows)


def groups_of(hunts: Sequence[Hunt]) -> list[Group]:
    """Return the hunts that can be watched in groups, the cheapest first.

    Top-N tables have no findings: they are left out.
    """
    members: dict[tuple[bool, timedelta], list[Hunt]] = {}
    for hunt in hunts:
        if not isinstance(hunt, TopHunt):
            members.setdefault((bool(hunt.baseline_queries()), hunt.look_back), []).append(hunt)
    return [
        Group(_name(compares, look_back), look_back, compares, tuple(some))
        for (compares, look_back), some in sorted(members.items(), key=lambda item: item[0])
    ]


def _name(compares: bool, look_back: timedelta) -> str:
    return f"{'baseline ' if compares else ''}{int(look_back.total_seconds())}s"


def _minus(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment - span
    except OverflowError:
        return datetime.min.replace(tzinfo=moment.tzinfo)


def _plus(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment + span
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)
