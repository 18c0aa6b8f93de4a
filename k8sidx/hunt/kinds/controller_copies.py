"""Drops controller-made copies of a workload that is already reported.

A person makes a privileged Deployment; the controllers make a ReplicaSet and pods of it,
each as privileged. A hunt with ``echoes_of`` reports the person's request. Copies without such
a request are reported as well, but as low: the workload was made before the log began, or
the part of the log that would show it was not recorded.

Whether a request is a controller's is decided by who made it (``user.controller``), never
by the ownerReferences of the object, which any client can set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from k8sidx.backends.result import Value

CONTROLLER = "user.controller"
COPY_LEVEL = "low"

G = TypeVar("G")


def without_copies(
    finding_by: Sequence[str], echoes_of: Sequence[str], groups: Mapping[tuple[Value, ...], G]
) -> dict[tuple[Value, ...], G]:
    """Return the groups of a hunt without copies of what another group is about.

    :param finding_by: fields of the groups' keys.
    :param echoes_of: those that identify the workload; empty to keep all groups.
    """
    if not echoes_of:
        return dict(groups)

    def workload(key: tuple[Value, ...]) -> tuple[Value, ...]:
        values = dict(zip(finding_by, key, strict=True))
        return tuple(values[name] for name in echoes_of)

    reported = {workload(key) for key in groups if not is_by_controller(finding_by, key)}
    # A workload that the log does not identify cannot be shown to be the same.
    reported = {values for values in reported if None not in values}
    return {
        key: group
        for key, group in groups.items()
        if not (is_by_controller(finding_by, key) and workload(key) in reported)
    }


def is_by_controller(finding_by: Sequence[str], key: Sequence[Value]) -> bool:
    """Whether a controller made the requests of a group."""
    return dict(zip(finding_by, key, strict=True))[CONTROLLER] is True
