"""Selection of clusters by name."""

from __future__ import annotations

from collections.abc import Sequence

from k8sidx.backends.protocol import StoreEngine
from k8sidx.backends.scoped import scoped_store_engine
from k8sidx.hunt.kinds.time_window import CLUSTER
from k8sidx.hunt.result import UNNAMED
from k8sidx.query.algebra import Compare, Condition, Not, Or, Present, Wildcard


def cluster_condition(names: Sequence[str]) -> Condition:
    """Return the condition of events of clusters.

    :param names: ``*`` and ``?`` match any text and one character; ``(unnamed)`` are events that
        name no cluster.
    """
    return Or(tuple(_named(name) for name in names))


def over_clusters(engine: StoreEngine, names: Sequence[str]) -> StoreEngine:
    """Return the engine over the events of these clusters; of all without a name."""
    return scoped_store_engine(engine, cluster_condition(names)) if names else engine


def _named(name: str) -> Condition:
    if name == UNNAMED:
        return Not(Present(CLUSTER))
    if "*" in name or "?" in name:
        return Wildcard(CLUSTER, name)
    return Compare(CLUSTER, "=", name)
