"""JSON Schemas of what commands print with ``-o json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from k8sidx.errors import UsageError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/"


def schema_names() -> list[str]:
    """Return the names of the outputs that have a schema."""
    return sorted(_document()["outputs"])


def about(name: str) -> str:
    """Return the command that prints an output."""
    return str(_document()["outputs"][name]["description"])


def schema(name: str) -> dict[str, Any]:
    """Return the schema of an output, which needs no other document.

    Its ``$id`` has the version of all schemas: within one version members are added, and none is
    removed, renamed or given another type.

    :raises UsageError: when no output has this name.
    """
    document = _document()
    if name not in document["outputs"]:
        raise UsageError(
            f"there is no schema {name!r}.", remedy=f"Names: {', '.join(schema_names())}."
        )
    output = document["outputs"][name]
    needed = sorted(_needed(output, document["defs"]))
    return {
        "$schema": DIALECT,
        "$id": f"urn:k8sidx:schema:{name}:{document['version']}",
        "title": f"k8sidx {name}, version {document['version']}",
        **output,
        "$defs": {key: document["defs"][key] for key in needed},
    }


def _needed(node: Any, definitions: dict[str, Any]) -> set[str]:
    """Return the names of the definitions that a schema refers to, directly or not."""
    names: set[str] = set()
    open_names = set(_references(node))
    while open_names:
        name = open_names.pop()
        names.add(name)
        open_names |= set(_references(definitions[name])) - names
    return names


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_REFERENCE)
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


@cache
def _document() -> Any:
    return json.loads((resources.files("k8sidx.show.schemas") / "outputs.json").read_text("utf-8"))
