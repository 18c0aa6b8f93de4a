"""Field names as users write them → fields of the table."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import NamedTuple

from k8sidx.errors import UnknownField
from k8sidx.events.fields.findings import FINDING_ONLY
from k8sidx.events.fields.table import FIELDS, Field, Kind

BY_NAME: dict[str, Field] = {field.name: field for field in (*FIELDS, *FINDING_ONLY)}
ALIASES: dict[str, str] = {alias: field.name for field in FIELDS for alias in field.aliases}
ECS: dict[str, str] = {
    field.ecs: field.name for field in FIELDS if field.ecs and field.ecs not in BY_NAME
}
_INDEX = re.compile(r"\.(\d+)(?=\.|$)")


class FieldPath(NamedTuple):
    """A field, or with ``position`` the element at that 0-based place of its list."""

    field: Field
    position: int | None = None

    @property
    def many(self) -> bool:
        """True when there can be more than one value."""
        return self.field.many and self.position is None

    @property
    def is_text(self) -> bool:
        """Whether the values are texts, addresses among them."""
        return self.field.kind in (Kind.KEYWORD, Kind.ADDRESS)

    @property
    def is_one_text(self) -> bool:
        """Whether the field is one text, and not a list or an element of one."""
        return self.is_text and not self.field.many


@lru_cache(maxsize=4096)
def resolve(name: str) -> FieldPath:
    """Find the field that a name means.

    Accepts stored names, aliases (the article's ``objectReg.apigroup``), ECS names
    where they differ, and positions in lists (``sourceIPs.0``,
    ``requestObject.subjects.0.name``).

    :raises UnknownField: naming the nearest fields.
    """
    field = _find(name)
    if field is not None:
        return FieldPath(field)
    index = _INDEX.search(name)
    if index is not None:
        field = _find(name[: index.start()] + name[index.end() :])
        position = int(index.group(1))
        if field is not None and field.many and position < field.positions:
            return FieldPath(field, position)
        if field is not None and field.many and field.positions:
            raise UnknownField(
                f"{field.name} keeps the order of its first {field.positions} values only.",
                remedy=f"Ask for {field.name}, which means any of them.",
            )
    raise UnknownField(f"no field is named {name!r}.", remedy=_nearest(name))


def _find(name: str) -> Field | None:
    return BY_NAME.get(name) or BY_NAME.get(ALIASES.get(name, "")) or BY_NAME.get(ECS.get(name, ""))


def _nearest(name: str) -> str:
    known = [*BY_NAME, *ALIASES, *ECS]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if not near:
        tail = name.rsplit(".", 1)[-1].lower()
        near = [field_name for field_name in known if field_name.lower().endswith(tail)][:3]
    listed = "All fields are in docs/fields.md."
    return f"Did you mean {' or '.join(near)}? {listed}" if near else listed
