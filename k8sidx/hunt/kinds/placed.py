"""Events without a place, which hunts on places cannot judge."""

from __future__ import annotations

from collections.abc import Collection

from k8sidx.backends.protocol import Engine
from k8sidx.events.normalize.places import LOCATION, PLACES
from k8sidx.hunt.finding_text import events
from k8sidx.hunt.kinds.time_window import Window, count_events
from k8sidx.hunt.lists import SHIPPED
from k8sidx.hunt.result import Unjudged
from k8sidx.query.algebra import And, Condition, InNetwork, Not, Present

ADDRESS = "source.ip"


def without_places(
    condition: Condition, names: Collection[str], engine: Engine, window: Window
) -> tuple[Unjudged, ...]:
    """Return how many of the events from public addresses have no place.

    :param condition: the events that the hunt is about.
    :param names: fields that the hunt reads.
    """
    needed = [name for name in PLACES if name in names]
    if not needed:
        return ()
    field = LOCATION if LOCATION in needed else needed[0]
    private = InNetwork(ADDRESS, SHIPPED.entries("private_networks") or ())
    lost = And((condition, Present(ADDRESS), Not(private), Not(Present(field))))
    count = count_events(lost, engine, window)
    if not count:
        return ()
    why = (
        f"{events(count)} from public addresses without {field}: no address database was given "
        "when they were shipped (k8sidx ship --address-database), or it has no such address."
    )
    return (Unjudged("platform", why, count),)
