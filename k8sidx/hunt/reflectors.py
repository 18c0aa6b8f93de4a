"""Reflectors: clients that list a kind of object once and then watch it.

Controllers and operators read whole kinds of objects by reflector: a list that names a resource
version, then a watch from there. Hunts leave such lists out. Anybody can name a resource version,
so the watch must be there as well: a list without one is judged.
"""

from __future__ import annotations

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.callers import BY
from k8sidx.hunt.kinds.evidence import COUNT
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.query.algebra import And, Compare, Condition, Not, Or, Present, Query, Terms, Wildcard

MARK = "requestURI"
"""Field by whose resource version a rule recognizes a reflector's list."""

_FIELDS = (*BY, "objectRef.resource")
_MOST = 200
_SERVICE_ACCOUNT = Compare("user.kind", "=", "serviceaccount")
_LIST = And((Compare("verb", "=", "list"), Wildcard(MARK, "*resourceVersion=*")))


def lists_without_watch(engine: Engine, window: Window) -> Condition | None:
    """Return the condition of lists of service accounts that no watch follows.

    ``None`` where there are none, and where the log has no watches at all: an audit policy often
    leaves them out.
    """
    watched = Compare("verb", "=", "watch")
    if not engine.run(_grouped(watched, window, limit=1)).rows:
        return None
    watching = {row[: len(_FIELDS)] for row in engine.run(_grouped(watched, window)).rows}
    listing = [row[: len(_FIELDS)] for row in engine.run(_grouped(_LIST, window)).rows]
    alone = [values for values in listing if values not in watching]
    if not alone:
        return None
    if len(alone) > _MOST:
        return And((_SERVICE_ACCOUNT, _LIST))
    return And((_LIST, Or(tuple(_clause(values) for values in alone))))


def _grouped(condition: Condition, window: Window, limit: int | None = None) -> Query:
    return Query(
        where=And((_SERVICE_ACCOUNT, Not(Present("impersonatedUser.username")), condition)),
        since=window.since,
        until=window.until,
        group_by=tuple(Terms(name, keep_missing=True) for name in _FIELDS),
        metrics=(COUNT,),
        limit=limit,
    )


def _clause(values: tuple[object, ...]) -> Condition:
    return And(
        tuple(
            Not(Present(name)) if value is None else Compare(name, "=", str(value))
            for name, value in zip(_FIELDS, values, strict=True)
        )
    )
