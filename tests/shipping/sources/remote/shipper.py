"""Runs of ship into one store with one state file, once or until something is stored."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from signal import Signals
from typing import Any

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.query.algebra import Query
from k8sidx.shipping.pipeline import ShipOptions, ShipReport, ship
from k8sidx.shipping.signals import Stop
from k8sidx.shipping.state import State
from tests.building import event

FOLLOW_SECONDS = 120


def line(seconds: float) -> bytes:
    return json.dumps(event(seconds=seconds)).encode()


def lines(seconds: Iterable[float]) -> bytes:
    return b"".join(line(n) + b"\n" for n in seconds)


class Shipper:
    """Runs of ship.

    :ivar messages: what the runs printed.
    """

    def __init__(self, folder: Path) -> None:
        self.store = EmbeddedStore(folder / "store")
        self.state = folder / "state.json"
        self.messages: list[str] = []

    def ship(self, *inputs: str, stop: Stop | None = None, **options: Any) -> ShipReport:
        """Run ship, in this thread."""
        with State(self.state) as state:
            return ship(
                inputs,
                self.store,
                ShipOptions(processes=1, **options),
                on_wait=self.messages.append,
                state=state,
                stop=stop,
            )

    def follow(self, *inputs: str, meanwhile: Callable[[Shipper], None]) -> ShipReport:
        """Run ship with ``--follow`` in a thread, until a function returns."""
        stop, reports = Stop(), list[ShipReport]()
        thread = threading.Thread(
            target=lambda: reports.append(self.ship(*inputs, stop=stop, follow=True))
        )
        thread.start()
        try:
            meanwhile(self)
        finally:
            stop.signal = Signals.SIGTERM
            thread.join(FOLLOW_SECONDS)
        return reports[0]

    def wait_until_stored(self, count: int) -> None:
        """Wait until the store has so many events."""
        until = time.monotonic() + FOLLOW_SECONDS
        while self.stored() < count:
            assert time.monotonic() < until, (self.stored(), self.messages)
            time.sleep(0.1)

    def stored(self) -> int:
        """Return how many events the store has."""
        return len(self.seconds())

    def seconds(self) -> list[int]:
        """Return the events of the store, by the number they were built with."""
        if not (self.store.folder / "manifest.json").exists():
            return []
        with self.store.engine() as engine:
            rows = engine.run(Query(select=("auditID",))).rows
        return sorted(round(float(str(row[0]).rpartition("-")[2])) for row in rows)
