"""Exemptions of a rule: selections that leave out callers by what they can choose.

A rule names them under ``k8sidx.exemptions``, a shared filter under ``exemptions``: the selections
of its detection that hold for a name, a user agent or a query string, and that its condition
negates. A caller that is not where, or not the client that, the data show for the identity
(:mod:`k8sidx.hunt.callers`) is judged without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import SigmaNull

from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.sigma.filters import shared_filters

NEVER_FIELD = "k8sidx.never"
"""Field of the selection that no event matches."""


def exemptions_of(rule: SigmaRule, where: Where) -> tuple[str, ...]:
    """Return the selections of a rule that are exemptions, its own and those of its filters.

    :raises InvalidHunt: for a name that is not a selection of the rule.
    """
    extension = rule.custom_attributes.get("k8sidx")
    if not isinstance(extension, Mapping):
        return ()
    own = extension.get("exemptions") or ()
    filters = extension.get("filters") or ()
    known = shared_filters()
    shared = [name for each in filters if each in known for name in known[each].exemptions]
    for name in own:
        if name not in rule.detection.detections:
            raise InvalidHunt(
                f"k8sidx.exemptions: the rule has no selection {name!r}.",
                remedy=f"There are: {', '.join(rule.detection.detections)}.",
                where=where,
            )
    return tuple(dict.fromkeys((*own, *shared)))


def without_selections(rule: SigmaRule, names: Iterable[str]) -> SigmaDetections:
    """Return the detections of a rule in which some selections match no event."""
    never = SigmaDetection([SigmaDetectionItem(NEVER_FIELD, [], [SigmaNull()])])
    detections = rule.detection.detections | dict.fromkeys(names, never)
    return SigmaDetections(detections, rule.detection.condition, rule.detection.source)


def only_selections(rule: SigmaRule, names: Iterable[str]) -> SigmaDetections:
    """Return the detections of a rule with any of some selections as the condition."""
    return SigmaDetections(rule.detection.detections, [" or ".join(names)], rule.detection.source)
