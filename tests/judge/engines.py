"""Engines that the judge asks: the embedded one, and one that sees the events of one case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from k8sidx.backends.cluster.engine.engine import SearchEngine
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Result
from k8sidx.events.normalize.event import Normalized
from k8sidx.query.algebra import And, Compare, Or, Query, Wildcard
from tests.building import normalized
from tests.conformance.index_events import fill
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


def tagged(cases: Mapping[str, Sequence[dict[str, Any]]]) -> list[list[Normalized]]:
    """The events of all cases, each tagged with its case.

    Some suites use an event in several cases, and a store holds an event once: the second
    case that has it comes whole in a second list, and so on. An event can name its ``cluster``,
    for cases of several.
    """
    rounds: list[dict[bytes, Normalized]] = []
    for case, events in cases.items():
        made = [
            normalized(
                {key: value for key, value in event.items() if key != "cluster"},
                cluster=f"{case} of {event['cluster']}" if "cluster" in event else case,
            )
            for event in events
        ]
        held = {one.own[0]: one for one in made}
        place = next((one for one in rounds if not one.keys() & held.keys()), None)
        if place is None:
            rounds.append(place := {})
        place.update(held)
    return [list(one.values()) for one in rounds]


@contextmanager
def embedded(folder: Path, rounds: Sequence[Sequence[Normalized]]) -> Iterator[list[Engine]]:
    """An embedded store for each list of events."""
    with ExitStack() as opened:
        engines: list[Engine] = []
        for number, events in enumerate(rounds):
            store = EmbeddedStore(folder / f"store-{number}")
            put_normalized(store, events)
            engines.append(opened.enter_context(store.engine()))
        yield engines


@contextmanager
def on_cluster(cluster: Cluster, rounds: Sequence[Sequence[Normalized]]) -> Iterator[list[Engine]]:
    """An engine over an index of its own for each list of events, removed in the end."""
    prefix = unique_prefix()
    try:
        for place, events in enumerate(rounds):
            fill(cluster, f"{prefix}-{place}", events, dated=False)
        yield [SearchEngine(cluster, f"{prefix}-*")]
    finally:
        remove_all(cluster, prefix)
