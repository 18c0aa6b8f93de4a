"""Sources that fall silent while the log goes on."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import pair

HOUR = 3600


def every_ten_minutes(hours: float, **more: Any) -> list[dict[str, Any]]:
    """Requests from ``START`` on."""
    return [
        event("update", "leases", **more, seconds=at) for at in range(0, int(hours * HOUR), 600)
    ]


def node(hours: float) -> list[dict[str, Any]]:
    """A node that renews its lease for so long, beside one that does for eight hours."""
    return [
        *every_ten_minutes(8, user="system:node:worker-1"),
        *every_ten_minutes(hours, user="system:node:worker-2"),
    ]


def cluster(hours: float) -> list[dict[str, Any]]:
    """The same for two clusters."""
    return [
        *every_ten_minutes(8, user="system:node:worker-1", cluster="east"),
        *every_ten_minutes(hours, user="system:node:worker-2", cluster="west"),
    ]


PAIRS = {
    "source_silent": pair(node(6), node(7.1)),
    "cluster_silent": pair(cluster(6), cluster(7.1)),
}
