"""Checks of index patterns: their fields, and the formats of values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8sidx.show.savedobjects.embedded import Embedded
from k8sidx.show.savedobjects.products import Product

JsonObject = dict[str, Any]

MAY_BE_EMPTY = frozenset({"verb"})
"""Fields of which the API server writes an empty text."""


def check_pattern(attributes: JsonObject, embedded: Embedded, product: Product) -> Iterator[str]:
    """Yield what an index pattern lacks, and formats that the product does not have."""
    if not attributes.get("title"):
        yield "no title: the title of an index pattern names its indices"
    if not attributes.get("timeFieldName"):
        yield "no timeFieldName: the time picker does not work"
    listed = embedded.values.get("fields")
    if not isinstance(listed, list) or not listed:
        yield "no fields: the first view asks the indices, and reports conflicts without any"
    formats = embedded.values.get("fieldFormatMap")
    for field, chosen in formats.items() if isinstance(formats, dict) else ():
        if isinstance(chosen, dict):
            for text in _format(chosen, product):
                yield f"the format of {field}: {text}"
    names = {field.get("name") for field in listed or [] if isinstance(field, dict)}
    for field in sorted(MAY_BE_EMPTY & names if names else MAY_BE_EMPTY):
        if not _labels_empty((formats or {}).get(field)):
            yield f"an empty {field} has no label: its bar has no name"


def _labels_empty(chosen: Any) -> bool:
    if not isinstance(chosen, dict) or chosen.get("id") != "static_lookup":
        return False
    entries = chosen.get("params", {}).get("lookupEntries", [])
    return any(entry.get("key") == "" and entry.get("value") for entry in entries)


def _format(chosen: JsonObject, product: Product) -> Iterator[str]:
    known = product.formats.get(str(chosen.get("id")))
    if known is None:
        yield f"{product.name} has no format {chosen.get('id')}: values are shown unformatted"
        return
    parameters = chosen.get("params") or {}
    for name in sorted(set(parameters) - known.parameters):
        yield f"{product.name} ignores the parameter {name} ({known.source})"
    for name, permitted in known.values.items():
        if name in parameters and parameters[name] not in permitted:
            yield (
                f"{product.name} does not know {name} {parameters[name]!r}: panels and Discover "
                f"fail ({known.source})"
            )
