"""Profile of an index: how its documents represent the fields of the field table.

An engine gets the paths of a field from a profile; it never builds a path itself. The
profile of k8sidx's own indices follows from the field table; other profiles are for
indices that something else filled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from k8sidx.backends.cluster.index.document import (
    AUDIT,
    ORDER,
    epoch_path,
    position_path,
    text_path,
)
from k8sidx.events.fields.lookup import FieldPath
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import Condition, Leaf

ID = "event.id"
TIME = "@timestamp"


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths of a field in documents.

    :param kind: kind of its values.
    :param query: path for conditions; empty when it cannot be searched.
    :param group: path with doc values, for groups, sorts and metrics; empty when there is none.
    :param source: path of its value in a document's source.
    :param network: path of the type ip; empty when there is none.
    :param histogram: of a time: path of the type date; empty when there is none.
    :param unit: of a time: microseconds in one of the numbers under ``group``.
    :param many: a document can contain several values.
    :param lack: reason why ``query`` or ``group`` are empty, when it is specific to this index.
    :param read: makes the value of a document's source, when no one place has it; what it
        needs of the source stands in ``parts``.
    """

    kind: Kind
    query: str
    group: str
    source: str
    network: str = ""
    histogram: str = ""
    unit: int = 1
    many: bool = False
    lack: str = ""
    parts: tuple[str, ...] = ()
    read: Callable[[Mapping[str, Any]], Any] | None = None


class Profile(Protocol):
    """Maps fields to paths in the documents of an index."""

    @property
    def name(self) -> str:
        """Kind of the index, for people."""

    @property
    def is_read(self) -> bool:
        """Whether it was detected from the fields of the index, instead of defining them."""

    @property
    def order(self) -> tuple[str, ...]:
        """Paths that sort documents of the same time in a stable order."""

    def paths(self, path: FieldPath) -> Paths:
        """Return the paths of the field.

        :raises UnsupportedQuery: naming the field, when such documents do not have it.
        """

    def rewrite(self, leaf: Leaf) -> Condition | None:
        """Return an equivalent condition, when the field itself cannot be queried.

        :raises UnsupportedQuery: when there is none.
        """

    def is_whole(self, path: FieldPath) -> bool:
        """Whether every value can be searched and grouped; false when the index ignored some."""


class OwnProfile:
    """Profile of indices that k8sidx filled."""

    name = "k8sidx"
    is_read = False
    order: tuple[str, ...] = (ORDER,)

    def paths(self, path: FieldPath) -> Paths:
        return own_paths(path)

    def rewrite(self, leaf: Leaf) -> Condition | None:
        return None

    def is_whole(self, path: FieldPath) -> bool:
        return True


@lru_cache(maxsize=4096)
def own_paths(path: FieldPath) -> Paths:
    """Return the paths of a field in k8sidx's own documents."""
    field, kind = path.field, path.field.kind
    if field.name == ID:
        return Paths(kind, "_id", "", "_id")
    if kind is Kind.JSON:
        return Paths(kind, "", "", f"{AUDIT}.{field.name}")
    if kind is Kind.TIME:
        micros = epoch_path(field.name)
        return Paths(kind, micros, micros, micros, histogram=field.name)
    if path.position is not None:
        element = position_path(field.name, path.position)
        return Paths(kind, element, element, element)
    if kind is Kind.ADDRESS:
        text = f"{field.name}.keyword"
        return Paths(kind, text, text, field.name, network=field.name, many=path.many)
    if field.point:
        text = text_path(field.name)
        return Paths(kind, text, text, field.name)
    return Paths(kind, field.name, field.name, field.name, many=path.many)
