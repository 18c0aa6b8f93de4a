"""Given a file of saved objects with one fault, the checker names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from k8sidx.show.panels.library import dashboards
from k8sidx.show.savedobjects.check import check_file
from k8sidx.show.savedobjects.export import dashboard_objects
from k8sidx.show.savedobjects.field_names import known_fields
from k8sidx.show.savedobjects.search_source import Flavor

Objects = list[dict[str, Any]]
OVERVIEW = dashboards()[0]


def problems(objects: Objects, name: str = "file.ndjson") -> list[str]:
    content = b"\n".join(orjson.dumps(one) for one in objects)
    return [problem.text for problem in check_file(name, content, known_fields())]


def broken(change: Callable[[Objects], None], flavor: Flavor = "opensearch") -> list[str]:
    objects = orjson.loads(orjson.dumps(dashboard_objects(OVERVIEW, flavor)))
    assert problems(objects) == []
    change(objects)
    return problems(objects)


def one(objects: Objects, kind: str, ending: str = "") -> dict[str, Any]:
    return next(o for o in objects if o["type"] == kind and o["id"].endswith(ending))


def edit(objects: Objects, kind: str, ending: str, attribute: str, change: Any) -> None:
    """Change the JSON inside an attribute."""
    attributes = one(objects, kind, ending)["attributes"]
    value = orjson.loads(attributes[attribute])
    change(value)
    attributes[attribute] = orjson.dumps(value).decode()


def state(ending: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Objects], None]:
    return lambda objects: edit(objects, "visualization", ending, "visState", change)


def panels(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Objects], None]:
    return lambda objects: edit(objects, "dashboard", "", "panelsJSON", change)


def aggregation(value: dict[str, Any], at: int) -> dict[str, Any]:
    found: dict[str, Any] = value["aggs"][at]
    return found


CASES: list[tuple[str, Callable[[Objects], Any], str]] = [
    ("twice", lambda o: o.append(o[0]), "defined twice"),
    ("no id", lambda o: o[1].pop("id"), "no id: the whole import fails"),
    ("no attributes", lambda o: o[1].pop("attributes"), "no attributes: the whole import fails"),
    ("unknown type", lambda o: one(o, "search").update(type="lens"), "has no type lens"),
    (
        "newer version",
        lambda o: one(o, "visualization").update(migrationVersion={"visualization": "8.1.0"}),
        "version 8.1.0 is newer than 7.10.0",
    ),
    (
        "unknown attribute",
        lambda o: one(o, "dashboard")["attributes"].update(controlGroupInput={}),
        "unknown attribute controlGroupInput",
    ),
    (
        "data source id",
        lambda o: o[1].update(id=f"{'a' * 36}_{'b' * 36}"),
        "taken for the id of a data source",
    ),
    (
        "bad JSON",
        lambda o: one(o, "visualization")["attributes"].update(visState="{"),
        "visState is not JSON",
    ),
    (
        "object for text",
        lambda o: one(o, "visualization")["attributes"].update(visState={}),
        "visState is not a string",
    ),
    (
        "missing visualization",
        lambda o: o.remove(one(o, "visualization", "panel-by-verb")),
        "which is not in this file",
    ),
    (
        "dangling reference name",
        panels(lambda value: value[3].update(panelRefName="panel_99")),
        "no reference is named 'panel_99'",
    ),
    ("overlap", panels(lambda v: v[3]["gridData"].update(x=1)), "overlap"),
    ("outside", panels(lambda v: v[3]["gridData"].update(w=60)), "is not within the grid"),
    ("same index", panels(lambda v: v[3].update(panelIndex="1")), "gridData.i is"),
    (
        "unknown field",
        state("by-verb", lambda v: aggregation(v, 1)["params"].update(field="verbs")),
        "no field verbs in the mapping",
    ),
    (
        "not aggregatable",
        state("by-verb", lambda v: aggregation(v, 1)["params"].update(field="requestObject")),
        "no field requestObject",
    ),
    (
        "histogram of text",
        state("outcome-over-time", lambda v: aggregation(v, 1)["params"].update(field="verb")),
        "is a string, not a date",
    ),
    (
        "wrong schema",
        state("by-verb", lambda v: aggregation(v, 1).update(schema="bucket")),
        "has no schema bucket",
    ),
    (
        "order by nothing",
        state("by-verb", lambda v: aggregation(v, 1)["params"].update(orderBy="9")),
        "ordered by 9, which does not exist",
    ),
    (
        "same aggregation id",
        state("by-verb", lambda v: aggregation(v, 1).update(id="1")),
        "two aggregations have the same id",
    ),
    ("unknown kind", state("by-verb", lambda v: v.update(type="sankey")), "sankey is not a kind"),
    ("no metric", state("by-verb", lambda v: v["aggs"].pop(0)), "the panel shows nothing"),
    (
        "missing bucket of a number",
        state("by-code", lambda v: aggregation(v, 1)["params"].update(missingBucket=True)),
        "missingBucket works for text only",
    ),
    (
        "control of an unknown field",
        state("controls-overview", lambda v: v["params"]["controls"][0].update(fieldName="x")),
        "no field x in the mapping",
    ),
    (
        "column of an unknown field",
        lambda o: one(o, "search")["attributes"]["columns"].append("nobody"),
        "no field nobody in the mapping: its column stays empty",
    ),
    (
        "no time field",
        lambda o: o[0]["attributes"].pop("timeFieldName"),
        "the time picker does not work",
    ),
]


@pytest.mark.parametrize(
    ("change", "fault"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_fault_is_named(change: Callable[[Objects], None], fault: str) -> None:
    assert any(fault in text for text in broken(change)), broken(change)


def attributes(kind: str, **changed: Any) -> Callable[[Objects], None]:
    return lambda objects: one(objects, kind)["attributes"].update(changed)


@pytest.mark.parametrize(
    ("flavor", "change", "fault"),
    [
        ("opensearch", attributes("dashboard", version="new"), "version is not a number"),
        ("opensearch", attributes("search", columns="message"), "columns is not a list"),
        (
            "opensearch",
            attributes("dashboard", kibanaSavedObjectMeta={"searchSource": "{}"}),
            "unknown member of kibanaSavedObjectMeta searchSource",
        ),
        ("kibana-8", attributes("visualization", columnWidths={}), "attribute columnWidths"),
        ("kibana-8", attributes("visualization", title=5), "title is not a text"),
        ("kibana", attributes("dashboard", timeRestore="never"), "timeRestore is not true or"),
        ("kibana", attributes("dashboard", sections=[]), "sections came with version 10.3.0"),
        (
            "kibana",
            attributes("dashboard", refreshInterval={"pause": True}),
            "no member of refreshInterval value",
        ),
        ("kibana", attributes("search", hideTable=True), "hideTable came with version 10.12.0"),
        (
            "kibana",
            lambda o: one(o, "search")["attributes"].pop("kibanaSavedObjectMeta"),
            "no attribute kibanaSavedObjectMeta",
        ),
    ],
)
def test_an_attribute_outside_the_strict_schema_is_named(
    flavor: Flavor, change: Callable[[Objects], None], fault: str
) -> None:
    assert any(fault in text for text in broken(change, flavor)), broken(change, flavor)


def test_a_stream_with_columns_that_its_panel_hides_is_named() -> None:
    wide = attributes("search", columns=["message", "user.effective.name", "requestURI", "verb",
                                         "userAgent"])  # fmt: skip
    assert any("userAgent is hidden" in text for text in broken(wide))
    assert any("userAgent is hidden" in text for text in broken(wide, "kibana"))


def lens(change: Callable[[dict[str, Any]], Any]) -> Callable[[Objects], None]:
    def changed(value: list[dict[str, Any]]) -> None:
        first = next(panel for panel in value if panel["type"] == "lens")
        change(first["embeddableConfig"]["attributes"])

    return panels(changed)


def layer(attributes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = attributes["state"]["datasourceStates"]["formBased"]["layers"]["layer"]
    return found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lens(lambda a: layer(a)["columns"].clear()), "shows the column m0, which does not exist"),
        (lens(lambda a: layer(a)["columnOrder"].clear()), "columnOrder does not list the columns"),
        (lens(lambda a: a["references"].clear()), "references no data view"),
        (
            lens(lambda a: layer(a)["columns"]["m0"].update(sourceField="nothing")),
            "no field nothing in the mapping",
        ),
    ],
    ids=["columns", "order", "data view", "field"],
)
def test_a_fault_of_a_lens_panel_is_named(change: Callable[[Objects], None], fault: str) -> None:
    assert any(fault in text for text in broken(change, "kibana")), broken(change, "kibana")


def test_a_line_that_is_no_json_is_named_with_its_number() -> None:
    content = orjson.dumps(dashboard_objects(OVERVIEW, "opensearch")[0]) + b"\nno json\n"
    [problem] = check_file("file.ndjson", content, known_fields())
    assert (problem.line, problem.subject) == (2, "")
    assert "the import refuses the whole file" in problem.text


def test_a_name_with_another_ending_is_named() -> None:
    [text] = problems(dashboard_objects(OVERVIEW, "opensearch"), "file.json")
    assert "does not end in .ndjson" in text
