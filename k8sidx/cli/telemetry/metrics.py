"""Metrics of a running shipper, receiver or watcher, and the table of their names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from k8sidx.shipping.report import ShipProgress
    from k8sidx.shipping.spool.spool import Spool
    from k8sidx.shipping.webhook.app import Counters

PREFIX = "k8sidx_"
ROOM_IN_SPOOL = 1024 * 1024
"""Free bytes of a spool below which the process is not ready."""


class Metric(NamedTuple):
    """A metric.

    :param kind: as in the OpenMetrics specification; a counter's samples end in ``_total``.
    :param label: name of its only label; empty without one.
    """

    kind: Literal["counter", "gauge"]
    help: str
    label: str = ""


METRICS: dict[str, Metric] = {
    "events": Metric("counter", "Events by outcome.", "outcome"),
    "records_skipped": Metric("counter", "Records that are not audit events."),
    "retries": Metric("counter", "Times that a store or a cluster was waited for."),
    "last_delivery_timestamp_seconds": Metric("gauge", "Time of the last event that was stored."),
    "lag_seconds": Metric("gauge", "Age of the oldest of what is not stored yet."),
    "lag_bytes": Metric("gauge", "Bytes that are not stored yet."),
    "spool_bytes": Metric("gauge", "Bytes in the spool."),
    "spool_entries": Metric("gauge", "Entries in the spool."),
    "spool_limit_bytes": Metric("gauge", "Size of the spool at most."),
    "webhook_bodies": Metric("counter", "Bodies of API servers by outcome.", "outcome"),
    "webhook_bytes": Metric("counter", "Bytes of acknowledged bodies."),
    "watch_runs": Metric("counter", "Runs of watched hunts by outcome.", "outcome"),
    "watch_findings": Metric("counter", "New findings by level.", "level"),
    "watch_run_seconds": Metric("gauge", "Duration of the last run of watched hunts."),
    "watch_last_run_timestamp_seconds": Metric("gauge", "Time of the last run that succeeded."),
}
"""By name, without :data:`PREFIX`."""


class Sample(NamedTuple):
    """The value of a metric, for one value of its label."""

    name: str
    value: float
    label: str = ""


def sample_names() -> frozenset[str]:
    """Return the names under which Prometheus stores the metrics."""
    return frozenset(
        f"{PREFIX}{name}{'_total' if metric.kind == 'counter' else ''}"
        for name, metric in METRICS.items()
    )


@dataclass(slots=True)
class Shipping:
    """Counts, lag and spool of a run of ship or serve.

    :param counters: of the webhook's receiver.
    :ivar retries: how often a store or a cluster was waited for.
    """

    spool: Spool | None = None
    counters: Counters | None = None
    retries: int = 0
    _progress: ShipProgress | None = None
    _finished: dict[str, int] = field(default_factory=dict)
    _delivered: int = 0
    _last_delivery: float = 0.0
    _caught_up: float = field(default_factory=time.time)

    def update(self, progress: ShipProgress) -> None:
        """Keep the progress of the present run."""
        if progress is not self._progress:
            self._finished = self.counts()
            self._progress, self._delivered = progress, 0
        report = progress.report
        delivered = report.indexed + report.duplicates
        if delivered > self._delivered:
            self._delivered, self._last_delivery = delivered, time.time()
        self.lag()

    def waiting(self) -> None:
        """Count a wait."""
        self.retries += 1

    @property
    def is_ready(self) -> bool:
        """Whether more can be accepted."""
        return self.spool is None or self.spool.free >= ROOM_IN_SPOOL

    def counts(self) -> dict[str, int]:
        """Return the events by outcome."""
        report = self._progress.report if self._progress else None
        return {
            name: self._finished.get(name, 0) + (getattr(report, name, 0) or 0)
            for name in ("indexed", "duplicates", "rejected", "dropped")
        }

    def lag(self) -> tuple[int, float]:
        """Return the bytes that are not stored, and for how many seconds there have been some."""
        now = time.time()
        files = self._progress.register.items() if self._progress else []
        size = sum(
            max(0, file.size - file.delivered.offset)
            for _, file in files
            if not (file.packed or file.delivered.ended)
        )
        oldest = None
        if self.spool is not None and self.spool.segments:
            size += self.spool.used
            oldest = self.spool.oldest()
        if not size:
            self._caught_up = now
        return size, max(0.0, now - min(filter(None, (oldest, self._caught_up)))) if size else 0.0

    def samples(self) -> Iterator[Sample]:
        """Yield the present values."""
        for outcome, count in self.counts().items():
            yield Sample("events", count, outcome)
        if self._progress:
            yield Sample("records_skipped", self._progress.report.skipped.total())
        yield Sample("retries", self.retries)
        yield Sample("last_delivery_timestamp_seconds", self._last_delivery)
        size, seconds = self.lag()
        yield Sample("lag_bytes", size)
        yield Sample("lag_seconds", seconds)
        if self.spool is not None:
            yield Sample("spool_bytes", self.spool.used)
            yield Sample("spool_entries", self.spool.segments)
            yield Sample("spool_limit_bytes", self.spool.size)
        if self.counters is not None:
            yield Sample("webhook_bodies", self.counters.bodies, "acknowledged")
            yield Sample("webhook_bodies", self.counters.refused, "refused")
            yield Sample("webhook_bodies", self.counters.incomplete, "incomplete")
            yield Sample("webhook_bodies", self.counters.unauthorized, "unauthorized")
            yield Sample("webhook_bytes", self.counters.bytes)

    def line(self) -> tuple[str, dict[str, float]]:
        """Return the counts as a sentence, and by name."""
        counts: dict[str, float] = dict(self.counts())
        size, seconds = self.lag()
        counts |= {"lag_bytes": size, "lag_seconds": round(seconds, 1), "retries": self.retries}
        text = (
            f"{counts['indexed']:,} events indexed, {counts['duplicates']:,} duplicates, "
            f"{counts['rejected']:,} rejected; {size:,} bytes behind, for {seconds:,.0f} s"
        )
        if self.spool is not None:
            counts["spool_bytes"] = self.spool.used
            text += f"; the spool has {self.spool.used:,} bytes"
        return f"{text}.", counts


@dataclass(slots=True)
class WatchRuns:
    """Counts of a watching process.

    :ivar levels: new findings by level.
    """

    succeeded: int = 0
    failed: int = 0
    levels: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    last: float = 0.0
    is_ready: bool = False

    def ended(self, seconds: float, *, succeeded: bool) -> None:
        """Count a run."""
        self.seconds, self.is_ready = seconds, succeeded
        if succeeded:
            self.succeeded += 1
            self.last = time.time()
        else:
            self.failed += 1

    def samples(self) -> Iterator[Sample]:
        """Yield the present values."""
        yield Sample("watch_runs", self.succeeded, "succeeded")
        yield Sample("watch_runs", self.failed, "failed")
        for level, count in self.levels.items():
            yield Sample("watch_findings", count, level)
        yield Sample("watch_run_seconds", self.seconds)
        yield Sample("watch_last_run_timestamp_seconds", self.last)

    def line(self) -> tuple[str, dict[str, float]]:
        """Return the counts as a sentence, and by name."""
        findings = sum(self.levels.values())
        counts = {"runs": self.succeeded, "failed": self.failed, "findings": findings}
        return (
            f"{self.succeeded:,} runs, {self.failed:,} failed, {findings:,} new findings.",
            {**counts, "seconds": round(self.seconds, 2)},
        )
