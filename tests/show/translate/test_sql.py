"""SQL for the DuckDB shell: run there, it gives the hunt's own events and rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.engine.sql import Statement
from k8sidx.hunt.run import Window, run_hunt
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from k8sidx.query.algebra import Regex
from k8sidx.show.translate.insights import to_insights
from k8sidx.show.translate.sql import literal, to_sql, written
from k8sidx.show.translate.translatable import Events, NotTranslatable, question_of
from tests.building import event
from tests.hunt.run_hunt import sigma
from tests.show.translate.conftest import HOSTILE
from tests.show.translate.run_translated import (
    conditions,
    events_found,
    hunt_of,
    plain_time,
    rows_of,
    sayable,
)
from tests.stores import stored


@pytest.fixture
def shell(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> duckdb.DuckDBPyConnection:
    """DuckDB without anything of k8sidx, started in the folder that holds the store."""
    monkeypatch.chdir(store_folder)
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@pytest.mark.parametrize("name", sayable())
def test_a_hunt_s_sql_gives_what_the_hunt_finds(
    name: str, shell: duckdb.DuckDBPyConnection, embedded: DuckDBEngine
) -> None:
    question = question_of(hunt_of(name))
    try:
        text = to_sql(hunt_of(name)).text
    except NotTranslatable as error:
        assert "networks" in error.message
        return
    rows = [tuple(map(plain_time, row)) for row in shell.execute(text).fetchall()]
    if isinstance(question, Events):
        wanted = events_found(question.condition, embedded)
        assert Counter(row[:3] for row in rows) == Counter(
            {tuple(map(plain_time, row)): count for row, count in wanted.items()}
        )
    else:
        asked = [tuple(map(plain_time, row)) for row in rows_of(question, embedded)]
        assert Counter(rows) == Counter(asked)


def test_combinations_may_lack_a_value(tmp_path: Path) -> None:
    """Lists name no object: five refused ones in five namespaces are a find all the same."""
    lists = [
        event("list", "secrets", user="erin", namespace=f"ns{n}", code=403, seconds=n)
        for n in range(5)
    ]
    hunt = hunt_of("secret_get_denied")
    with stored(tmp_path / "store", lists).engine() as engine:
        (finding,) = run_hunt(hunt, engine, Window()).findings
        assert finding.key == {"user.effective.name": "erin"}
        text = parse(to_insights(hunt).text)
        (row,) = run_program(text, engine, on_warning=lambda _: None).rows
        assert row[0] == "erin"
        question = question_of(hunt)
        assert rows_of(question, engine)[0][0] == "erin"
    asked = to_sql(hunt).text.replace("k8sidx-store", str(tmp_path / "store"))
    ((user, *_),) = duckdb.connect(":memory:").execute(asked).fetchall()
    assert user == "erin"


def test_the_name_of_a_rule_s_file_stays_in_the_comment() -> None:
    hunt = replace(sigma("{s: {verb: get}, condition: s}"), id="x\nDROP TABLE events; --\x1b[31m")
    for text in (to_sql(hunt).text, to_insights(hunt).text):
        assert "\x1b" not in text
        assert not any(line.startswith("DROP") for line in text.splitlines())


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_literals_and_never_more(
    text: str, shell: duckdb.DuckDBPyConnection, embedded: DuckDBEngine
) -> None:
    for condition in conditions(text):
        hunt = sigma("{s: {verb: get}, condition: s}")
        asked = to_sql(replace(hunt, condition=condition)).text
        rows = shell.execute(asked).fetchall()
        assert len(rows) == events_found(condition, embedded).total(), asked
    assert len(shell.execute("SELECT 1").fetchall()) == 1


def test_a_question_mark_in_quotes_is_no_parameter() -> None:
    statement = Statement("""SELECT '?' AS "a?b", ? FROM {source} WHERE x = ?""", ["what? it's", 7])
    assert written(statement, "t") == """SELECT '?' AS "a?b", 'what? it''s' FROM t WHERE x = 7"""


def test_the_place_of_the_source_is_the_statement_s_own() -> None:
    statement = Statement("SELECT 1 FROM {source} WHERE x = ?", ["{source}"])
    assert written(statement, "t") == "SELECT 1 FROM t WHERE x = '{source}'"


def test_literals_have_the_type_of_the_parameter() -> None:
    values = [True, 7, -1, 0.5, "x", "it's", "back\\slash"]
    found = duckdb.connect().execute(f"SELECT {', '.join(map(literal, values))}").fetchone()
    assert found == tuple(values)


def test_text_that_ends_early_is_refused() -> None:
    with pytest.raises(NotTranslatable, match="NUL"):
        literal("a\0b")


def test_what_cannot_be_printed_is_refused() -> None:
    hunt = sigma(r'{s: {userAgent: "a\e[31mb"}, condition: s}')
    with pytest.raises(NotTranslatable, match=r"userAgent .* cannot be printed"):
        to_sql(hunt)


def test_a_title_stays_a_comment() -> None:
    hunt = sigma("{s: {verb: get}, condition: s}", more='description: "x"\n')
    titled = replace(hunt, title="one\nSELECT 2; --\r\x1b[1m")
    first, second, *_ = to_sql(titled).text.splitlines()
    assert first == "-- rule: one SELECT 2; -- [1m"
    assert second.startswith("SELECT make_timestamp(c0)")


def test_patterns_and_expressions_are_literals_too(
    shell: duckdb.DuckDBPyConnection, embedded: DuckDBEngine
) -> None:
    hunt = sigma("{s: {verb: get}, condition: s}")
    condition = Regex("userAgent", "^'; DROP|it's|\\?$")
    text = to_sql(replace(hunt, condition=condition)).text
    rows = shell.execute(text).fetchall()
    assert len(rows) == events_found(condition, embedded).total() == 3
