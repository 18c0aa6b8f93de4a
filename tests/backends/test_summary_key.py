"""The names of stored summaries, which every version has to make alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from k8sidx.backends.summary_key import canonical_text, digest_of
from k8sidx.hunt.baseline_update import comparing
from k8sidx.hunt.library.load import load_library
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    DateHistogram,
    Having,
    InNetwork,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Regex,
    Terms,
    Wildcard,
)
from tests.compat.test_store_of_dfe4889 import OTHER_QUESTION, PLACES

COUNT = Metric("n", "count")

QUERIES = [
    (
        Query(metrics=(COUNT,)),
        "Query(where=Always(), since=None, until=None, select=(), group_by=(), "
        "metrics=(Metric(name='n', kind='count', field='', argument=0.0),), having=(), order=(), "
        "limit=None)",
        "297ad04f1834c5b9cac9ad1ddc51c81e",
    ),
    (
        Query(
            where=And(
                (
                    Compare("responseStatus.code", ">=", 400),
                    Compare("verb", "=", "geT", ignore_case=True),
                    OneOf("responseStatus.code", (1, 2.5, True)),
                    OneOf("verb", ("it's", 'a "b"', "\n\\ü\ud800\u200b"), ignore_case=True),
                    Or((Wildcard("verb", "*x?"), Regex("verb", "^a(b)", ignore_case=True))),
                    Not(InNetwork("sourceIPs", ("10.0.0.0/8",))),
                    Present("objectRef.resource"),
                    Or(()),
                )
            ),
            group_by=(
                Terms("verb"),
                Terms("user.username", "who", keep_missing=True),
                DateHistogram(timedelta(days=1, seconds=5), "day"),
                DateHistogram(
                    timedelta(microseconds=7), "t", timedelta(hours=-1), keep_missing=True
                ),
            ),
            metrics=(
                COUNT,
                Metric("last", "max", "@timestamp"),
                Metric("p", "percentile", "responseStatus.code", 99.9),
            ),
        ),
        "Query(where=And(conditions=(Compare(field='responseStatus.code', op='>=', value=400, "
        "ignore_case=False), Compare(field='verb', op='=', value='geT', ignore_case=True), "
        "OneOf(field='responseStatus.code', values=(1, 2.5, True), ignore_case=False), "
        "OneOf(field='verb', values=(\"it's\", 'a \"b\"', '\\n\\\\ü\\ud800\\u200b'), "
        "ignore_case=True), Or(conditions=(Wildcard(field='verb', pattern='*x?', "
        "ignore_case=False), Regex(field='verb', pattern='^a(b)', ignore_case=True))), "
        "Not(condition=InNetwork(field='sourceIPs', networks=('10.0.0.0/8',))), "
        "Present(field='objectRef.resource'), Or(conditions=()))), since=None, until=None, "
        "select=(), group_by=(Terms(field='verb', name='', keep_missing=False), "
        "Terms(field='user.username', name='who', keep_missing=True), "
        "DateHistogram(interval=datetime.timedelta(days=1, seconds=5), name='day', "
        "offset=datetime.timedelta(0), keep_missing=False), "
        "DateHistogram(interval=datetime.timedelta(microseconds=7), name='t', "
        "offset=datetime.timedelta(days=-1, seconds=82800), keep_missing=True)), "
        "metrics=(Metric(name='n', kind='count', field='', argument=0.0), "
        "Metric(name='last', kind='max', field='@timestamp', argument=0.0), "
        "Metric(name='p', kind='percentile', field='responseStatus.code', argument=99.9)), "
        "having=(), order=(), limit=None)",
        "783d4b9a2f1676d1fa8a03f0e1f4530f",
    ),
    (
        Query(
            where=Always(),
            since=datetime(2026, 11, 23, tzinfo=UTC),
            group_by=(Terms("verb"),),
            metrics=(COUNT,),
            having=(Having("n", ">", 3.0),),
            order=(Order("n", descending=True),),
            limit=5,
        ),
        "Query(where=Always(), since=datetime.datetime(2026, 11, 23, 0, 0, "
        "tzinfo=datetime.timezone.utc), until=None, select=(), group_by=(Terms(field='verb', "
        "name='', keep_missing=False),), metrics=(Metric(name='n', kind='count', field='', "
        "argument=0.0),), having=(Having(metric='n', op='>', value=3.0),), "
        "order=(Order(column='n', descending=True),), limit=5)",
        "518a376ae783558db05159d0ca77cbf9",
    ),
    (
        Query(select=("verb",)),
        "Query(where=Always(), since=None, until=None, select=('verb',), group_by=(), metrics=(), "
        "having=(), order=(), limit=None)",
        "0d83c4544e8347c697d7dd7bd4d795ea",
    ),
]
"""Queries with their text and digest as commit dfe4889 made them, from ``repr``."""


@pytest.mark.parametrize(
    ("query", "text", "digest"), QUERIES, ids=["plain", "everything", "bounded", "select"]
)
def test_a_query_keeps_its_text_and_digest(query: Query, text: str, digest: str) -> None:
    assert canonical_text(query) == text
    assert digest_of(query) == digest


def test_the_digests_of_the_library_are_those_in_an_old_store() -> None:
    folder = Path(__file__).parents[1] / "compat" / "store-dfe4889" / "summaries"
    asked = {
        digest_of(query) for hunt in comparing(load_library()) for query in hunt.baseline_queries()
    }
    anew = {path.name for path in folder.iterdir()} - asked
    new_hunts = PLACES | {"identity_foreign_caller", "new_source_network"}
    assert len(anew) == len(OTHER_QUESTION - new_hunts)


def test_canonical_text_refuses_what_is_not_part_of_a_query() -> None:
    with pytest.raises(TypeError):
        canonical_text(object())
