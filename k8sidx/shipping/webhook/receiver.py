"""Delivery of what a webhook receives: its spool into a store, until a signal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from k8sidx.backends.store import Store
from k8sidx.errors import K8sidxError, StoreError
from k8sidx.shipping.flush_clock import FlushClock
from k8sidx.shipping.input_stream import Pause, Piece
from k8sidx.shipping.pipeline import ShipOptions, ShipProgress, ShipReport, deliver
from k8sidx.shipping.signals import Stop
from k8sidx.shipping.spool.replay import replayed
from k8sidx.shipping.spool.spool import Spool, SpoolReport

DRAIN_SECONDS = 10.0
"""So long what was received is delivered after a signal; the rest stays in the spool."""
RETRY_SECONDS = 5.0
"""Pause before a store that failed is opened again."""
REPORT_SECONDS = 60.0


@dataclass(slots=True)
class Receiver:
    """Delivers a spool as long as it is filled.

    :param on_progress: called with the progress of each run over the spool.
    :param on_stop: called once after a signal; when it returns, nothing more is received.
    :ivar report: the outcomes so far.
    """

    spool: Spool
    store: Store
    options: ShipOptions
    stop: Stop
    on_message: Callable[[str], None]
    on_stop: Callable[[], None]
    on_progress: Callable[[ShipProgress], None] | None = None
    report: ShipReport = field(default_factory=ShipReport)
    _until: float | None = None

    def run(self) -> ShipReport:
        """Deliver until a signal, and then what is left for some seconds.

        A store that fails is opened again and again: what is received stays in the spool.
        """
        while True:
            failure: K8sidxError | None = None
            try:
                report = deliver(
                    self.spool,
                    self.store,
                    self.options,
                    self._pieces(),
                    self.stop,
                    self.on_message,
                    self.on_progress,
                )
                self.report.add(report)
                failure = report.failure
            except StoreError as error:
                failure = error
            self._check_signal()
            if self._until is not None:
                self.report.failure = failure
                self.report.spool = SpoolReport(
                    self.spool.folder, self.spool.segments, self.spool.used
                )
                return self.report
            if failure is not None:
                self.on_message(f"{failure} Retrying; what is received stays in the spool.")
            self.spool.begin_again()
            self._pause(RETRY_SECONDS)

    def _pieces(self) -> Iterator[Piece]:
        clock = FlushClock()
        reported = time.monotonic()
        limit = self.options.record_limit
        while not self._is_over():
            idle = True
            for piece in replayed(self.spool, limit, self.on_message):
                idle = False
                yield piece
                if clock.is_due(idle=False):
                    with clock.flushing():
                        yield Pause.PAUSE
                if self._is_over():
                    break
            if clock.is_due(idle=True):
                with clock.flushing():
                    yield Pause.PAUSE
            if time.monotonic() - reported > REPORT_SECONDS and self.spool.segments:
                reported = time.monotonic()
                oldest = self.spool.oldest()
                age = f", the oldest {time.time() - oldest:,.0f} s old" if oldest else ""
                number = self.spool.segments
                bodies = "1 body" if number == 1 else f"{number:,} bodies"
                self.on_message(f"the spool has {bodies} ({self.spool.used:,} bytes){age}")
            if idle:
                if self._until is not None:
                    return
                self.spool.wait(0.2)

    def _is_over(self) -> bool:
        self._check_signal()
        return self._until is not None and time.monotonic() > self._until

    def _check_signal(self) -> None:
        if self.stop.signal is not None and self._until is None:
            self._until = time.monotonic() + DRAIN_SECONDS
            self.on_stop()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.stop.signal is None and time.monotonic() < until:
            time.sleep(0.1)
