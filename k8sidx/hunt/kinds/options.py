"""Types of the options of a hunt under the ``k8sidx`` key.

Pydantic checks them when a document is read (:mod:`k8sidx.hunt.sigma.extension`). Its
validation context is the function that maps names of fields in a rule to stored names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Annotated, TypeAlias, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from k8sidx.errors import UsageError
from k8sidx.query.durations import parse_span

StoredNames: TypeAlias = Callable[[Iterable[str]], tuple[str, ...]]
"""Maps names of fields to stored names; raises ``InvalidHunt`` for unknown ones."""


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_span(str(value))
    except UsageError as error:
        raise ValueError(str(error)) from error


def stored_names(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Return the stored names of a rule's fields.

    :raises InvalidHunt: for a field that does not exist or makes no groups.
    """
    to_stored = cast("StoredNames", info.context)
    return to_stored(names)


def _stored_name(name: str, info: ValidationInfo) -> str:
    return stored_names((name,), info)[0]


Name = Annotated[str, Field(min_length=1)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
FieldName = Annotated[Name, AfterValidator(_stored_name)]
FieldNames = Annotated[tuple[Name, ...], AfterValidator(stored_names)]
SomeFieldNames = Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(stored_names)]
