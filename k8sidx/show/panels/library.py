"""Dashboard library."""

from __future__ import annotations

from functools import cache

from k8sidx.show.panels.article import article_dashboard
from k8sidx.show.panels.control_plane import CONTROL_PLANE
from k8sidx.show.panels.denied import DENIED
from k8sidx.show.panels.findings import FINDINGS
from k8sidx.show.panels.hunts import hunts_dashboard
from k8sidx.show.panels.identity import IDENTITY
from k8sidx.show.panels.overview import OVERVIEW
from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.panels.volume import VOLUME
from k8sidx.show.panels.workloads import WORKLOADS


@cache
def dashboards() -> tuple[Dashboard, ...]:
    """Return all dashboards, in the order of their links."""
    return (
        OVERVIEW,
        article_dashboard(),
        IDENTITY,
        DENIED,
        WORKLOADS,
        CONTROL_PLANE,
        VOLUME,
        FINDINGS,
        hunts_dashboard(),
    )
