"""Checks files of saved objects before a server sees them.

An import that says success proves little: neither product looks into the JSON inside a
saved object's JSON, at most references, or at fields (docs/dashboards.md). This reads a
file as the browser would later, and says what would break.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import orjson

from k8sidx.show.savedobjects.check_classic import check_search, check_visualization
from k8sidx.show.savedobjects.check_dashboard import check_dashboard
from k8sidx.show.savedobjects.check_fields import FieldType, check_pattern
from k8sidx.show.savedobjects.check_form import CLASSIC, KIBANA, Form, check_form
from k8sidx.show.savedobjects.embedded import Embedded, read_embedded

JsonObject = dict[str, Any]

MOST_OBJECTS = 10_000
MOST_BYTES = 26_214_400
"""Limits of the import in both products."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file.

    :param line: 1-based; 0 for the file as a whole.
    :param subject: the object's type and id; empty for the file or a line that is no object.
    :param text: what is wrong, and what comes of it.
    """

    line: int
    subject: str
    text: str


def check_file(name: str, content: bytes, known: Mapping[str, FieldType]) -> list[Problem]:
    """All problems of a file.

    :param name: the file's name; both products refuse other endings than ``.ndjson``.
    :param known: fields of the indices that its panels are about, by path.
    """
    problems = []
    if PurePath(name).suffix != ".ndjson":
        problems.append(Problem(0, "", "the name does not end in .ndjson: the import refuses it"))
    if len(content) > MOST_BYTES:
        problems.append(Problem(0, "", f"larger than {MOST_BYTES:,} bytes: the import refuses it"))
    objects: dict[int, JsonObject] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            one = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            text = f"no JSON ({error}): the import refuses the whole file"
            problems.append(Problem(number, "", text))
            continue
        if isinstance(one, dict) and "exportedCount" in one and "type" not in one:
            continue
        lacks = _whole(one)
        problems += [Problem(number, "", text) for text in lacks]
        if not lacks:
            objects[number] = one
    if len(objects) > MOST_OBJECTS:
        problems.append(Problem(0, "", f"more than {MOST_OBJECTS:,} objects"))
    return problems + list(_Checked(objects, known).problems())


def _whole(one: Any) -> list[str]:
    """What an object lacks without which the import fails as a whole."""
    if not isinstance(one, dict):
        return ["no JSON object: the import refuses the whole file"]
    missing = [
        key
        for key, kind in (("type", str), ("id", str), ("attributes", dict))
        if not isinstance(one.get(key), kind)
    ]
    return [f"no {key}: the import fails as a whole" for key in missing]


class _Checked:
    """The objects of a file, looked at together."""

    def __init__(self, objects: Mapping[int, JsonObject], known: Mapping[str, FieldType]) -> None:
        self.objects = objects
        self.known = known
        self.form: Form = KIBANA if any(map(_is_kibana, objects.values())) else CLASSIC
        self.ids: set[tuple[str, str]] = set()

    def problems(self) -> Iterator[Problem]:
        for number, one in self.objects.items():
            key = (one["type"], one["id"])
            if key in self.ids:
                yield self.problem(number, "stands twice: the import refuses the whole file")
            self.ids.add(key)
        for number in self.objects:
            for text in self.about(self.objects[number]):
                yield self.problem(number, text)

    def problem(self, number: int, text: str) -> Problem:
        one = self.objects[number]
        return Problem(number, f"{one['type']}:{one['id']}", text)

    def about(self, one: JsonObject) -> Iterator[str]:
        yield from check_form(one, self.form)
        embedded = read_embedded(one)
        yield from embedded.faults
        yield from self.references(one, embedded)
        match one["type"]:
            case "index-pattern":
                yield from check_pattern(one["attributes"])
            case "visualization":
                yield from check_visualization(embedded, self.known)
            case "search":
                yield from check_search(one["attributes"], self.known)
            case "dashboard":
                yield from check_dashboard(one, embedded, self.known)

    def references(self, one: JsonObject, embedded: Embedded) -> Iterator[str]:
        references = one.get("references", [])
        named = {reference.get("name") for reference in references}
        for name in sorted(embedded.names - named):
            yield f"nothing is referenced by the name {name!r}: it stays empty"
        for reference in references:
            if (reference.get("type"), reference.get("id")) not in self.ids:
                said = f"{reference.get('type')}:{reference.get('id')}"
                yield f"references {said}, which is not in this file"


def _is_kibana(one: JsonObject) -> bool:
    return "typeMigrationVersion" in one or "coreMigrationVersion" in one
