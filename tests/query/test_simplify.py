"""Simplified conditions hold for the same events."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Wildcard,
)
from k8sidx.query.simplify import any_of, flat, gathered, simplified
from tests.query.evaluate import holds

FIELDS = st.sampled_from(("verb", "level", "user.groups"))
TEXTS = st.sampled_from(("a", "A", "b", "*", ""))
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Always),
    st.builds(Present, FIELDS),
    st.builds(Compare, FIELDS, st.sampled_from(("=", "<")), TEXTS, st.booleans()),
    st.builds(OneOf, FIELDS, st.lists(TEXTS, max_size=3).map(tuple), st.booleans()),
    st.builds(Wildcard, FIELDS, st.sampled_from(("*", "**", "a*", "a", r"\*")), st.booleans()),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=4).map(tuple)),
    ),
    max_leaves=12,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "verb": st.lists(TEXTS, min_size=1, max_size=1),
        "level": st.lists(TEXTS, min_size=1, max_size=1),
        "user.groups": st.lists(TEXTS, min_size=1, max_size=2),
    },
)


def same(left: Condition, right: Condition, event: dict[str, list[Any]]) -> bool:
    def values(name: str) -> list[Any]:
        return event.get(name, [])

    return holds(left, values) == holds(right, values)


@given(CONDITIONS, EVENTS)
def test_simplified_holds_for_the_same_events(
    condition: Condition, event: dict[str, list[Any]]
) -> None:
    plain = simplified(condition)
    assert same(plain, condition, event)
    assert simplified(plain) == plain
    assert plain in (Always(), NEVER) or not _has_constant(plain)


def _has_constant(condition: Condition) -> bool:
    match condition:
        case And(parts) | Or(parts):
            return any(_has_constant(part) or part == NEVER for part in parts)
        case Not(part):
            return _has_constant(part) or isinstance(part, And | Or | Not)
    return isinstance(condition, Always)


@given(CONDITIONS, EVENTS)
def test_flat_holds_for_the_same_events(condition: Condition, event: dict[str, list[Any]]) -> None:
    assert same(flat(condition), condition, event)


@given(st.lists(CONDITIONS, min_size=1, max_size=4), EVENTS)
def test_alternatives_hold_for_the_same_events_when_joined(
    parts: list[Condition], event: dict[str, list[Any]]
) -> None:
    assert same(any_of(parts), Or(tuple(parts)), event)
    assert same(Or(gathered(parts)), Or(tuple(parts)), event)


def test_any_of_makes_one_list_of_equalities_and_one_of_networks() -> None:
    equal = [Compare("verb", "=", text, True) for text in ("get", "list", "get")]
    assert any_of(equal) == OneOf("verb", ("get", "list", "get"), True)
    networks = [InNetwork("source.ip", (text,)) for text in ("10.0.0.0/8", "::1")]
    assert any_of(networks) == InNetwork("source.ip", ("10.0.0.0/8", "::1"))
    assert any_of([equal[0], networks[0]]) == Or((equal[0], networks[0]))
    assert any_of([equal[0]]) == equal[0]
