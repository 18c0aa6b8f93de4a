"""Explanation of a rule over an event: the selections and tests that hold, and those that do not.

Each test is a query over the event in a store, so that an engine decides and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.sigma.loader import read_hunts
from k8sidx.investigate.requests import COLUMNS, count_events, read_rows, request_of
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    leaves,
)

MAX_VALUES = 5
"""Values of a list that a test shows."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a selection.

    :param text: the test, for example ``verb = delete``.
    :param values: the event's values of its fields.
    """

    text: str
    holds: bool
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Selection:
    """A named detection of a rule.

    :param tests: joined by *and*.
    """

    name: str
    holds: bool
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule over one event.

    :param event: the sentence on it, with its caller.
    :param rule: title of the rule; a file can contain several.
    :param condition: how the selections are joined, in Sigma's words.
    """

    event: str
    event_id: str
    rule: str
    condition: str
    matches: bool
    selections: tuple[Selection, ...]


def explain_rules(text: str, engine: Engine, lists: Lists, *, limit: int) -> list[Explanation]:
    """Explain each rule of a file over each event of a store.

    :param text: Sigma documents; shared filters are part of them.
    :param limit: events to explain at most, the latest.
    :raises InvalidHunt: when a rule cannot be read.
    :raises StoreError: when the store cannot be read.
    """
    rules = [document for document in yaml.safe_load_all(text) if "detection" in (document or {})]
    conditions = [_conditions(rule, lists) for rule in rules]
    explanations = []
    for row in reversed(read_rows(engine, Always(), Period(), COLUMNS, limit=limit)):
        request = request_of(row)
        only = Compare("event.id", "=", request.id)
        for rule, (whole, selections) in zip(rules, conditions, strict=True):
            explanations.append(
                Explanation(
                    f"{request.user or 'an unknown user'} {request.text}",
                    request.id,
                    str(rule.get("title", "")),
                    _condition_text(rule),
                    _holds(engine, whole, only),
                    tuple(
                        _selection(engine, name, condition, only)
                        for name, condition in selections.items()
                    ),
                )
            )
    return explanations


def _conditions(rule: Mapping[str, Any], lists: Lists) -> tuple[Condition, dict[str, Condition]]:
    """Return the condition of a rule, and that of each selection."""
    whole = _condition(rule, rule["detection"]["condition"], lists)
    names = [name for name in rule["detection"] if name not in ("condition", "timeframe")]
    return whole, {name: _condition(rule, name, lists) for name in names}


def _condition(rule: Mapping[str, Any], condition: Any, lists: Lists) -> Condition:
    document = {key: value for key, value in rule.items() if key != "k8sidx"}
    document["detection"] = {**rule["detection"], "condition": condition}
    text = yaml.safe_dump(document, sort_keys=False)
    [hunt] = read_hunts(text, file="rule", stem="rule", lists=lists)
    return hunt.condition


def _condition_text(rule: Mapping[str, Any]) -> str:
    condition = rule["detection"]["condition"]
    return " or ".join(condition) if isinstance(condition, list) else str(condition)


def _selection(engine: Engine, name: str, condition: Condition, only: Condition) -> Selection:
    parts = condition.conditions if isinstance(condition, And) else (condition,)
    tests = tuple(_test(engine, part, only) for part in parts)
    return Selection(name, all(test.holds for test in tests), tests)


def _test(engine: Engine, condition: Condition, only: Condition) -> Test:
    fields = tuple(dict.fromkeys(leaf.field for leaf in leaves(condition)))
    row = read_rows(engine, only, Period(), fields, limit=1)[0] if fields else {}
    return Test(condition_text(condition), _holds(engine, condition, only), row)


def _holds(engine: Engine, condition: Condition, only: Condition) -> bool:
    return bool(count_events(engine, And((condition, only)), Period()))


def condition_text(condition: Condition) -> str:
    """Return a condition as text for people."""
    match condition:
        case Always():
            return "anything"
        case And(parts) | Or(parts):
            word = " and " if isinstance(condition, And) else " or "
            texts = [condition_text(part) for part in parts[:MAX_VALUES]]
            if len(parts) > MAX_VALUES:
                texts.append(f"{len(parts) - MAX_VALUES:,} more")
            return f"({word.join(texts)})" if parts else "nothing"
        case Not(part):
            return f"not {condition_text(part)}"
    return _leaf_text(condition)


def _leaf_text(leaf: Leaf) -> str:
    match leaf:
        case Compare(field, op, value):
            shown = str(value).lower() if isinstance(value, bool) else value
            return f"{field} {op} {shown}"
        case OneOf(field, values):
            listed = ", ".join(str(value) for value in values[:MAX_VALUES])
            more = f" and {len(values) - MAX_VALUES:,} more" if len(values) > MAX_VALUES else ""
            return f"{field} is one of {listed}{more}"
        case InNetwork(field, networks):
            listed = ", ".join(networks[:MAX_VALUES])
            more = f" and {len(networks) - MAX_VALUES:,} more" if len(networks) > MAX_VALUES else ""
            return f"{field} in {listed}{more}"
        case Present(field):
            return f"{field} exists"
        case Regex(field, pattern):
            return f"{field} matches /{pattern}/"
    return f"{leaf.field} like {leaf.pattern}"
