"""Model of a platform's own identities: who they are, where they act, and what they do all day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from k8sidx.generate.ordinary import SECOND, Line, time_text
from k8sidx.generate.plan import line_of
from k8sidx.generate.step import Actor, Step, ask, user_of
from k8sidx.generate.template import uuid_text

LARGEST_SHARE = 0.5
"""Part of a log's ordinary events that a platform's own identities make at most."""

MASTERS = ("system:masters",)
_HOUR = timedelta(hours=1)
_TOOK = (900, 9_000)
"""Microseconds that a request takes."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A request that is made over and over.

    :param hourly: how many times an hour.
    """

    step: Step
    hourly: float


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity of a platform.

    :param groups: besides ``system:authenticated``; ``None`` for those that such a user has.
    :param extra: of the user, beside the credential.
    """

    name: str
    agent: str
    address: str
    routines: Sequence[Routine]
    groups: Sequence[str] | None = None
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def user(self) -> dict[str, Any]:
        """Return ``user`` of its events."""
        user = user_of(self.name)
        if self.groups is not None:
            user["groups"] = [*self.groups, "system:authenticated"]
        if self.extra:
            user["extra"] = {name: list(values) for name, values in self.extra.items()}
        return user


def program(name: str) -> str:
    """Return the user agent of a Go program that nobody gave a version."""
    return f"{name}/v0.0.0 (linux/amd64) kubernetes/$Format"


def every_hour(hourly: float, *steps: Step) -> list[Routine]:
    """Return requests that are each made that many times an hour."""
    return [Routine(step, hourly) for step in steps]


def reflects(*resources: str) -> list[Routine]:
    """Return what a reflector does for each kind of object: it lists once, then watches."""
    version = ("resourceVersion", "48211")
    steps: list[Routine] = []
    for resource in resources:
        for verb, more, hourly in (
            ("list", [("limit", "500"), ("resourceVersion", "0")], 1),
            ("watch", [("allowWatchBookmarks", "true"), version, ("watch", "true")], 8),
        ):
            steps.append(Routine(ask(verb, resource, namespace="", query=more), hourly))
    return steps


def elects(name: str, namespace: str = "kube-system") -> list[Routine]:
    """Return the renewals of a leader's lease."""
    return every_hour(30, ask("update", "leases", name, namespace=namespace))


class PlatformWork:
    """The requests of a platform's identities in a span.

    :param identities: those of the platform.
    :param most: number of events that there may be at most; with more, all are made less often.
    """

    def __init__(
        self, identities: Sequence[Identity], since: datetime, span: timedelta, most: int, seed: int
    ) -> None:
        self._identities = identities
        self._since = int(since.timestamp()) * SECOND
        self._span = span
        self._seed = seed
        hourly = sum(routine.hourly for each in identities for routine in each.routines)
        wanted = hourly * (span / _HOUR)
        self._kept = min(1.0, most / wanted) if wanted else 0.0

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(self._count(routine) for each in self._identities for routine in each.routines)

    def lines(self) -> list[Iterator[Line]]:
        """Return the events of each routine, in order."""
        return [
            self._lines(identity, routine, Random(f"{self._seed} {identity.name} {number}"))  # noqa: S311 - repeatable
            for identity in self._identities
            for number, routine in enumerate(identity.routines)
        ]

    def _count(self, routine: Routine) -> int:
        return max(1, int(routine.hourly * (self._span / _HOUR) * self._kept))

    def _lines(self, identity: Identity, routine: Routine, random: Random) -> Iterator[Line]:
        count = self._count(routine)
        length = self._span // timedelta(microseconds=1)
        actor = Actor(identity.name, identity.address, identity.agent)
        user = identity.user()
        for number in range(count):
            received = self._since + int(length * (number + random.random()) / count)
            completed = received + random.randrange(*_TOOK)
            body = routine.step.event(
                actor,
                uuid_text(random),
                time_text(received).decode(),
                time_text(completed).decode(),
            )
            body["user"] = user
            yield Line(completed, line_of(body))
