"""Engines that the judge asks: the embedded one, and one that sees the events of one case."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.events.normalize.event import Normalized
from k8sidx.query.algebra import And, Compare, Or, Query, Wildcard
from tests.building import normalized
from tests.conformance.index_events import fill
from tests.places import example_places
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix
from tests.stores import put_normalized

CASE = "orchestrator.cluster.name"
"""The field that says which case an event belongs to."""


class CaseEngine:
    """Answers as if the store held the events of one case alone."""

    def __init__(self, engine: Engine, case: str) -> None:
        self.name = engine.name
        self._engine = engine
        self._case = Or((Compare(CASE, "=", case), Wildcard(CASE, f"{case} of *")))

    def run(self, query: Query) -> Result:
        return self._engine.run(query.replace(where=And((query.where, self._case))))


def tagged(cases: Mapping[str, Sequence[dict[str, Any]]]) -> list[Normalized]:
    """The events of all cases, each tagged with its case.

    Some suites use an event in several cases, and a store holds an event once: an event's id is
    made of its own id and its case. An event can name its ``cluster``, for cases of several.
    """
    found: dict[bytes, Normalized] = {}
    for case, events in cases.items():
        for event in events:
            body = {key: value for key, value in event.items() if key != "cluster"}
            tag = f"{case} of {event['cluster']}" if "cluster" in event else case
            made = normalized(body, cluster=tag, places=example_places())
            identity = hashlib.blake2b(made.values.id + case.encode(), digest_size=16).digest()
            made.values = made.values._replace(id=identity)
            found[identity] = made
    return list(found.values())


@contextmanager
def embedded(folder: Path, events: Sequence[Normalized]) -> Iterator[Engine]:
    """An embedded store with the events."""
    store = EmbeddedStore(folder / "store")
    put_normalized(store, events)
    with store.engine() as engine:
        yield engine


@contextmanager
def on_cluster(cluster: Cluster, events: Sequence[Normalized]) -> Iterator[Engine]:
    """An engine over an index with the events, removed in the end."""
    prefix = unique_prefix()
    try:
        yield fill(cluster, prefix, events, dated=False)
    finally:
        remove_all(cluster, prefix)
