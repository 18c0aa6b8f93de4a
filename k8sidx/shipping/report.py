"""Options, progress and report of a run of ship."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from k8sidx.backends.sink import Tally
from k8sidx.errors import K8sidxError
from k8sidx.events.audit_policy import AuditPolicy
from k8sidx.events.records import Rejected
from k8sidx.shipping.sources.follow.registry import Registry
from k8sidx.shipping.spool.spool import SpoolReport
from k8sidx.shipping.understood import Example, NotUnderstood

SHOWN_REJECTS = 20


@dataclass(frozen=True, slots=True)
class ShipOptions:
    """Options of a run.

    :param cluster: name of the cluster, for events without one.
    :param format: envelope of the events; ``auto`` detects it.
    :param keep_secrets: store secrets as they are.
    :param dead_letter: file of rejected records; by default in the store's folder.
    :param record_limit: longest record in bytes.
    :param processes: worker processes, this one included; 0 for one per core.
    :param give_up_after: seconds without progress after which a run on a cluster gives up.
    :param follow: keep reading the inputs as they grow, until stopped.
    :param strict: reject what would be skipped because it is not an audit event.
    :param relabel: events that are stored already get the name of the cluster, too.
    :param address_databases: files with the places of addresses; without one no event has a
        place.
    :param drop: leave out the events that an API server with this policy would not log.
    """

    cluster: str = ""
    format: str = "auto"
    keep_secrets: bool = False
    dead_letter: Path | None = None
    record_limit: int = 32 * 1024 * 1024
    processes: int = 0
    give_up_after: float = 900.0
    follow: bool = False
    strict: bool = False
    relabel: bool = False
    drop: AuditPolicy | None = None
    address_databases: tuple[Path, ...] = ()

    @property
    def stored_cluster(self) -> str:
        """The name of the cluster as it is stored."""
        # Of an argument that is not valid in the locale.
        return self.cluster.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass(slots=True)
class ShipReport(Tally):
    """Outcomes of a run's records: ``read = indexed + duplicates + rejected``.

    :param dropped: events that a policy left out, not counted as read; ``None`` without one.
    :param skipped: records that are not audit events, by kind; not counted as read.
    :param examples: the first skipped record of each kind.
    :param not_understood: inputs that were read and contain no audit event at all.
    :param rejects: the first rejected records, without their raw text.
    :param dead_letter: the file with all rejected records; ``None`` when there are none.
    :param failure: why the run ended before all events that were read had an outcome.
    :param spool: what the spool contains at the end; ``None`` without a spool.
    :param relabel: the cluster name that stored events were to get; empty when they keep theirs.
    """

    redacted: int = 0
    seconds: float = 0.0
    dropped: int | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)
    not_understood: list[NotUnderstood] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)
    dead_letter: Path | None = None
    failure: K8sidxError | None = None
    spool: SpoolReport | None = None
    relabel: str = ""

    def add(self, later: ShipReport) -> None:
        """Add the counts of a later run."""
        self += later
        self.redacted += later.redacted
        self.seconds += later.seconds
        if later.dropped is not None:
            self.dropped = (self.dropped or 0) + later.dropped
        self.skipped += later.skipped
        self.examples = later.examples | self.examples
        self.rejects = [*self.rejects, *later.rejects][:SHOWN_REJECTS]
        self.dead_letter = later.dead_letter or self.dead_letter


@dataclass(slots=True)
class ShipProgress:
    """Progress of a run; ``bytes_total`` is unknown for standard input.

    :ivar report: the outcomes so far.
    :ivar register: the files that are read, with the positions up to which they are stored.
    """

    events: int = 0
    bytes_done: int = 0
    bytes_total: int | None = None
    report: ShipReport = field(default_factory=ShipReport)
    register: Registry = field(default_factory=Registry)
