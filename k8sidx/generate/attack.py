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
    :param before: requests of ordinary life in the time before, that hunts for what is new
        compare with.
    :param share: not 0: the steps repeat, in turn, for as long as the attacks last, and are
        that part of all events.
    :param every: not 0: the steps repeat, in turn, that many seconds apart, from the beginning
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
    """An attack of these requests."""
    flat = [one for said in steps for one in ([said] if isinstance(said, Step) else said)]
    return Attack(flat, **more)
