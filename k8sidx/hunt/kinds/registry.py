"""All kinds of hunts.

A kind is one module of this package and one entry below: the class of its hunts has their
options, the evaluator, the queries and the texts (:class:`k8sidx.hunt.definition.Hunt`).
"""

from __future__ import annotations

from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.correlation import Correlation
from k8sidx.hunt.kinds.credential import CredentialHunt
from k8sidx.hunt.kinds.foreign import ForeignHunt
from k8sidx.hunt.kinds.match import MatchHunt
from k8sidx.hunt.kinds.new import NewHunt
from k8sidx.hunt.kinds.sequence import SequenceHunt
from k8sidx.hunt.kinds.silent import SilentHunt
from k8sidx.hunt.kinds.spike import SpikeHunt
from k8sidx.hunt.kinds.threshold import ThresholdHunt
from k8sidx.hunt.kinds.top import TopHunt
from k8sidx.hunt.kinds.travel import TravelHunt

KINDS: dict[str, type[Hunt]] = {
    "match": MatchHunt,
    "threshold": ThresholdHunt,
    "sequence": SequenceHunt,
    "top": TopHunt,
    "new": NewHunt,
    "spike": SpikeHunt,
    "silent": SilentHunt,
    "foreign": ForeignHunt,
    "credential": CredentialHunt,
    "travel": TravelHunt,
}
"""By name, in the order of docs/hunts.md."""

CORRELATIONS: dict[str, type[Correlation]] = {
    sigma_type: kind
    for kind in KINDS.values()
    if issubclass(kind, Correlation)
    for sigma_type in kind.sigma_types
}
"""Kinds of Sigma correlations, by correlation type."""

RULES: dict[str, type[Hunt]] = {
    name: kind
    for name, kind in KINDS.items()
    if kind is not MatchHunt and not issubclass(kind, Correlation)
}
"""Kinds that a rule selects with ``k8sidx.kind``; a rule without it is a match."""
