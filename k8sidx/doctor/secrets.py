"""Search of a store for secrets that this version would replace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from k8sidx.backends.store import StoredEvent
from k8sidx.errors import StoreError
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.stored import renormalize

SHOWN = 10_000
"""Values that are listed; all are counted."""


class Secret(NamedTuple):
    """Place of a value, without the value.

    :param location: the UTC day, or the index.
    :param field: path of the value in the event.
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
    :ivar affected: events with such values.
    :ivar values: number of the values.
    :ivar secrets: the first of them.
    :ivar problem: why not all events could be read.
    """

    events: int = 0
    affected: int = 0
    values: int = 0
    secrets: list[Secret] = field(default_factory=list)
    problem: StoreError | None = None


def find_secrets(events: Iterable[StoredEvent]) -> SecretsFound:
    """Return the places of values that redaction would replace, as far as events can be read."""
    found = SecretsFound()
    try:
        _search(events, found)
    except StoreError as error:
        found.problem = error
    return found


def _search(events: Iterable[StoredEvent], found: SecretsFound) -> None:
    normalizer = Normalizer()
    for location, row in events:
        found.events += 1
        replaced = renormalize(row, normalizer).replaced
        found.affected += bool(replaced)
        found.values += len(replaced)
        for value in replaced[: SHOWN - len(found.secrets)]:
            audit_id = row.get("auditID") or ""
            found.secrets.append(Secret(location, audit_id, value.field, value.kind))
