"""Request bodies: sent as they are printed, they give what the hunt's query does."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from k8sidx.engine.duckdb import DuckDBEngine
from k8sidx.engine.search_body import MISSING, MISSING_NUMBER
from k8sidx.translate.dsl import MOST_EVENTS, to_dsl
from k8sidx.translate.question import Bursts, Events, question_of
from tests.hunt.hunting import sigma
from tests.translate.asking import events_found, hunt_of, rows_of, sayable
from tests.translate.conftest import Filled


@pytest.mark.parametrize("name", sayable())
def test_a_hunt_s_request_gives_what_the_hunt_finds(
    name: str, filled: Filled, embedded: DuckDBEngine
) -> None:
    question = question_of(hunt_of(name))
    body = json.loads(to_dsl(hunt_of(name)).text)
    found = answered(filled, body)
    if isinstance(question, Events):
        wanted = events_found(question.condition, embedded)
        assert wanted.total() < MOST_EVENTS
        assert Counter(hit["_source"].get("message") for hit in found["hits"]["hits"]) == Counter(
            message for _, _, message in wanted.elements()
        )
        return
    wanted_rows = Counter(rows_of(question, embedded))
    if isinstance(question, Bursts):
        assert Counter(bursts(found, bool(question.values))) == wanted_rows
    else:
        assert Counter(map(row, found["aggregations"]["top"]["buckets"])) == wanted_rows


def answered(filled: Filled, body: dict[str, Any]) -> dict[str, Any]:
    """The answer; Elasticsearch has some aggregations in modules that its distribution for tests
    does without."""
    answer = filled.cluster.request("POST", f"/{filled.indices}/_search", body=body)
    if lacking := re.search(rb"Unknown aggregation type \[(\w+)\]", answer.body):
        pytest.skip(f"this distribution of the server lacks {lacking[1].decode()}")
    assert answer.status == 200, answer.body[:2000]
    found: dict[str, Any] = answer.json()
    return found


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
