"""Which attack each hunt of the library must find, by the hunt's id."""

from __future__ import annotations

from k8sidx.generate.attack import Attack
from k8sidx.generate.attacks import (
    access,
    activity,
    changes,
    clients,
    control_plane,
    deletions,
    execution,
    exposure,
    roles,
    secrets,
    surface,
    tables,
    workloads,
)

NOT_IN_ONE_LOG = {"cluster_silent"}
"""Hunts that compare clusters, which the API server's events do not name: it takes the logs of
two, and one that ends."""

ATTACKS: dict[str, Attack] = dict(
    sorted(
        {
            **access.ATTACKS,
            **activity.ATTACKS,
            **changes.ATTACKS,
            **clients.ATTACKS,
            **control_plane.ATTACKS,
            **deletions.ATTACKS,
            **execution.ATTACKS,
            **exposure.ATTACKS,
            **roles.ATTACKS,
            **secrets.ATTACKS,
            **surface.ATTACKS,
            **tables.ATTACKS,
            **workloads.ATTACKS,
        }.items()
    )
)
