"""What hunts find, asked of an engine in the plainest way: what translations are compared with."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import library_ids, load_hunts
from k8sidx.hunt.lists import Lists
from k8sidx.query.algebra import (
    And,
    Compare,
    Condition,
    DateHistogram,
    Key,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Terms,
    Wildcard,
)
from k8sidx.show.translate.translatable import Events, NotTranslatable, Question, Top, question_of
from tests.hunt.library.test_pairs import pairs

SHOWN = ("@timestamp", "auditID", "message")


def hunt_of(name: str) -> Hunt:
    """A hunt of the library, its lists filled."""
    return load_hunts([name], Lists(pairs()[name].lists))[0]


def sayable() -> list[str]:
    """Hunts of the library that are a question which other languages could have."""
    found = []
    for name in library_ids():
        try:
            question_of(hunt_of(name))
        except NotTranslatable:
            continue
        found.append(name)
    return found


def events_found(condition: Condition, engine: Engine) -> Counter[Any]:
    """The events that match, by what is shown of them."""
    return Counter(engine.run(Query(where=condition, select=SHOWN)).rows)


def count_of(condition: Condition, engine: Engine) -> int:
    rows = engine.run(Query(where=condition, metrics=(Metric("n", "count"),))).rows
    return int(rows[0][0])  # type: ignore[arg-type]


def rows_of(question: Question, engine: Engine) -> list[tuple[Any, ...]]:
    """The rows of a question that counts."""
    assert not isinstance(question, Events)
    if isinstance(question, Top):
        asked = Query(
            where=question.condition,
            group_by=tuple(
                Terms(one.field, str(place), keep_missing=question.keep_missing)
                for place, one in enumerate(question.by)
            ),
            metrics=(Metric("n", "count"),),
            order=(Order("n", descending=not question.rarest),),
            limit=question.limit,
        )
        return list(engine.run(asked).rows)
    counted: Counter[tuple[Any, ...]] = Counter()
    keys: tuple[Key, ...] = (
        *(Terms(name, f"k{name}") for name in question.by),
        DateHistogram(question.interval),
    )
    any_value = Or(tuple(Present(name) for name in question.values)) if question.values else And(())
    needed = And((question.condition, any_value))
    values = tuple(
        Terms(name, f"v{name}", keep_missing=len(question.values) > 1) for name in question.values
    )
    asked = Query(where=needed, group_by=(*keys, *values), metrics=(Metric("n", "count"),))
    for row in engine.run(asked).rows:
        counted[row[: len(keys)]] += 1 if values else int(row[-1])  # type: ignore[arg-type]
    return [(*key, n) for key, n in counted.items() if n >= question.at_least]


def plain_time(value: Any) -> Any:
    """A time without its zone, as DuckDB hands out what has none."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def conditions(text: str) -> list[Condition]:
    """Ways to ask for a text, exactly, in a list, as part of another, and not at all."""
    plain = "".join(f"\\{sign}" if sign in "\\*?" else sign for sign in text)
    return [
        Compare("userAgent", "=", text),
        Compare("userAgent", "=", text, ignore_case=True),
        Compare("userAgent", "<", text),
        OneOf("userAgent", (text, "what? '", '"')),
        Wildcard("userAgent", plain),
        Wildcard("userAgent", f"*{plain[:2]}*" if plain[:1] != "\\" else f"{plain[:2]}*"),
        Not(Compare("userAgent", "=", text)),
    ]
