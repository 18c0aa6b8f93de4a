"""Definition of a field of the table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

NAMESPACE_LENGTH = 256
NAME_LENGTH = 1024
TEXT_LENGTH = 8191
"""Longest value that is stored in a field, in characters; 8191 four-byte characters stay under
Lucene's 32,766 byte limit for a term."""


class Kind(Enum):
    """Kind of a field's values; each store has one type for each kind."""

    KEYWORD = "keyword"
    ADDRESS = "address"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Field:
    """One stored field.

    :param name: stored name.
    :param kind: kind of its values.
    :param about: what it says and, for derived fields, from what it is derived.
    :param many: holds a list of values.
    :param audit: the value is moved here from the event, unchanged, and put back when
        the whole event is requested. False for derived fields.
    :param length: characters after which a stored value is cut; the whole one stays in `rest`.
    :param ecs: the Elastic Common Schema name of the same fact.
    :param aliases: other names that queries may use.
    :param point: a latitude and a longitude in degrees, with a comma between.
    :param positions: for ``many``: how many leading elements can be asked for by index.
    :param example: a value as it is stored.
    """

    name: str
    kind: Kind
    about: str
    many: bool = False
    audit: bool = False
    length: int = NAMESPACE_LENGTH
    ecs: str = ""
    aliases: tuple[str, ...] = ()
    positions: int = 0
    point: bool = False
    example: str = ""

    @property
    def is_number(self) -> bool:
        return self.kind is Kind.INTEGER

    @property
    def is_address(self) -> bool:
        return self.kind is Kind.ADDRESS


def keyword(name: str, about: str, **more: object) -> Field:
    """A field of text that is compared as a whole."""
    return Field(name, Kind.KEYWORD, about, **more)  # type: ignore[arg-type]


def flag(name: str, about: str) -> Field:
    """A field that says yes or no."""
    return Field(name, Kind.BOOLEAN, about, example="true")
