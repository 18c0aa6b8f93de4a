"""What controllers do with somebody's workload is no news beside the workload itself.

A person makes a privileged Deployment; the controllers make a ReplicaSet and pods of it,
each as privileged. A hunt with ``echoes_of`` tells the person's request. What controllers
did alone it tells as well, but as low: the workload was made before the log began, or what
the log kept of it does not say.

Whether a request is a controller's is decided by who made it (``user.controller``), never
by the ownerReferences of the object, which any client can set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from k8sidx.backends.result import Value
from k8sidx.hunt.definition import MatchHunt

CONTROLLER = "user.controller"
ECHO_LEVEL = "low"

G = TypeVar("G")


def without_echoes(
    hunt: MatchHunt, groups: Mapping[tuple[Value, ...], G]
) -> dict[tuple[Value, ...], G]:
    """The groups of a hunt, by values of ``finding_by``, without those that repeat another."""
    if not hunt.echoes_of:
        return dict(groups)
    told = {_same(hunt, key) for key in groups if not is_controllers(hunt, key)}
    # Where the log does not say which workload it was, nothing says that it is the same.
    told = {same for same in told if None not in same}
    return {
        key: group
        for key, group in groups.items()
        if not (is_controllers(hunt, key) and _same(hunt, key) in told)
    }


def is_controllers(hunt: MatchHunt, key: Iterable[Value]) -> bool:
    """Whether a group of a hunt with ``echoes_of`` is what a controller did."""
    if not hunt.echoes_of:
        return False
    return dict(zip(hunt.finding_by, key, strict=True))[CONTROLLER] is True


def _same(hunt: MatchHunt, key: tuple[Value, ...]) -> tuple[Value, ...]:
    values = dict(zip(hunt.finding_by, key, strict=True))
    return tuple(values[name] for name in hunt.echoes_of)
