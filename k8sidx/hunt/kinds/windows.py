"""Sliding windows and sequence matching over a stream of requests."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from k8sidx.backends.finding_record import EVIDENCE
from k8sidx.backends.result import Value

CONTEXT = 100
"""Distinct addresses and resources that a burst keeps."""

_LAST_STAGES = ("ResponseComplete", "Panic")


@dataclass(slots=True)
class Request:
    """One request, at its first event.

    :param values: the combinations of values that are counted; none when it lacks them.
    """

    time: datetime
    values: tuple[tuple[Value, ...], ...] = ()
    audit_id: str = ""
    source: str = ""
    resource: str = ""
    event_id: str = ""
    in_burst: bool = False


@dataclass(slots=True)
class Burst:
    """Overlapping windows that reach the threshold, merged into one."""

    first: datetime
    last: datetime
    requests: int = 0
    values: set[tuple[Value, ...]] = field(default_factory=set)
    audit_ids: dict[str, None] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)

    def add(self, request: Request) -> None:
        """Add a request."""
        request.in_burst = True
        self.last = max(self.last, request.time)
        self.requests += 1
        self.values.update(request.values)
        if request.audit_id and len(self.audit_ids) < EVIDENCE:
            self.audit_ids[request.audit_id] = None
        if request.source and len(self.sources) < CONTEXT:
            self.sources.add(request.source)
        if request.resource and len(self.resources) < CONTEXT:
            self.resources.add(request.resource)


class SlidingWindow:
    """Finds the bursts of one key with a window of fixed length.

    :param timespan: length of the window; requests exactly that far apart share one.
    :param at_least: how many make a burst.
    :param distinct: whether to count different values instead of requests.
    """

    def __init__(self, timespan: timedelta, at_least: int, *, distinct: bool) -> None:
        self.bursts: list[Burst] = []
        self._timespan = timespan
        self._at_least = at_least
        self._distinct = distinct
        self._window: deque[Request] = deque()
        self._values: Counter[tuple[Value, ...]] = Counter()

    def add(self, request: Request) -> None:
        """Add the next request, in order of time."""
        window, values = self._window, self._values
        while window and request.time - window[0].time > self._timespan:
            for value in window.popleft().values:
                values[value] -= 1
                if not values[value]:
                    del values[value]
        window.append(request)
        values.update(request.values)
        if (len(values) if self._distinct else len(window)) >= self._at_least:
            self._extend()

    def _extend(self) -> None:
        if not self._window[0].in_burst:
            first = self._window[0].time
            # Requests of an earlier burst are a prefix of the window, so there is none here.
            self.bursts.append(Burst(first, first))
        fresh: list[Request] = []
        for request in reversed(self._window):
            if request.in_burst:
                break
            fresh.append(request)
        for request in reversed(fresh):
            self.bursts[-1].add(request)


class SequenceMatcher:
    """Finds the requests of one key that match one rule after the other.

    For each step it keeps the chain that began latest: no other could be finished where
    that one cannot. It also keeps the chain before that, for an event that matches two steps:
    an event does not follow itself.

    :param timespan: from the first to the last request, at most.
    :param steps: how many rules there are.
    """

    def __init__(self, timespan: timedelta, steps: int) -> None:
        self.bursts: list[Burst] = []
        self._timespan = timespan
        self._steps = steps
        self._chains: list[list[tuple[Request, ...]]] = [[] for _ in range(steps)]

    def add(self, step: int, request: Request) -> None:
        """Add the next request, in order of time.

        :param step: index of the rule that it matches.
        """
        chain = (request,) if step == 0 else self._continued(step - 1, request)
        if not chain:
            return
        self._chains[step] = [*self._chains[step][-1:], chain]
        if step == self._steps - 1:
            self._extend(chain)

    def _continued(self, step: int, request: Request) -> tuple[Request, ...]:
        for before in reversed(self._chains[step]):
            if before[-1].event_id != request.event_id:
                near = request.time - before[0].time <= self._timespan
                return (*before, request) if near else ()
        return ()

    def _extend(self, chain: tuple[Request, ...]) -> None:
        if not self.bursts or chain[0].time > self.bursts[-1].last:
            self.bursts.append(Burst(chain[0].time, chain[0].time))
        for request in chain:
            if not request.in_burst:
                self.bursts[-1].add(request)


class OpenRequests:
    """Recognises later events of a request that is already counted.

    They have its auditID, which a client can choose, and its requestReceivedTimestamp,
    which it cannot. Only requests that are still open are kept.
    """

    def __init__(self) -> None:
        self._open: set[tuple[str, datetime]] = set()

    def is_new(self, audit_id: Value, received: Value, stage: Value) -> bool:
        """Whether this is the first event of its request."""
        if not isinstance(audit_id, str) or not isinstance(received, datetime):
            return True
        key = (audit_id, received)
        known = key in self._open
        if stage in _LAST_STAGES:
            self._open.discard(key)
        else:
            self._open.add(key)
        return not known
