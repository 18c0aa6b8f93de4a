"""Request bodies: sent as they are printed, they give what the hunt's query does."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from k8sidx.backends.cluster.engine.request_body import MISSING, MISSING_NUMBER
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.show.translate.dsl import MOST_EVENTS, MOST_VALUES, to_dsl
from k8sidx.show.translate.translatable import Bursts, Events, question_of
from tests.hunt.run_hunt import sigma
from tests.show.translate.conftest import Filled, on_servers
from tests.show.translate.run_translated import events_found, hunt_of, rows_of, sayable

LACKING = ('"multi_terms"', '"bucket_selector"')
"""Aggregations of modules that Elasticsearch's distribution for tests does without."""


def in_every_distribution(name: str) -> bool:
    text = to_dsl(hunt_of(name)).text
    return not any(one in text for one in LACKING)


@pytest.mark.parametrize(
    ("filled", "name"), on_servers(sayable(), in_every_distribution), indirect=["filled"]
)
def test_a_hunt_s_request_gives_what_the_hunt_finds(
    name: str, filled: Filled, embedded: DuckDBEngine
) -> None:
    question = question_of(hunt_of(name))
    body = json.loads(to_dsl(hunt_of(name)).text)
    found = filled.search(body)
    if isinstance(question, Events):
        wanted = events_found(question.condition, embedded)
        assert wanted.total() < MOST_EVENTS
        assert Counter(hit["_source"].get("message") for hit in found["hits"]["hits"]) == Counter(
            message for _, _, message in wanted.elements()
        )
        return
    wanted_rows = Counter(rows_of(question, embedded))
    if isinstance(question, Bursts):
        most = max(MOST_VALUES, question.at_least) if question.values else None
        bounded = [(*key, min(n, most or n)) for *key, n in wanted_rows.elements()]
        assert Counter(bursts(found, bool(question.values))) == Counter(bounded)
    else:
        assert Counter(map(row, found["aggregations"]["top"]["buckets"])) == wanted_rows


def key_of(bucket: dict[str, Any]) -> tuple[Any, ...]:
    keys = bucket["key"] if isinstance(bucket["key"], list) else [bucket["key"]]
    return tuple(None if key in (MISSING, MISSING_NUMBER) else key for key in keys)


def row(bucket: dict[str, Any]) -> tuple[Any, ...]:
    return (*key_of(bucket), bucket["doc_count"])


def bursts(found: dict[str, Any], has_values: bool) -> list[tuple[Any, ...]]:
    return [
        (
            *key_of(bucket),
            datetime.fromtimestamp(interval["key"] / 1000, UTC),
            int(interval["different"]["count"]) if has_values else interval["doc_count"],
        )
        for bucket in found["aggregations"]["key"]["buckets"]
        for interval in bucket["interval"]["buckets"]
    ]


def test_text_of_any_kind_is_a_json_text() -> None:
    hunt = sigma(r'{s: {userAgent: "a\e[31m\u202e"}, condition: s}')
    text = to_dsl(hunt).text
    assert text.isascii()
    assert r"a\u001b[31m\u202e" in text
