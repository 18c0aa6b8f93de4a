"""Accounts in system namespaces that somebody made: they are not the platform's own.

Hunts leave out service accounts of system namespaces by name, and the lists name whole families of
namespaces, for example ``openshift-*``. Whoever may create a namespace can make one of the family,
on any cluster, and whoever may write in a system namespace can make an account there. So an account
is the platform's unless the log shows that somebody else made it, or its namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from k8sidx.backends.protocol import Engine
from k8sidx.events.accounts import SERVICE_ACCOUNT_PREFIX, split_name
from k8sidx.hunt.caller import is_listed
from k8sidx.hunt.kinds.evidence import COUNT
from k8sidx.hunt.kinds.time_window import CLUSTER, Window, compared_spans, extent_of
from k8sidx.hunt.lists import SHIPPED
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    OneOf,
    Or,
    Present,
    Query,
    Terms,
    Wildcard,
)

HISTORY = timedelta(days=30)
"""Time before the window in which somebody may have made an account."""

MOST_ACCOUNTS = 100
"""Accounts that a condition names one by one; of more, it names their namespaces."""

_MAKER, _ACTING = "user.username", "impersonatedUser.username"
_KIND, _SPACE, _NAME = "objectRef.resource", "objectRef.namespace", "target.name"
_BY = (CLUSTER, _MAKER, _ACTING, _KIND, _SPACE, _NAME)
FIELDS = frozenset((*_BY, "verb", "event.outcome", "responseStatus.code", "target.resource"))
"""Stored fields that the query reads."""

_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_WRITTEN = Or(
    (
        Compare("verb", "=", "create"),
        And((Compare("verb", "=", "patch"), Compare("responseStatus.code", "=", 201))),
    )
)


class Made(NamedTuple):
    """Something that somebody made.

    :param account: name of the service account; empty for a whole namespace.
    """

    cluster: str | None
    namespace: str
    account: str


def requests_of_made_accounts(engine: Engine, window: Window) -> Condition | None:
    """Return the condition of requests of accounts that are not the platform's own; ``None``
    without any."""
    made = _made(_creations(engine, window))
    if not made:
        return None
    if len(made) > MOST_ACCOUNTS:
        made = {each._replace(account="") for each in made}
    return Or(tuple(_clause(each) for each in sorted(made, key=repr)))


def _creations(engine: Engine, window: Window) -> list[tuple[str | None, ...]]:
    spaces = SHIPPED.entries("system_namespaces") or ()
    query = Query(
        where=And(
            (
                Compare("event.outcome", "=", "success"),
                _WRITTEN,
                Or(
                    (
                        And((Compare(_KIND, "=", "namespaces"), _any_of(_NAME, spaces))),
                        And(
                            (
                                Compare("target.resource", "=", "serviceaccounts"),
                                _any_of(_SPACE, spaces),
                                Present(_NAME),
                            )
                        ),
                    )
                ),
            )
        ),
        since=_since(engine, window),
        until=window.until,
        group_by=tuple(Terms(name, keep_missing=True) for name in _BY),
        metrics=(COUNT,),
    )
    width = len(_BY)
    return [
        tuple(None if value is None else str(value) for value in row[:width])
        for row in engine.run(query).rows
    ]


def _since(engine: Engine, window: Window) -> datetime | None:
    if window.since is None:
        return None
    spans = compared_spans(window, extent_of(engine, window), timedelta(0), HISTORY)
    return spans.start if spans else window.since


def _any_of(name: str, patterns: Sequence[str]) -> Condition:
    return Or(tuple(Wildcard(name, pattern) for pattern in patterns))


def _made(creations: Iterable[tuple[str | None, ...]]) -> set[Made]:
    """Return what others than the platform made; an account so made is an other, too."""
    rows = list(creations)
    made: set[Made] = set()
    while True:
        more = {
            Made(cluster, name, "") if kind == "namespaces" else Made(cluster, space or "", name)
            for cluster, maker, acting, kind, space, name in rows
            if name
            and _DNS_NAME.fullmatch(name)
            and (kind == "namespaces" or (space and _DNS_NAME.fullmatch(space)))
            and (acting is not None or not _is_platform(cluster, maker or "", made))
        }
        if more <= made:
            return made
        made |= more


def _is_platform(cluster: str | None, user: str, made: set[Made]) -> bool:
    namespace, account = split_name(user)
    if Made(cluster, namespace, "") in made or Made(cluster, namespace, account) in made:
        return False
    return is_listed(user, "platform_identities") or (
        bool(namespace) and is_listed(namespace, "system_namespaces")
    )


def _clause(made: Made) -> Condition:
    accounts = f"{SERVICE_ACCOUNT_PREFIX}{made.namespace}:"
    account: Condition = (
        OneOf(_MAKER, (f"{accounts}{made.account}",))
        if made.account
        else Wildcard(_MAKER, f"{accounts}*")
    )
    if made.cluster is None:
        return account
    return And((account, Compare(CLUSTER, "=", made.cluster)))
