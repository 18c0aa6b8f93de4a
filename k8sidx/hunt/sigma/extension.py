"""The ``k8sidx`` key of a hunt's document, checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from k8sidx.errors import InvalidHunt, UsageError, Where
from k8sidx.query.durations import parse_span


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_span(str(value))
    except UsageError as error:
        raise ValueError(str(error)) from error


Span = Annotated[timedelta, BeforeValidator(_span)]
FieldName = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepsBlock(_Strict):
    """The eight steps (:class:`k8sidx.hunt.definition.Steps`)."""

    environment: str = ""
    criterion: str = ""
    hypothesis: str = ""
    data: str = ""
    baseline: str = ""
    test: str = ""
    automation: str = ""
    next: str = ""


class Block(_Strict):
    """What may stand under ``k8sidx`` in every document.

    :param filters: shared filters (:mod:`k8sidx.hunt.sigma.filters`), merged into the
        detection before the rule is read.
    """

    filters: tuple[FieldName, ...] = ()
    steps: StepsBlock = StepsBlock()
    level_needed: Literal["Metadata", "Request", "RequestResponse"] = "Metadata"
    platforms_blind: dict[str, str] = Field(default_factory=dict)
    reason: str = ""
    stream: bool = False


class MatchBlock(Block):
    """A plain Sigma rule."""

    finding_by: tuple[FieldName, ...] = (
        "user.effective.name",
        "source.ip",
        "verb",
        "target.resource",
        "objectRef.namespace",
    )
    echoes_of: tuple[FieldName, ...] = ()


class ThresholdBlock(Block):
    """A Sigma correlation: the numbers stand in the correlation itself."""


class TopBlock(Block):
    """``kind: top``."""

    kind: Literal["top"]
    rarest: bool = False
    by: tuple[FieldName | dict[str, str], ...] = Field(min_length=1)
    count: str = "count"
    limit: Count = 10
    keep_missing: bool = False


class NewBlock(Block):
    """``kind: new``."""

    kind: Literal["new"]
    by: tuple[FieldName, ...] = Field(min_length=1)
    window: Span = timedelta(days=1)
    history: Span = timedelta(days=30)


class SpikeBlock(Block):
    """``kind: spike``."""

    kind: Literal["spike"]
    interval: Span = timedelta(minutes=5)
    at_least: Count = 30
    deviations: Annotated[float, Field(gt=0)] = 6.0
    history: Span = timedelta(days=30)
    who: FieldName = "user.effective.name"


class SilentBlock(Block):
    """``kind: silent``."""

    kind: Literal["silent"]
    by: tuple[FieldName, ...] = Field(min_length=1)
    interval: Span = timedelta(minutes=10)
    gaps: Annotated[float, Field(gt=0)] = 3.0
    at_least: Span = timedelta(hours=1)
    history: Span = timedelta(days=30)


KINDS: dict[str, type[Block]] = {
    "top": TopBlock,
    "new": NewBlock,
    "spike": SpikeBlock,
    "silent": SilentBlock,
}


def read_block(value: object, *, correlation: bool, where: Where) -> Block:
    """Check the value of a document's ``k8sidx`` key; ``None`` where it has none.

    :param correlation: the document is a Sigma correlation.
    :raises InvalidHunt: when it says what no hunt understands.
    """
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        raise InvalidHunt("k8sidx holds a mapping of names to values.", where=where)
    kind = value.get("kind")
    if kind is not None and (correlation or kind not in KINDS):
        raise InvalidHunt(
            f"k8sidx.kind: a hunt of the kind {kind!r} cannot be made of this document.",
            remedy=f"Rules can be {', '.join(KINDS)}; a correlation is a threshold by itself.",
            where=where,
        )
    model = KINDS[str(kind)] if kind else ThresholdBlock if correlation else MatchBlock
    return _validated(model, value, where)


def _validated(model: type[Block], value: Mapping[str, Any], where: Where) -> Block:
    try:
        return model.model_validate(dict(value))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(["k8sidx", *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields)
            raise InvalidHunt(
                f"{name} is not known here.", remedy=f"There are: {known}.", where=where
            ) from error
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise InvalidHunt(f"{name}: {message}.", where=where) from error
