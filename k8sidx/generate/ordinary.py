"""Ordinary work, for any length of time: the recorded time again and again.

Each round begins at another point of the recording and fills its events anew. Machines work
all day; people do in working hours, and next to nothing on weekends and at night.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from random import Random

from k8sidx.generate.template import Filling, Head, Person, Template, certificate_of, uuid_text
from k8sidx.generate.traffic import PEOPLE, Kind, Request, Traffic

BY_HOUR = (
    (0.02,) * 6 + (0.1, 0.3, 0.7) + (1.0,) * 3 + (0.6,) + (1.0,) * 4 + (0.6, 0.3, 0.2, 0.1)
    + (0.05, 0.02, 0.02)
)  # fmt: skip
"""Part of the recorded work that people do at each hour of a working day (UTC). The recording
is of working hours alone, so the other hours are assumed, not measured."""

WEEKEND = 0.1
"""Part of a working day's work that people do on a day of a weekend: assumed."""

SECOND = 1_000_000
JITTER = 2 * SECOND
"""Within how many microseconds the recorded order may change."""

VARIANTS = 3
"""Sets of objects that exist at a time."""

MOST_PEOPLE = 200
_NAMES = (
    "grace", "heidi", "ivan", "judy", "karl", "laura", "mike", "nina", "olaf", "peggy", "quinn",
    "rupert", "sybil", "tom", "ursula", "victor", "wendy", "xenia", "yusuf", "zoe",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log.

    :param stage: its ``stageTimestamp``, microseconds since 1970.
    """

    stage: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Rate:
    """Load of the cluster.

    :param speed: how many times as fast as recorded machines work; at least 1.
    :param kept: part of the requests that take place.
    """

    speed: float
    kept: float


def people(count: int) -> list[tuple[str, Person]]:
    """That many people, each with the one of the recording who works like them."""
    recorded = list(PEOPLE)
    made = [(name, Person(name, PEOPLE[name], certificate_of(name))) for name in recorded[:count]]
    for number in range(len(recorded), count):
        name = _NAMES[number % len(_NAMES)] + (
            f"-{number // len(_NAMES) + 1}" if number >= len(_NAMES) else ""
        )
        address = f"198.51.100.{30 + number}"
        made.append((recorded[number % len(recorded)], Person(name, address, certificate_of(name))))
    return made


def busy(moment: datetime) -> float:
    """Part of the recorded work that people do then."""
    return BY_HOUR[moment.hour] * (WEEKEND if moment.weekday() >= 5 else 1)


def rate_for(traffic: Traffic, wanted: float, since: datetime, span: timedelta, crowd: int) -> Rate:
    """Return the load that makes that many events in the span.

    :param crowd: number of people.
    """
    hours = max(1, round(span / timedelta(hours=1)))
    average = sum(busy(since + timedelta(hours=n)) for n in range(hours)) / hours
    rounds = span / timedelta(microseconds=traffic.length)
    persons = traffic.events(of_people=True) * rounds * average * crowd / len(PEOPLE)
    machines = traffic.events(of_people=False) * rounds
    if wanted <= persons + machines:
        return Rate(1, wanted / (persons + machines))
    return Rate((wanted - persons) / machines, 1)


class OrdinaryWork:
    """The lines of a span, in the order in which the requests were completed."""

    def __init__(
        self, traffic: Traffic, since: datetime, rate: Rate, crowd: int, random: Random
    ) -> None:
        self._traffic = traffic
        self._since = int(since.timestamp()) * SECOND
        self._rate = rate
        self._random = random
        self._like: dict[str, list[Person]] = {}
        for like, person in people(crowd):
            self._like.setdefault(like, []).append(person)
        self._hour = -1
        self._fillings: list[Filling] = []
        self._filled: dict[tuple[int, int, str], Head] = {}
        self._busy = 0.0
        self._watched: set[tuple[str, ...]] = set()

    def lines(self) -> Iterator[Line]:
        """Lines without end."""
        waiting: list[tuple[int, int, Template, int, Person | None, int, bytes]] = []
        number = 0
        for began, request, person in self._requests():
            while waiting and waiting[0][0] <= began:
                yield self._line(waiting)
            start = began + self._random.randrange(JITTER)
            identity = uuid_text(self._random).encode()
            variant = self._random.randrange(VARIANTS)
            for template, took in zip(request.kind.stages, request.took, strict=True):
                number += 1
                heappush(
                    waiting, (start + took, number, template, start, person, variant, identity)
                )

    def _line(
        self, waiting: list[tuple[int, int, Template, int, Person | None, int, bytes]]
    ) -> Line:
        stage, _, template, start, person, variant, identity = heappop(waiting)
        name = person.name if person else ""
        key = (id(template), variant, name)
        head = self._filled.get(key)
        if head is None:
            head = self._filled[key] = template.filled(self._fillings[variant], person)
        first, second, third, last = head
        text = b"".join((first, identity, second, time_text(start), third, time_text(stage), last))
        return Line(stage, text)

    def _requests(self) -> Iterator[tuple[int, Request, Person | None]]:
        """Requests that take place, with the moment at which they begin but for the jitter."""
        began, speed, random = self._since, self._rate.speed, self._random
        length = self._traffic.length
        while True:
            first = random.randrange(len(self._traffic.requests))
            order = self._traffic.requests[first:] + self._traffic.requests[:first]
            origin = order[0].began
            for request in order:
                moment = began + int(((request.began - origin) % length) / speed)
                if moment // (3600 * SECOND) != self._hour:
                    self._turn(moment)
                for person in self._who(request.kind):
                    yield moment, request, person
            began += int(length / speed)

    def _who(self, kind: Kind) -> Iterator[Person | None]:
        """Yield who makes a request of the kind now: a machine, some people, or nobody."""
        if not kind.person:
            if self._random.random() < self._rate.kept and self._is_whole(kind):
                yield None
            return
        for person in self._like.get(kind.person, ()):
            if self._random.random() < self._rate.kept * self._busy / self._rate.speed:
                yield person

    def _is_whole(self, kind: Kind) -> bool:
        """Whether a reflector's list is one that it watches from: of a log with a part of the
        requests, it must not be the list alone, which is what somebody else would send."""
        if not kind.reflector:
            return True
        if kind.watches:
            self._watched.add(kind.reflector)
        return kind.watches or self._rate.kept == 1 or kind.reflector in self._watched

    def _turn(self, moment: int) -> None:
        """Another hour: new objects."""
        self._hour = moment // (3600 * SECOND)
        hour = datetime.fromtimestamp(self._hour * 3600, UTC)
        self._busy = busy(hour)
        self._watched.clear()
        self._filled.clear()
        version = 10_000 * (self._hour % 1_000_000)
        self._fillings = [
            Filling(hour, version, Random(self._random.getrandbits(64)))  # noqa: S311 - repeatable
            for _ in range(VARIANTS)
        ]


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}."


def time_text(moment: int) -> bytes:
    """A timestamp as the API server writes it.

    :param moment: microseconds since 1970.
    """
    second, micro = divmod(moment, SECOND)
    return f"{_second_text(second)}{micro:06d}Z".encode()
