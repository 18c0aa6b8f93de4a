"""Kinds of hunts: their names, their options and what every kind has."""

from __future__ import annotations

from dataclasses import fields

import pytest

from k8sidx.errors import InvalidHunt
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.finding_text import names_in
from k8sidx.hunt.kinds.correlation import Correlation
from k8sidx.hunt.kinds.registry import CORRELATIONS, KINDS, RULES
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.sigma.extension import model_of, option_names
from tests.hunt.run_hunt import sigma

DETECTION = "{s: {verb: get}, condition: s}"


def test_kind_names_are_those_of_yaml_output_and_documentation() -> None:
    rules = ["top", "new", "spike", "silent", "foreign", "credential", "travel"]
    assert list(KINDS) == ["match", "threshold", "sequence", *rules]
    assert list(RULES) == rules
    assert list(CORRELATIONS) == ["event_count", "value_count", "temporal", "temporal_ordered"]


def test_kind_is_registered_under_its_own_name() -> None:
    assert {name: kind.kind for name, kind in KINDS.items()} == {name: name for name in KINDS}


def test_library_has_a_hunt_of_every_kind() -> None:
    assert {hunt.kind for hunt in load_library()} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_kind_has_facts_and_documentation(kind: type[Hunt]) -> None:
    assert kind.facts
    assert kind.documentation.endswith(".")


def test_rule_kinds_read_every_field_of_theirs_from_the_extension() -> None:
    common = {field.name for field in fields(Hunt)}
    for name, kind in KINDS.items():
        if not issubclass(kind, Correlation):
            own = {field.name for field in fields(kind)} - common
            assert set(option_names(kind)) == own, name
            assert own <= set(model_of(kind).model_fields), name


@pytest.mark.parametrize("name", ["match", "threshold", "sequence", "unknown"])
def test_rule_cannot_select_a_kind_that_its_document_implies(name: str) -> None:
    with pytest.raises(InvalidHunt, match="is not a kind that this document can have"):
        sigma(DETECTION, more=f"k8sidx: {{kind: {name}}}")


def test_option_that_is_unknown_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidHunt, match=r"There are: .*kind, interval, at_least, deviations"):
        sigma(DETECTION, more="k8sidx: {kind: spike, intervall: 5m}")


def test_step_that_is_unknown_is_answered_with_the_steps() -> None:
    with pytest.raises(InvalidHunt, match=r"k8sidx\.steps\.goal is .* environment, criterion"):
        sigma(DETECTION, more="k8sidx: {steps: {goal: x}}")


@pytest.mark.parametrize("by", ["5", "{a: verb, b: verb}", "{a: 5}", "[verb]", "''"])
def test_column_that_is_not_a_field_name_or_one_heading_is_refused(by: str) -> None:
    with pytest.raises(InvalidHunt, match=r"k8sidx\.by"):
        sigma(DETECTION, more=f"k8sidx: {{kind: top, by: [{by}]}}")


def test_reason_names_fields_as_they_are_stored() -> None:
    by = "finding_by: [username], reason: '{NAME} was here'"
    hunt = sigma(DETECTION, more=f"k8sidx: {{{by.replace('NAME', 'user.username')}}}")
    assert names_in(hunt.reason) == ["user.username"]
    with pytest.raises(InvalidHunt, match="'username' is not a known name"):
        sigma(DETECTION, more=f"k8sidx: {{{by.replace('NAME', 'username')}}}")
