"""Known callers: from where, and with which client, identities of the platform act.

Hunts leave out identities whose work looks like an attack: controllers, kubelets, operators that
read Secrets. Such an exemption rests on a name, and whoever holds the identity's credential has
the name as well. So a request is exempt only if its caller is *known*: the address that the API
server saw and the client are those that the data show for the identity. The others are *foreign*,
and hunts judge them without their exemptions (:meth:`k8sidx.hunt.definition.Hunt.judging`).

:mod:`k8sidx.hunt.known_places` describes what the data show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from k8sidx.backends.protocol import Engine
from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.caller import Caller, is_listed
from k8sidx.hunt.kinds.evidence import COUNT, EVIDENCE_METRICS, as_count
from k8sidx.hunt.kinds.time_window import (
    CLUSTER,
    Window,
    compared_spans,
    extent_of,
    reaches_back,
)
from k8sidx.hunt.known_places import KnownPlaces, known_places, why_foreign
from k8sidx.hunt.lists import SHIPPED
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Terms,
    Wildcard,
)

MOST_CLAUSES = 100
"""Foreign callers that a condition names one by one; of more, it names the identities."""

HISTORY = timedelta(days=30)
"""Length of the baseline when none is requested."""

PRINCIPAL = "user.extra.arn"
EKS_ROLE = "*:assumed-role/AWSWesleyClusterManagerLambda-*"
"""IAM principal of the functions by which Amazon manages nodes and add-ons."""

NO_ROLE = "its IAM role is not the one by which Amazon manages clusters"

BY = (CLUSTER, "user.username", "source.ip", "user_agent.name")
"""Fields of a caller: an identity in a cluster, at an address, with a client."""


@dataclass(frozen=True, slots=True)
class ForeignCaller:
    """A caller that is not known, and why."""

    caller: Caller
    why: str


def queried(identities: Condition, since: datetime | None, until: datetime | None) -> Query:
    """Return the query for the callers of some identities, with evidence."""
    question = callers_question(identities)
    metrics = (*question.metrics, *EVIDENCE_METRICS)
    return replace(question, since=since, until=until, metrics=metrics)


def callers_question(identities: Condition) -> Query:
    """Return the query for the callers of some identities, as daily summaries answer it."""
    return Query(
        where=identities,
        group_by=tuple(Terms(name, keep_missing=True) for name in BY),
        metrics=(COUNT,),
    )


@cache
def platform_identities() -> Condition:
    """Return the identities that lists of the library exempt, and those that show places."""
    names = [
        *(SHIPPED.entries("platform_identities") or ()),
        *(SHIPPED.entries("operators_reading_secrets") or ()),
        *(SHIPPED.entries("provider_support") or ()),
    ]
    plain = tuple(dict.fromkeys(name for name in names if "*" not in name))
    patterns = [name for name in dict.fromkeys(names) if "*" in name]
    spaces = SHIPPED.entries("system_namespaces") or ()
    patterns += [f"system:serviceaccount:{space}:*" for space in spaces]
    return Or(
        (OneOf("user.username", plain), *(Wildcard("user.username", text) for text in patterns))
    )


def platform_or(identities: Condition) -> Condition:
    """Return the identities of the platform, which show places, and some more."""
    return Or((platform_identities(), identities))


def callers_in(engine: Engine, query: Query) -> list[Caller]:
    """Return the callers that a query finds."""
    width = len(BY)
    callers = []
    for row in engine.run(query).rows:
        cluster, user, address, agent = (str(value or "") for value in row[:width])
        if user and address:
            callers.append(
                Caller(
                    cluster or None, user, address, agent, as_count(row[width]),
                    tuple(row[width + 1 :]),
                )
            )  # fmt: skip
    return callers


def foreign_callers(now: Sequence[Caller], places: KnownPlaces) -> list[ForeignCaller]:
    """Return the callers that are not known.

    :param now: callers of the window.
    """
    foreign = []
    for caller in now:
        why = why_foreign(caller, places)
        if why:
            foreign.append(ForeignCaller(caller, why))
    return foreign


def foreign_requests(foreign: Sequence[ForeignCaller]) -> Condition | None:
    """Return the condition of the requests of foreign callers; ``None`` without any."""
    if not foreign:
        return None
    if len(foreign) > MOST_CLAUSES:
        return OneOf("user.username", tuple(sorted({each.caller.user for each in foreign})))
    return Or(tuple(_clause(each.caller) for each in foreign))


def _clause(caller: Caller) -> Condition:
    agent: Condition = Compare("user_agent.name", "=", caller.agent)
    parts: list[Condition] = [
        Compare("user.username", "=", caller.user),
        Compare("source.ip", "=", caller.address),
        agent if caller.agent else Not(Present("user_agent.name")),
    ]
    if caller.cluster is not None:
        parts.append(Compare(CLUSTER, "=", caller.cluster))
    return And(tuple(parts))


@dataclass(frozen=True, slots=True)
class Callers:
    """Callers of a window.

    :param foreign: those that are not known.
    :param own: public addresses of the nodes of each cluster.
    """

    foreign: Sequence[ForeignCaller]
    own: Mapping[str | None, set[str]]

    @property
    def inside(self) -> Condition | None:
        """The condition of requests from the own public addresses; ``None`` without any."""
        clauses = []
        for cluster, addresses in self.own.items():
            parts: list[Condition] = [OneOf("source.ip", tuple(sorted(addresses)))]
            if cluster is not None:
                parts.append(Compare(CLUSTER, "=", cluster))
            clauses.append(And(tuple(parts)))
        return Or(tuple(clauses)) if clauses else None


def callers_of(identities: Condition, engine: Engine, window: Window, past: Engine) -> Callers:
    """Return the callers of some identities in a window.

    :param past: answers the query about the baseline.
    """
    now = callers_in(engine, queried(platform_or(identities), window.since, window.until))
    before = _history(engine, window, past) if now else []
    places = known_places(now, before)
    pretenders = _without_role(engine, window, now)
    foreign = [each for each in foreign_callers(now, places) if each.caller not in pretenders]
    return Callers(
        [*foreign, *(ForeignCaller(caller, NO_ROLE) for caller in pretenders)],
        places.own,
    )


def _without_role(engine: Engine, window: Window, now: Sequence[Caller]) -> list[Caller]:
    """Return the callers of Amazon's functions whose IAM role is not one of Amazon's.

    They act from anywhere, and ``aws-auth`` gives their names to any IAM role; its own the caller
    cannot choose.
    """
    callers = [caller for caller in now if is_listed(caller.user, "eks_outside_users")]
    if not callers:
        return []
    users = OneOf("user.username", tuple(sorted({caller.user for caller in callers})))
    other = And((users, Not(Wildcard(PRINCIPAL, EKS_ROLE))))
    try:
        pretenders = callers_in(engine, queried(other, window.since, window.until))
    except UnsupportedQuery:
        return callers  # fields of somebody else's index that do not have it
    places = {pretender.place for pretender in pretenders}
    return [caller for caller in callers if caller.place in places]


def _history(engine: Engine, window: Window, past: Engine) -> list[Caller]:
    """Return the callers of the baseline; none where no ``since`` was requested, or the data do
    not reach back."""
    if window.since is None:
        return []
    extent = extent_of(engine, window)
    spans = compared_spans(window, extent, timedelta(0), HISTORY)
    if spans is None or not reaches_back(extent, spans):
        return []
    question = callers_question(platform_identities())
    return callers_in(past, question.replace(since=spans.start, until=spans.since))
