"""Model of an attack; the modules of ``k8sidx.generate.attacks`` contain them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from k8sidx.generate.step import Step


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack that one or more hunts of the library must find.

    :param steps: its requests, in the order of their seconds.
    :param before: ordinary requests in the time before, which hunts for new behaviour compare
        with.
    :param share: if not 0, the steps repeat, in turn, for as long as the attacks last, and are
        that part of all events.
    :param every: if not 0, the steps repeat, in turn, that many seconds apart, from the beginning
        of the span until the attack begins; then there is silence.
    :param user: whose credentials; "" for none; ``None`` for a person of the attack's own.
    :param address: where from; ``None`` for an address of the attack's own.
    :param agent: with which client; ``None`` for kubectl.
    :param lists: entries that the hunt's lists must have.
    :param alone: found only where little else happens, as the rarest of a table is.
    """

    steps: Sequence[Step]
    before: Sequence[Step] = ()
    share: float = 0
    every: float = 0
    user: str | None = None
    address: str | None = None
    agent: str | None = None
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    alone: bool = False


def attack(*steps: Step | Sequence[Step], **more: Any) -> Attack:
    """Return an attack of these requests."""
    flat = [step for entry in steps for step in ([entry] if isinstance(entry, Step) else entry)]
    return Attack(flat, **more)
