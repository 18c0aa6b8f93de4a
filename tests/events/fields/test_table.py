"""The field table: names are unique, the article's fields are all there, docs are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate.fields import document
from k8sidx.backends.embedded.engine.sql import compile_query
from k8sidx.errors import UnknownField
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import FIELDS
from k8sidx.events.normalize.event import VALUE_FIELDS
from k8sidx.events.normalize.parts import FAMILIES
from k8sidx.query.algebra import Metric, Present, Query, Terms

ROOT = Path(__file__).parents[3]

ARTICLE = [
    "message",
    "timestamp",
    "annotations.authorization.k8s.io/decision",
    "annotations.authorization.k8s.io/reason",
    "objectReg.apigroup",
    "objectRef.name",
    "objectRef.namespace",
    "objectRef.resource",
    "objectRef.subresource",
    "requestObject.subjects.0.kind",
    "requestObject.subjects.0.name",
    "requestObject.subjects.0.namespace",
    "responseStatus.code",
    "responseObject.metadata.name",
    "responseObject.metadata.uid",
    "responseObject.roleRef.kind",
    "responseObject.roleRef.name",
    "responseObject.metadata.namespace",
    "responseObject.subjects.0.kind",
    "responseObject.subjects.0.name",
    "responseObject.subjects.0.namespace",
    "responseObject.status.reason",
    "responseObject.metadata.annotations.kubernetes.io/psp",
    "sourceIPs.0",
    "stage",
    "user.groups.0",
    "user.groups.1",
    "user.username",
    "userAgent",
    "verb",
]
"""Square, "Threat Hunting with Kubernetes Audit Logs", the list of important fields."""


@pytest.mark.parametrize("name", ARTICLE)
def test_the_articles_fields_can_be_filtered_on_and_grouped_by(name: str) -> None:
    query = Query(where=Present(name), group_by=(Terms(name),), metrics=(Metric("n", "count"),))
    compile_query(query)
    assert query.columns == (name, "n")


def test_names_aliases_and_ecs_names_mean_one_field_each() -> None:
    names = [field.name for field in FIELDS]
    aliases = [alias for field in FIELDS for alias in field.aliases]
    assert len(set(names)) == len(names)
    assert len(set(aliases)) == len(aliases)
    assert not set(names) & set(aliases)


def test_what_normalization_fills_is_in_the_table() -> None:
    names = {field.name for field in FIELDS}
    assert set(VALUE_FIELDS) <= names
    assert {name for family in FAMILIES for name in family} <= names


def test_positions_beyond_those_kept_are_refused() -> None:
    assert resolve("user.groups.1").position == 1
    with pytest.raises(UnknownField, match="which means any of them"):
        resolve("user.groups.7")


def test_the_page_of_fields_is_current() -> None:
    page = ROOT / "docs" / "fields.md"
    assert page.read_text("utf-8") == document(), "run: python -m docs.generate.fields"


def test_every_field_is_on_the_page() -> None:
    assert [field.name for field in FIELDS if f"| `{field.name}` |" not in document()] == []
