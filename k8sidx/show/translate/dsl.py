"""Hunts as request bodies for OpenSearch and Elasticsearch, over k8sidx's own indices."""

from __future__ import annotations

import json
from typing import Any

from k8sidx.backends.cluster.engine.composite import SHARD_SIZE
from k8sidx.backends.cluster.engine.request_body import (
    MISSING,
    MISSING_NUMBER,
    events_body,
    intervals,
    matching,
    terms,
)
from k8sidx.events.fields.names import TIMESTAMP
from k8sidx.hunt.definition import Hunt
from k8sidx.query.algebra import Order, Query
from k8sidx.show.translate.translatable import (
    Bursts,
    Events,
    Top,
    Translation,
    differences,
    question_of,
    shown_fields,
    whole_condition,
)

MOST_EVENTS = 1000
"""Events of the response; the body's size can be raised to 10,000."""
MOST_KEYS = 1000
MOST_VALUES = 100
"""Different values that are counted in an interval; all of them would be too many buckets."""
_LIMITS = (
    f"At most {MOST_KEYS:,} keys are looked at, the busiest first, and different values are "
    f"counted up to {MOST_VALUES}."
)


def to_dsl(hunt: Hunt) -> Translation:
    """Translate the hunt to the body of ``POST /k8s-audit-*/_search``.

    :raises NotTranslatable: when it needs more than one request.
    :raises UnsupportedQuery: when a cluster cannot evaluate its condition.
    """
    question = question_of(hunt)
    notes = differences(question)
    match question:
        case Events():
            body = _events(question)
        case Top():
            body = _top(question)
            notes = _top_notes(question)
        case Bursts():
            body = _bursts(question)
            notes = (*notes, _LIMITS)
    return Translation(json.dumps(body, indent=2) + "\n", notes)


def _events(question: Events) -> dict[str, Any]:
    names = shown_fields(question)
    newest = (Order(TIMESTAMP, descending=True),)
    return events_body(Query(where=question.condition, select=names, order=newest), MOST_EVENTS)


def _top(question: Top) -> dict[str, Any]:
    groups = terms(
        tuple(column.field for column in question.by),
        question.limit,
        rarest=question.rarest,
        keep_missing=question.keep_missing,
    )
    return {**_counting(question), "aggs": {"top": groups}}


def _top_notes(question: Top) -> tuple[str, ...]:
    exact = f"Counts are exact while no shard has more than {SHARD_SIZE:,} of these values."
    if not question.keep_missing:
        return (exact,)
    return (exact, f"{MISSING} and {MISSING_NUMBER} stand for a field that an event lacks.")


def _bursts(question: Bursts) -> dict[str, Any]:
    at_least = question.at_least
    interval = intervals(question.interval, at_least)
    if question.values:
        interval["aggs"] = _different(question)
    groups: dict[str, Any] = {**terms(question.by, MOST_KEYS), "aggs": {"interval": interval}}
    return {**_counting(question), "aggs": {"key": groups}}


def _different(question: Bursts) -> dict[str, Any]:
    """Return the aggregations that count combinations of values in an interval and keep intervals
    with enough of them."""
    return {
        "values": terms(
            question.values,
            max(MOST_VALUES, question.at_least),
            keep_missing=len(question.values) > 1,
        ),
        "different": {"stats_bucket": {"buckets_path": "values>_count"}},
        "enough": {
            "bucket_selector": {
                "buckets_path": {"n": "different.count"},
                "script": f"params.n >= {int(question.at_least)}",
            }
        },
    }


def _counting(question: Top | Bursts) -> dict[str, Any]:
    return {"size": 0, "track_total_hits": False, **matching(whole_condition(question))}
