"""Search of a store for secrets that this version would replace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from k8sidx.backends.finding_record import has_secrets, secret_fields
from k8sidx.backends.store import Store, StoredEvent
from k8sidx.errors import StoreError
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.stored import renormalize

SHOWN = 10_000
"""Values that are listed; all are counted."""


class Secret(NamedTuple):
    """Place of a value, without the value.

    :param location: the UTC day, or the index; ``findings`` or ``summaries``.
    :param audit_id: the event's; the id of a finding, the day of a summary.
    :param field: path of the value in the event, or the field of the finding.
    :param kind: the reason to replace it.
    """

    location: str
    audit_id: str
    field: str
    kind: str


@dataclass(slots=True)
class SecretsFound:
    """Result of the search.

    :ivar events: events that were read.
    :ivar findings: saved findings that were read.
    :ivar summaries: daily summaries that were read.
    :ivar affected: events, findings and summaries with such values.
    :ivar values: number of the values.
    :ivar secrets: the first of them.
    :ivar problem: why not all events could be read.
    """

    events: int = 0
    findings: int = 0
    summaries: int = 0
    affected: int = 0
    values: int = 0
    secrets: list[Secret] = field(default_factory=list)
    problem: StoreError | None = None

    def add(self, secrets: Iterable[Secret]) -> None:
        """Count the values of an event, a finding or a summary."""
        values = list(secrets)
        self.affected += bool(values)
        self.values += len(values)
        self.secrets += values[: SHOWN - len(self.secrets)]


def find_secrets(store: Store) -> SecretsFound:
    """Return the places of values that redaction would replace, as far as the store can be read."""
    scan = SecretsFound()
    try:
        _search_findings(store, scan)
        _search(store.stored_events(), scan)
    except StoreError as error:
        scan.problem = error
    return scan


def _search(events: Iterable[StoredEvent], scan: SecretsFound) -> None:
    normalizer = Normalizer()
    for location, row in events:
        scan.events += 1
        replaced = renormalize(row, normalizer).replaced
        audit_id = row.get("auditID") or ""
        scan.add(Secret(location, audit_id, value.field, value.kind) for value in replaced)


def _search_findings(store: Store, scan: SecretsFound) -> None:
    """Search what is derived from events: saved findings and daily summaries."""
    for key, record in store.findings().load().items():
        scan.findings += 1
        scan.add(Secret("findings", key, name, "credential") for name in secret_fields(record))
    for summary in store.stored_summaries():
        scan.summaries += 1
        if has_secrets(summary):
            scan.add([Secret("summaries", summary.name, "", "credential")])
