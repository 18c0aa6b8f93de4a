"""CloudWatch Logs Insights text: answered by k8sidx itself, it gives the hunt's events and rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from k8sidx.engine.duckdb import DuckDBEngine
from k8sidx.engine.result import Result
from k8sidx.hunt.definition import Hunt
from k8sidx.insights.parse import parse
from k8sidx.insights.run import answer
from k8sidx.query.algebra import Query
from k8sidx.translate.insights import to_insights
from k8sidx.translate.question import CannotBeSaid, Events, question_of
from tests.translate.asking import hunt_of, rows_of, sayable

SHOWN = ("@timestamp", "verb", "requestURI", "auditID")


def answered(text: str, engine: DuckDBEngine) -> Result:
    return answer(parse(text), engine, say=lambda _: None)


def found(hunt: Hunt, engine: DuckDBEngine) -> Counter[Any]:
    """What the hunt itself finds: the events that match, or the rows of its table."""
    question = question_of(hunt)
    if isinstance(question, Events):
        return Counter(engine.run(Query(where=question.condition, select=SHOWN)).rows)
    return Counter(rows_of(question, engine))


@pytest.mark.parametrize("name", sayable())
def test_a_hunt_s_text_gives_what_the_hunt_finds(name: str, embedded: DuckDBEngine) -> None:
    hunt = hunt_of(name)
    try:
        text = to_insights(hunt).text
    except CannotBeSaid as error:
        assert "derived by k8sidx" in error.message
        return
    result = answered(text, embedded)
    rows = [tuple(row) for row in result.rows]
    if isinstance(question_of(hunt), Events):
        places = [result.columns.index(name) for name in SHOWN]
        rows = [tuple(row[place] for place in places) for row in rows]
    assert Counter(rows) == found(hunt, embedded)
