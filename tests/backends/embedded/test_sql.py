"""Case in the embedded engine's SQL: ASCII letters only, as in every other engine."""

from __future__ import annotations

import duckdb
import pytest

from k8sidx.backends.embedded.engine.sql import condition_sql
from k8sidx.query.algebra import And, Compare, Condition, Not, OneOf, Or, Wildcard
from tests.hunt.reference import holds

TEXTS = ["kubectl", "KUBECTL", "KubeCTL/é", "\u212aubectl", "ſhell", "SHELL", "İstanbul", "É", "é",
         "", "a\x00B", "k\u0301", None]  # fmt: skip


@pytest.mark.parametrize(
    "condition",
    [
        *(Compare("verb", "=", text, ignore_case=True) for text in TEXTS if text),
        *(Compare("verb", ">", text, ignore_case=True) for text in TEXTS if text),
        *(OneOf("verb", (text, "x"), ignore_case=True) for text in TEXTS if text),
        Wildcard("verb", "*KUBE*", ignore_case=True),
        Wildcard("verb", "?ubeCtl*", ignore_case=True),
        Wildcard("verb", "É*", ignore_case=True),
        Wildcard("verb", "*\u212a*", ignore_case=True),
        Wildcard("verb", "i*", ignore_case=True),
        Wildcard("verb", "s*", ignore_case=True),
    ],
    ids=str,
)
def test_only_ascii_letters_are_folded(condition: Condition) -> None:
    assert met_by(condition) == {text for text in TEXTS if holds(condition, {"verb": text})}


def test_very_many_alternatives_hold_as_few_do() -> None:
    pairs = (And((Compare("verb", "=", f"v{n}"), Compare("verb", "<", "z"))) for n in range(300))
    either = Or((*pairs, Compare("verb", "=", "shell", ignore_case=True)))
    for condition in (either, Not(either)):
        assert met_by(condition) == {text for text in TEXTS if holds(condition, {"verb": text})}


def met_by(condition: Condition) -> set[str | None]:
    parameters: list[object] = []
    sql = condition_sql(condition, parameters)
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE events ("verb" VARCHAR)')
        connection.executemany("INSERT INTO events VALUES (?)", [[text] for text in TEXTS])
        statement = 'SELECT "verb" FROM events WHERE ' + sql  # noqa: S608 - by the project
        rows = connection.execute(statement, parameters).fetchall()
    return {text for (text,) in rows}
