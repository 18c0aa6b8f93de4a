"""Stored fields that hunts read: a temporary store keeps no others."""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.events.fields.lookup import resolve
from k8sidx.hunt.callers import BY, PRINCIPAL
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_callers import CONTEXT as CALLERS
from k8sidx.hunt.impersonators import trusted_condition
from k8sidx.hunt.kinds.correlated_events import CONTEXT
from k8sidx.hunt.kinds.evidence import EVIDENCE_METRICS
from k8sidx.hunt.kinds.time_window import CLUSTER
from k8sidx.hunt.made_accounts import FIELDS as MADE_BY
from k8sidx.hunt.ties import CONTEXT as TIES
from k8sidx.hunt.visibility import hidden_fields
from k8sidx.query.algebra import leaves

_ALWAYS = (*CONTEXT, CLUSTER, *(metric.field for metric in EVIDENCE_METRICS))


def required_fields(hunts: Iterable[Hunt]) -> frozenset[str]:
    """Return the names of the stored fields that the hunts' queries read, and those that tell the
    callers of their findings and what ties these together."""
    return scanned_fields(hunts) | CALLERS | {*BY, PRINCIPAL} | MADE_BY | TIES


def scanned_fields(hunts: Iterable[Hunt]) -> frozenset[str]:
    """Return the names of the stored fields that the hunts' own queries read."""
    always = frozenset(resolve(name).field.name for name in _ALWAYS)
    return always.union(*(own_fields(hunt) for hunt in hunts))


def own_fields(hunt: Hunt) -> frozenset[str]:
    """Return the names of the stored fields that a hunt's condition and its key read."""
    names = {leaf.field for leaf in leaves(hunt.condition)}
    names |= hidden_fields(hunt)
    names.update(leaf.field for entry in hunt.known_good for leaf in leaves(entry.condition))
    names.update(hunt.required_fields())
    names.update(leaf.field for leaf in leaves(trusted_condition(hunt.trusted_impersonators)))
    if hunt.unexempted is not None:
        names.update(leaf.field for leaf in (*leaves(hunt.unexempted), *hunt.exempt_identities))
        names.update(
            (
                *BY,
                "impersonatedUser.username",
                "user.kind",
                "verb",
                "requestURI",
                "objectRef.resource",
            )
        )
    return frozenset(resolve(name).field.name for name in names)
