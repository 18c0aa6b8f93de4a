"""Plan of the attacks: which ones, by whom and when, with their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any

import orjson

from k8sidx.errors import UsageError
from k8sidx.generate.attack import Attack
from k8sidx.generate.attacks import ATTACKS
from k8sidx.generate.ordinary import SECOND, Line, time_text
from k8sidx.generate.step import KUBECTL, Actor, Step
from k8sidx.generate.template import uuid_text

HALF = 0.5
"""Part of the span that has no attacks, which hunts for new behaviour compare with."""

ATTACKED = (0.52, 0.9)
LIVED = (0.05, 0.45)
"""Parts of the span in which attacks begin, and in which their ordinary life before is."""

LEAST_SHARED = 30
"""Requests that an attack with a share has at least."""

MOST_NAMED = 1000
"""Audit IDs that a label names at most."""

_MICROSECONDS = timedelta(microseconds=1)
_FIRST = (
    "mallory", "trudy", "oscar", "eve", "chuck", "craig", "walter", "wanda", "vanna", "niaj",
    "rolf", "sigrid", "bruno", "clara", "edgar", "fiona", "gustav", "hanna", "igor", "jutta",
)  # fmt: skip
_LAST = ("adams", "baker", "clark", "davis", "evans", "frank", "green", "hayes", "irwin", "jones")
_HOSTS = 254
"""Addresses of a /24 that hosts can have."""


@dataclass(slots=True)
class Planted:
    """One attack that takes place.

    :param hunts: ids of those that must find it.
    :param began: microseconds since 1970.
    :param audit_ids: of its own events, as they are written, up to :data:`MOST_NAMED`.
    :param before: of the events in the time before.
    :param events: how many its own are.
    """

    hunts: tuple[str, ...]
    attack: Attack
    actor: Actor
    began: int
    audit_ids: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    events: int = 0
    first: int = 0
    last: int = 0


class Plan:
    """Attacks in the second half of a span.

    :param hunts: ids of those that must find something.
    :param events: how many events the log will have in all.
    """

    def __init__(
        self, hunts: Sequence[str], since: datetime, span: timedelta, events: int, seed: int
    ) -> None:
        self._since = int(since.timestamp()) * SECOND
        self._span = span // _MICROSECONDS
        self._events = events
        self._seed = seed
        random = Random(f"{seed} plan")  # noqa: S311 - repeatable
        by_attack: dict[int, list[str]] = {}
        for hunt, attack in ATTACKS.items():
            if hunt in set(hunts):
                by_attack.setdefault(id(attack), []).append(hunt)
        order = list(by_attack.values())
        random.shuffle(order)
        first, last = ATTACKED
        apart = (last - first) / max(len(order), 1)
        self.planted = [
            Planted(tuple(of), ATTACKS[of[0]], _actor(of[0]), self._at(first + number * apart))
            for number, of in enumerate(order)
        ]

    @property
    def halfway(self) -> datetime:
        """The start of the hunted period; the time before it is the baseline."""
        return datetime.fromtimestamp(self._at(HALF) / SECOND, UTC)

    @property
    def own_events(self) -> int:
        """Number of events of the attacks."""
        return sum(self._count(planted) + len(planted.attack.before) for planted in self.planted)

    def lines(self) -> list[Iterator[Line]]:
        """Return the events of each attack, in order."""
        return [self._lines(planted) for planted in self.planted]

    def _at(self, part: float) -> int:
        return self._since + int(self._span * part)

    def _count(self, planted: Planted) -> int:
        if planted.attack.every:
            return int((planted.began - self._at(0)) / SECOND / planted.attack.every)
        if not planted.attack.share:
            return len(planted.attack.steps)
        return max(LEAST_SHARED, int(self._events * planted.attack.share))

    def _steps(self, planted: Planted, random: Random) -> Iterator[tuple[int, Step, bool]]:
        """Yield the time, the request, and whether it belongs to the attack."""
        first, last = LIVED
        for step, part in zip(
            planted.attack.before,
            sorted(random.uniform(first, last) for _ in planted.attack.before),
            strict=True,
        ):
            yield self._at(part), step, False
        if planted.attack.share or planted.attack.every:
            began, ends = self._at(ATTACKED[0]), self._at(ATTACKED[1])
            if planted.attack.every:
                began, ends = self._at(0), planted.began
            count = self._count(planted)
            for number, step in zip(range(count), cycle(planted.attack.steps)):
                yield began + (ends - began) * number // count, step, True
        else:
            for step in planted.attack.steps:
                yield planted.began + int(step.seconds * SECOND), step, True

    def _lines(self, planted: Planted) -> Iterator[Line]:
        random = Random(f"{self._seed} {planted.hunts[0]}")  # noqa: S311 - repeatable
        session: Step | None = None  # what ends the session that is open
        identity, received = "", 0
        for moment, step, own in self._steps(planted, random):
            if session != replace(step, seconds=0):
                identity, received = uuid_text(random), moment
            opens = step.stage == "ResponseStarted"
            session = replace(step, stage="ResponseComplete", seconds=0) if opens else None
            completed = moment + random.randrange(900, 9_000)
            body = step.event(
                planted.actor, identity, time_text(received).decode(), time_text(completed).decode()
            )
            _note(planted, identity, received, completed, own=own)
            yield Line(completed, line_of(body))


def _note(planted: Planted, identity: str, received: int, completed: int, *, own: bool) -> None:
    if not own:
        planted.before.append(identity)
        return
    planted.first = planted.first or received
    planted.last = completed
    planted.events += 1
    if identity not in planted.audit_ids[-1:] and len(planted.audit_ids) < MOST_NAMED:
        planted.audit_ids.append(identity)


def line_of(body: dict[str, Any]) -> bytes:
    """Return an event as the API server's encoder writes it, which escapes ``&<>``."""
    text = orjson.dumps(body)
    for sign in (b"&", b"<", b">"):
        text = text.replace(sign, b"\\u%04x" % sign[0])
    return text + b"\n"


def chosen(attacks: str) -> list[str]:
    """Return the ids of the attacks: ``all``, ``none``, or ids of hunts, with commas between.

    :raises UsageError: when there is no such hunt.
    """
    if attacks in ("all", "none"):
        return list(ATTACKS) if attacks == "all" else []
    wanted = [hunt.strip() for hunt in attacks.split(",") if hunt.strip()]
    for hunt in wanted:
        if hunt not in ATTACKS:
            raise UsageError(
                f"no hunt is called {hunt!r}.",
                remedy="Give all, none, or ids of hunts with commas; k8sidx hunts lists them.",
            )
    return wanted


def _actor(hunt: str) -> Actor:
    """Return the client, the same for an attack whatever other attacks are planned."""
    attack = ATTACKS[hunt]
    number = next(n for n, planned in enumerate(ATTACKS.values()) if planned is attack)
    name = person(number) if attack.user is None else attack.user
    address = attack.address
    if address is None:
        machine = name.startswith("system:") and name != "system:anonymous"
        address = _address(number, of_pod=machine)
    return Actor(name, address, attack.agent or KUBECTL)


def person(number: int) -> str:
    """Return a distinct name for each number from 0 on."""
    again, last = divmod(number // len(_FIRST), len(_LAST))
    return f"{_FIRST[number % len(_FIRST)]}.{_LAST[last]}{again + 1 if again else ''}"


def _address(number: int, *, of_pod: bool) -> str:
    """Return a distinct address for each number from 0 on: of the pods' network, of one for
    documentation (RFC 5737), or, when that is used up, of one for benchmarks (RFC 2544)."""
    network, host = divmod(number, _HOSTS)
    if of_pod:
        return f"10.244.{9 + network}.{host + 1}"
    return f"198.18.{network - 1}.{host + 1}" if network else f"192.0.2.{host + 1}"
