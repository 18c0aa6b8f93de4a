"""Which stored fields hunts read: a store that is thrown away keeps no others."""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.events.fields.lookup import resolve
from k8sidx.hunt.definition import (
    Correlation,
    Hunt,
    MatchHunt,
    NewHunt,
    SilentHunt,
    SpikeHunt,
    TopHunt,
)
from k8sidx.hunt.kinds.correlated_events import CONTEXT
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS
from k8sidx.hunt.visibility import hidden_fields
from k8sidx.query.algebra import leaves

_ALWAYS = (*CONTEXT, *(one.field for one in EVIDENCE_METRICS))


def fields_needed(hunts: Iterable[Hunt]) -> frozenset[str]:
    """Names of the stored fields that the hunts' queries read."""
    always = frozenset(resolve(name).field.name for name in _ALWAYS)
    return always.union(*(own_fields(hunt) for hunt in hunts))


def own_fields(hunt: Hunt) -> frozenset[str]:
    """Names of the stored fields that a hunt's condition and its key read."""
    names = {leaf.field for leaf in leaves(hunt.condition)}
    names |= hidden_fields(hunt)
    names.update(leaf.field for one in hunt.known_good for leaf in leaves(one.condition))
    match hunt:
        case MatchHunt():
            names.update(hunt.finding_by)
        case TopHunt():
            names.update(column.field for column in hunt.by)
        case Correlation():
            for base in hunt.bases:
                names.update((*base.group_by, *base.values))
        case NewHunt() | SilentHunt():
            names.update(hunt.by)
        case SpikeHunt():
            names.add(hunt.who)
    return frozenset(resolve(name).field.name for name in names)
