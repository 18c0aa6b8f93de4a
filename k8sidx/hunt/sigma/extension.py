"""Parser of the ``k8sidx`` key of Sigma documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.definition import Hunt, Steps
from k8sidx.hunt.kinds.match import MatchHunt
from k8sidx.hunt.kinds.options import Name, StoredNames
from k8sidx.hunt.kinds.registry import RULES


class Extension(BaseModel):
    """Options of every document under ``k8sidx``.

    :param filters: shared filters (:mod:`k8sidx.hunt.sigma.filters`), merged into the
        detection before the rule is read.
    :param exemptions: selections that leave out callers by what they can choose
        (:mod:`k8sidx.hunt.sigma.exemptions`).
    :param nodes_inside: whether requests from public addresses of the cluster's own nodes are
        left out (:func:`k8sidx.hunt.known_places.own_addresses`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: tuple[Name, ...] = ()
    exemptions: tuple[Name, ...] = ()
    nodes_inside: bool = False
    steps: Steps = Steps()
    level_needed: Literal["Metadata", "Request", "RequestResponse"] = "Metadata"
    platforms_blind: dict[str, str] = Field(default_factory=dict)
    reason: str = ""
    stream: bool = False


def read_extension(value: object, *, correlation: bool, where: Where) -> Mapping[str, Any]:
    """Return the value of a document's ``k8sidx`` key, its kind checked; empty without one.

    :param correlation: whether the document is a Sigma correlation.
    :raises InvalidHunt: when it is not a mapping, or its kind does not fit the document.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidHunt("k8sidx must be a mapping of names to values.", where=where)
    kind = value.get("kind")
    if kind is not None and (correlation or kind not in RULES):
        raise InvalidHunt(
            f"k8sidx.kind: {kind!r} is not a kind that this document can have.",
            remedy=f"Rules can be {', '.join(RULES)}; the type of a correlation is its kind.",
            where=where,
        )
    return value


def kind_of(value: Mapping[str, Any]) -> type[Hunt]:
    """Return the kind of hunt that a rule with this extension is."""
    return RULES[value["kind"]] if value.get("kind") else MatchHunt


def option_names(kind: type[Hunt]) -> list[str]:
    """Return the names of a rule kind's own options: its fields beside those of every hunt."""
    common = {field.name for field in fields(Hunt)}
    return [field.name for field in fields(kind) if field.name not in common]


@cache
def model_of(kind: type[Hunt]) -> type[Extension]:
    """Return the model of the extension of a rule: options of every document and of its kind."""
    hints = get_type_hints(kind, include_extras=True)
    defaults = {field.name: field.default for field in fields(kind)}
    options: dict[str, Any] = {
        name: (hints[name], ... if defaults[name] is MISSING else defaults[name])
        for name in option_names(kind)
    }
    if kind in RULES.values():
        options = {"kind": (str, ...), **options}
    return create_model(kind.__name__, __base__=Extension, **options)


def validate_extension(
    value: Mapping[str, Any], model: type[Extension], to_stored: StoredNames, where: Where
) -> Extension:
    """Return the checked options.

    :param to_stored: maps names of fields to stored names.
    :raises InvalidHunt: for an unknown option, or a value of the wrong type.
    """
    try:
        return model.model_validate(dict(value), context=to_stored)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(["k8sidx", *(str(part) for part in first["loc"])])
        if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            is_step = len(first["loc"]) > 1
            known = [step.name for step in fields(Steps)] if is_step else list(model.model_fields)
            raise InvalidHunt(
                f"{name} is not a known option.",
                remedy=f"There are: {', '.join(known)}.",
                where=where,
            ) from error
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise InvalidHunt(f"{name}: {message}.", where=where) from error
