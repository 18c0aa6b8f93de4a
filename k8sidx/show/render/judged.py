"""Text on the events that a run looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from k8sidx.hunt.result import EventsJudged
from k8sidx.show.render.sheet import quantity, readable_time

MOST_CLUSTERS = 5
"""Clusters that the text names."""


def judged_text(judged: EventsJudged) -> str:
    """Return the number of events, their time and their clusters; without events, that there were
    none, and how old the newest is."""
    if not judged.count:
        return f"no events{_range(judged.since, judged.until)}{_newest(judged.newest)}"
    text = f"{quantity(judged.count, 'event')} judged"
    if judged.first and judged.last:
        text += f", from {readable_time(judged.first)} to {readable_time(judged.last)}"
    if (judged.clusters and judged.clusters[0][0] is not None) or len(judged.clusters) > 1:
        text += f", of {_clusters(judged.cluster_names)}"
    return text


def _range(since: datetime | None, until: datetime | None) -> str:
    if since and until:
        return f" from {readable_time(since)} to {readable_time(until)}"
    if since:
        return f" since {readable_time(since)}"
    return f" before {readable_time(until)}" if until else ""


def _newest(newest: datetime | None) -> str:
    if newest is None:
        return "; there are none of any time"
    return f"; the newest is of {readable_time(newest)}"


def _clusters(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the cluster {names[0]}"
    shown = ", ".join(names[:MOST_CLUSTERS])
    more = f" and {len(names) - MOST_CLUSTERS:,} more" if len(names) > MOST_CLUSTERS else ""
    return f"{len(names):,} clusters: {shown}{more}"
