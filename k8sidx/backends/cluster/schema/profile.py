"""How the documents of an index answer for the fields of the field table.

An engine asks a profile for the paths of a field; it never makes a path itself. The
profile of k8sidx's own indices follows from the field table; other profiles are for
indices that something else filled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from k8sidx.backends.cluster.index.document import AUDIT, ORDER, epoch_path, position_path
from k8sidx.events.fields.lookup import FieldPath
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import Condition, Leaf

ID = "event.id"
TIME = "@timestamp"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where documents keep a field.

    :param kind: what it holds.
    :param query: asked by conditions; empty when it cannot be searched.
    :param group: has doc values, so groups, sorts and metrics can use it; empty when none.
    :param source: where its value stands in a document's source.
    :param network: has the type ip; empty when none.
    :param histogram: of a time: has the type date; empty when none.
    :param unit: of a time: microseconds in one of the numbers under ``group``.
    :param many: a document can hold several values.
    :param lack: why ``query`` or ``group`` are empty, when that is this index's own affair.
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
    """Where the documents of an index keep the fields."""

    @property
    def name(self) -> str:
        """What kind of index it is, for people."""

    @property
    def is_read(self) -> bool:
        """It was read off the fields of the index, and not what they should be."""

    @property
    def order(self) -> tuple[str, ...]:
        """Paths that sort documents of one moment the same way each time."""

    def paths(self, path: FieldPath) -> Paths:
        """Where the field is.

        :raises UnsupportedQuery: naming the field, when such documents do not have it.
        """

    def instead(self, leaf: Leaf) -> Condition | None:
        """A condition that means the same there, when none can be asked of the field itself.

        :raises UnsupportedQuery: when there is none.
        """

    def is_whole(self, path: FieldPath) -> bool:
        """Every value can be found and grouped; false when the index left some out."""


class OwnProfile:
    """Indices that k8sidx filled."""

    name = "k8sidx"
    is_read = False
    order: tuple[str, ...] = (ORDER,)

    def paths(self, path: FieldPath) -> Paths:
        return own_paths(path)

    def instead(self, leaf: Leaf) -> Condition | None:
        return None

    def is_whole(self, path: FieldPath) -> bool:
        return True


@lru_cache(maxsize=4096)
def own_paths(path: FieldPath) -> Paths:
    """Where k8sidx's own documents keep a field."""
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
    return Paths(kind, field.name, field.name, field.name, many=path.many)
