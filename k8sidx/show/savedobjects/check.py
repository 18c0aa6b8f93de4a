"""Checker for files of saved objects.

A successful import proves little: neither product validates the JSON inside a saved
object's JSON, most references, or fields (docs/dashboards.md). This reads a file as the
browser would later, and reports what would break.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import orjson

from k8sidx.show.savedobjects.check_classic import check_search, check_visualization
from k8sidx.show.savedobjects.check_dashboard import check_dashboard
from k8sidx.show.savedobjects.check_form import check_form
from k8sidx.show.savedobjects.check_formats import check_pattern
from k8sidx.show.savedobjects.embedded import Embedded, read_embedded
from k8sidx.show.savedobjects.mapped import FieldType
from k8sidx.show.savedobjects.products import PRODUCTS
from k8sidx.show.savedobjects.search_source import Flavor

JsonObject = dict[str, Any]

MOST_OBJECTS = 10_000
MOST_BYTES = 26_214_400
"""Limits of the import in both products."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a file.

    :param line: 1-based; 0 for the file as a whole.
    :param subject: the object's type and id; empty for the file, or a line that is not an object.
    :param text: the fault and its effect.
    """

    line: int
    subject: str
    text: str


def check_file(
    name: str, content: bytes, known: Mapping[str, FieldType], flavor: Flavor | None = None
) -> list[Problem]:
    """Return all problems of a file.

    :param name: the file's name; both products refuse other endings than ``.ndjson``.
    :param known: fields of the indices that its panels query, by path.
    :param flavor: the product that it is for; by default the one that it looks like.
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
            obj = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            text = f"not valid JSON ({error}): the import refuses the whole file"
            problems.append(Problem(number, "", text))
            continue
        if isinstance(obj, dict) and "exportedCount" in obj and "type" not in obj:
            continue
        faults = _shape_faults(obj)
        problems += [Problem(number, "", text) for text in faults]
        if not faults:
            objects[number] = obj
    if len(objects) > MOST_OBJECTS:
        problems.append(Problem(0, "", f"more than {MOST_OBJECTS:,} objects"))
    return problems + list(_File(objects, known, flavor).problems())


def _shape_faults(obj: Any) -> list[str]:
    """Return the missing members without which the whole import fails."""
    if not isinstance(obj, dict):
        return ["not a JSON object: the import refuses the whole file"]
    missing = [
        key
        for key, kind in (("type", str), ("id", str), ("attributes", dict))
        if not isinstance(obj.get(key), kind)
    ]
    return [f"no {key}: the whole import fails" for key in missing]


class _File:
    """Checks of the objects of a file, which reference each other."""

    def __init__(
        self,
        objects: Mapping[int, JsonObject],
        known: Mapping[str, FieldType],
        flavor: Flavor | None,
    ) -> None:
        self.objects = objects
        self.known = known
        self.embedded = {number: read_embedded(obj) for number, obj in objects.items()}
        self.product = PRODUCTS[flavor or flavor_of(objects.values())]
        self.ids: set[tuple[str, str]] = set()
        self.sizes = {
            key: size
            for number, obj in objects.items()
            if obj["type"] == "dashboard"
            for key, size in _sizes(obj, self.embedded[number])
        }

    def problems(self) -> Iterator[Problem]:
        for number, obj in self.objects.items():
            key = (obj["type"], obj["id"])
            if key in self.ids:
                yield self.problem(number, "defined twice: the import refuses the whole file")
            self.ids.add(key)
        yield from self.titles()
        for number in self.objects:
            for text in self.about(number):
                yield self.problem(number, text)

    def titles(self) -> Iterator[Problem]:
        """Yield dashboards that nobody can tell apart in the list."""
        seen: set[str] = set()
        for number, obj in self.objects.items():
            title = obj["attributes"].get("title")
            if obj["type"] == "dashboard" and isinstance(title, str):
                if title in seen:
                    yield self.problem(number, f"another dashboard has the title {title!r}, too")
                seen.add(title)

    def problem(self, number: int, text: str) -> Problem:
        obj = self.objects[number]
        return Problem(number, f"{obj['type']}:{obj['id']}", text)

    def about(self, number: int) -> Iterator[str]:
        obj, embedded = self.objects[number], self.embedded[number]
        yield from check_form(obj, self.product)
        yield from embedded.faults
        yield from self.references(obj, embedded)
        match obj["type"]:
            case "index-pattern":
                yield from check_pattern(obj["attributes"], embedded, self.product)
            case "visualization":
                size = self.sizes.get((obj["type"], obj["id"]))
                yield from check_visualization(embedded, self.known, self.product, size)
            case "search":
                size = self.sizes.get((obj["type"], obj["id"]))
                yield from check_search(obj["attributes"], self.known, size)
            case "dashboard":
                yield from check_dashboard(obj, embedded, self.known, self.product)

    def references(self, obj: JsonObject, embedded: Embedded) -> Iterator[str]:
        references = obj.get("references", [])
        named = {reference.get("name") for reference in references}
        for name in sorted(embedded.names - named):
            yield f"no reference is named {name!r}: the panel stays empty"
        for reference in references:
            if (reference.get("type"), reference.get("id")) not in self.ids:
                target = f"{reference.get('type')}:{reference.get('id')}"
                yield f"references {target}, which is not in this file"


def flavor_of(objects: Iterable[JsonObject]) -> Flavor:
    """Return the product that objects look like: Kibana's own version numbers, or its words."""
    objects = list(objects)
    if any("typeMigrationVersion" in obj or "coreMigrationVersion" in obj for obj in objects):
        return "kibana"
    texts = [text for obj in objects for text in _texts(obj["attributes"])]
    return "kibana-8" if any(map(_OF_KIBANA.search, texts)) else "opensearch"


_OF_KIBANA = re.compile(r'"useNormalizedEsInterval"|"version":"(?:7|8|9)\.')
"""A parameter that OpenSearch Dashboards renamed, and the product's version in a panel."""


def _texts(value: Any) -> Iterator[str]:
    return (text for text in value.values() if isinstance(text, str))


def _sizes(
    dashboard: JsonObject, embedded: Embedded
) -> Iterator[tuple[tuple[Any, Any], tuple[int, int]]]:
    """Yield type and id of the objects on a dashboard, and their size in the grid."""
    references = {reference.get("name"): reference for reference in dashboard.get("references", [])}
    panels = embedded.values.get("panelsJSON")
    for panel in panels if isinstance(panels, list) else []:
        if not isinstance(panel, dict):
            continue
        name = panel.get("panelRefName")
        # Newer dashboards name panel_x for the reference x:panel_x.
        reference = references.get(name) or references.get(f"{panel.get('panelIndex')}:{name}")
        grid = panel.get("gridData", {}) if reference else {}
        if reference and isinstance(grid.get("w"), int) and isinstance(grid.get("h"), int):
            yield (reference.get("type"), reference.get("id")), (grid["w"], grid["h"])
