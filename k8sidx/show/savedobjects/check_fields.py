"""Checks of the fields in saved objects against the mapping of their indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from k8sidx.show.savedobjects.mapped import FieldType

JsonObject = dict[str, Any]


def check_field(
    name: str, known: Mapping[str, FieldType], *, wanted: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield what keeps a panel from aggregating by a field.

    :param wanted: suitable kinds; empty for any.
    """
    field = known.get(name)
    if field is None:
        yield f"no field {name} in the mapping: the panel shows an error"
    elif not field.aggregatable:
        yield f"the field {name} cannot be aggregated: the panel shows an error"
    elif wanted and field.kind not in wanted:
        yield f"the field {name} is a {field.kind}, not a {' or '.join(wanted)}"
