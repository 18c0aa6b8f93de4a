"""Exemptions of hunts, lifted for the callers that do not deserve them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from k8sidx.backends.protocol import Engine
from k8sidx.backends.summaries import SummaryEngine
from k8sidx.backends.summary_store import Summaries
from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.callers import (
    callers_of,
    callers_question,
    foreign_requests,
    platform_identities,
)
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.made_accounts import requests_of_made_accounts
from k8sidx.hunt.reflectors import lists_without_watch
from k8sidx.hunt.result import Unjudged
from k8sidx.query.algebra import Not, Or

_KIND = "user.kind"
"""Field by which a rule exempts every service account: as the reflector that it seems to be."""


class Lifted(NamedTuple):
    """Hunts whose exemptions hold for known callers only.

    :param unknown: why no caller can be known: exemptions then rest on names.
    """

    hunts: list[Hunt]
    unknown: tuple[Unjudged, ...] = ()


def lift_exemptions(
    hunts: Sequence[Hunt], engine: Engine, window: Window, summaries: Summaries | None = None
) -> Lifted:
    """Return the hunts with their exemptions lifted for foreign callers.

    :param summaries: daily summaries of the store, for the baseline.
    :raises StoreError: when the store cannot be read.
    """
    exempting = [hunt for hunt in hunts if hunt.unexempted is not None and hunt.finds_requests]
    if not exempting and not any(hunt.nodes_inside for hunt in hunts):
        return Lifted(list(hunts))
    names = dict.fromkeys(leaf for hunt in exempting for leaf in hunt.exempt_identities)
    past = engine
    if summaries is not None and not all(hunt.counts_only(window) for hunt in exempting):
        past = SummaryEngine(engine, summaries, (callers_question(platform_identities()),))
    try:
        callers = callers_of(Or(tuple(names)), engine, window, past)
        lifted = [
            foreign_requests(callers.foreign),
            lists_without_watch(engine, window) if _KIND in {n.field for n in names} else None,
        ]
    except UnsupportedQuery as error:
        why = f"accounts of the platform are left out by their names alone: {error}"
        return Lifted(list(hunts), (Unjudged("query", why),))
    unknown: tuple[Unjudged, ...] = ()
    try:
        lifted.append(requests_of_made_accounts(engine, window))
    except UnsupportedQuery as error:
        why = f"accounts in system namespaces are the platform's by their names alone: {error}"
        unknown = (Unjudged("query", why),)
    conditions = tuple(condition for condition in lifted if condition is not None)
    judging = [hunt.judging(Or(conditions)) for hunt in hunts] if conditions else list(hunts)
    inside = callers.inside
    if inside is None:
        return Lifted(judging, unknown)
    return Lifted(
        [hunt.restricted_to(Not(inside)) if hunt.nodes_inside else hunt for hunt in judging],
        unknown,
    )
