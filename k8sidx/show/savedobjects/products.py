"""Saved-object types, attributes and field formats that products accept, by version.

Each fact names the file of the product's published source that it is read from: paths in
opensearch-project/OpenSearch-Dashboards (2.19, 3.x) and in elastic/kibana (8.19, 9.x, where many
plugins moved from src/plugins to src/platform/plugins/shared).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from k8sidx.show.savedobjects.search_source import Flavor

Kind: TypeAlias = Literal["text", "any text", "number", "flag", "list", "object"]
"""Kind of an attribute's value. ``any text``: an index takes a number for a text, too."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of a saved-object type with a strict schema.

    :param kinds: kinds of values by name, permitted from the first version on.
    :param later: further ones, by the version of the type that introduced them.
    :param required: attributes without which an object is refused.
    :param source: the schema.
    """

    kinds: Mapping[str, Kind]
    source: str
    later: Mapping[str, Mapping[str, Kind]]
    required: frozenset[str]

    def introduced(self, name: str) -> tuple[str, Kind] | None:
        """Return the version of the type that introduced an attribute, empty for the first, and
        the kind of its values."""
        for version, kinds in {"": self.kinds, **self.later}.items():
            if name in kinds:
                return version, kinds[name]
        return None


@dataclass(frozen=True, slots=True)
class FieldFormat:
    """A format of values in an index pattern.

    :param parameters: names; others are ignored.
    :param values: the permitted values of some of them. With another one, every page that shows
        the field fails.
    :param source: the format's class.
    """

    parameters: frozenset[str]
    source: str
    values: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Product:
    """A product, and what it accepts.

    :param types: types of objects, each with the highest known version; ``None`` for types
        without versions.
    :param attributes: of types with a strict schema.
    :param sort: path of a table's order in ``uiStateJSON``, and the key of the column's number.
    :param new_ids: whether an import may give objects other ids.
    """

    name: str
    types: Mapping[str, str | None]
    attributes: Mapping[str, Attributes]
    formats: Mapping[str, FieldFormat]
    sort: tuple[tuple[str, ...], str]
    new_ids: bool


_NUMBERS = frozenset({"hits", "version", "rowHeight", "rowsPerPage", "sampleSize",
                      "headerRowHeight", "value",
                      "section"})  # fmt: skip
_FLAGS = frozenset({"timeRestore", "hideChart", "hideTable", "isTextBasedQuery", "pause",
                    "usesAdHocDataView", "hideAggregatedPreview",
                    "showApplySelections"})  # fmt: skip
_OBJECTS = frozenset({"kibanaSavedObjectMeta", "refreshInterval", "controlGroupInput", "grid",
                      "timeRange", "visContext"})  # fmt: skip
_LISTS = frozenset({"columns", "sort", "tabs", "sections"})


def _kinds(names: str, *, indexed: bool) -> dict[str, Kind]:
    """Return the kinds of the values of attributes, which have one meaning in all types.

    :param indexed: whether an index's mapping checks them, rather than a schema.
    """
    kinds: dict[str, Kind] = {}
    for name in names.split():
        if name in _NUMBERS:
            kinds[name] = "number"
        elif name in _FLAGS:
            kinds[name] = "flag"
        elif name in _OBJECTS:
            kinds[name] = "object"
        elif name in _LISTS:
            kinds[name] = "list"
        else:
            kinds[name] = "any text" if indexed else "text"
    return kinds


def _attributes(
    source: str, names: str, *, required: str = "", indexed: bool = False, **later: str
) -> Attributes:
    versions = {
        version.removeprefix("v").replace("_", "."): _kinds(more, indexed=indexed)
        for version, more in later.items()
    }
    return Attributes(_kinds(names, indexed=indexed), source, versions, frozenset(required.split()))


def _format(source: str, parameters: str = "", **values: str) -> FieldFormat:
    permitted = {name: frozenset(text.split()) for name, text in values.items()}
    return FieldFormat(frozenset(parameters.split()), source, permitted)


_UNITS = "Milliseconds Seconds Minutes Hours Days Weeks Months Years"
_INPUTS = f"picoseconds nanoseconds microseconds {_UNITS.lower()}"
_OUTPUTS = "humanize " + " ".join(f"as{unit}" for unit in _UNITS.split())


def _formats(folder: str, more: Mapping[str, FieldFormat]) -> dict[str, FieldFormat]:
    """Return the formats that both products have, with those of one."""
    numeral = {
        name: _format(f"{folder}/{name}.ts", "pattern") for name in ("bytes", "number", "percent")
    }
    return {
        **numeral,
        "boolean": _format(f"{folder}/boolean.ts"),
        "color": _format(f"{folder}/color.ts", "fieldType colors"),
        "date": _format(f"{folder}/../../../public/field_formats/converters/date.ts",
                        "pattern timezone"),
        "date_nanos": _format(f"{folder}/date_nanos_shared.ts",
                              "pattern fallbackPattern timezone"),
        "duration": _format(f"{folder}/duration.ts",
                            "inputFormat outputFormat outputPrecision showSuffix",
                            inputFormat=_INPUTS, outputFormat=_OUTPUTS),
        "ip": _format(f"{folder}/ip.ts"),
        "relative_date": _format(f"{folder}/relative_date.ts"),
        "static_lookup": _format(f"{folder}/static_lookup.ts", "lookupEntries unknownKeyValue"),
        "string": _format(f"{folder}/string.ts", "transform",
                          transform="lower upper title short base64 urlparam"),
        "truncate": _format(f"{folder}/truncate.ts", "fieldLength"),
        "url": _format(f"{folder}/url.ts",
                       "type urlTemplate labelTemplate width height openLinkInCurrentTab",
                       type="a img audio"),
        "_source": _format(f"{folder}/source.ts"),
        **more,
    }  # fmt: skip


_OSD_FORMATS = "src/plugins/data/common/field_formats/converters"
_KIBANA_FORMATS = "src/plugins/field_formats/common/converters"
_OF_KIBANA = {
    "currency": _format(f"{_KIBANA_FORMATS}/currency.ts", "pattern"),
    "duration": _format(
        f"{_KIBANA_FORMATS}/duration.ts",
        "inputFormat outputFormat outputPrecision showSuffix useShortSuffix includeSpaceWithSuffix",
        inputFormat=_INPUTS,
        outputFormat=f"{_OUTPUTS} humanizePrecise",
    ),
    "geo_point": _format(f"{_KIBANA_FORMATS}/geo_point.ts", "transform"),
    "histogram": _format(f"{_KIBANA_FORMATS}/histogram.ts", "id params"),
}

_DASHBOARD = (
    "title description hits panelsJSON optionsJSON version timeRestore timeFrom timeTo "
    "refreshInterval kibanaSavedObjectMeta"
)
_VISUALIZATION = (
    "title description visState uiStateJSON version savedSearchRefName kibanaSavedObjectMeta"
)
_SEARCH = "title description hits columns sort version kibanaSavedObjectMeta"

OPENSEARCH_DASHBOARDS = Product(
    "OpenSearch Dashboards",
    # What each version of 2.19.4 writes back after an import.
    {
        "config": "7.9.0",
        "dashboard": "7.9.3",
        "index-pattern": "7.6.0",
        "search": "7.9.3",
        "visualization": "7.10.0",
        "query": None,
        "url": None,
        "augment-vis": None,
        "visualization-visbuilder": None,
    },
    # The index of saved objects has a strict mapping. A later version may have more attributes
    # (columnWidths of a search in 3.x); 2.x refuses them.
    {
        "dashboard": _attributes(
            "src/plugins/dashboard/server/saved_objects/dashboard.ts", _DASHBOARD, indexed=True
        ),
        "visualization": _attributes(
            "src/plugins/visualizations/server/saved_objects/visualization.ts",
            _VISUALIZATION,
            indexed=True,
        ),
        "search": _attributes(
            "src/plugins/discover/server/saved_objects/search.ts", _SEARCH, indexed=True
        ),
    },
    _formats(_OSD_FORMATS, {}),
    # src/plugins/vis_type_table/public/utils/get_table_ui_state.ts
    (("vis", "sortColumn"), "colIndex"),
    # namespaceType: 'single' in the files above: an import keeps the ids.
    new_ids=False,
)

_KIBANA_ATTRIBUTES = {
    # unknowns: 'forbid' in schema/v1/v1.ts; later versions ignore what they do not know.
    "dashboard": _attributes(
        "src/plugins/dashboard/server/dashboard_saved_object/schema/v1/v1.ts",
        f"{_DASHBOARD} controlGroupInput",
        required="title kibanaSavedObjectMeta",
        v10_3_0="sections",
        v10_4_0="projectRouting",
    ),
    "visualization": _attributes(
        "src/plugins/visualizations/server/saved_objects/visualization.ts",
        _VISUALIZATION,
        required="title",
    ),
    "search": _attributes(
        "src/plugins/saved_search/server/saved_objects/schema.ts",
        f"{_SEARCH} grid rowHeight rowsPerPage hideChart breakdownField isTextBasedQuery "
        "usesAdHocDataView timeRestore timeRange refreshInterval viewMode hideAggregatedPreview",
        required="title kibanaSavedObjectMeta",
        v10_1_0="sampleSize",
        v10_2_0="headerRowHeight",
        v10_3_0="visContext",
        v10_5_0="density",
        v10_6_0="tabs",
        # src/platform/plugins/shared/saved_search/server/saved_objects/schema_legacy.ts
        v10_8_0="controlGroupJson",
        v10_11_0="chartInterval",
        v10_12_0="hideTable",
    ),
}
CONTROL_GROUP = _attributes(
    "src/plugins/dashboard/server/dashboard_saved_object/schema/v1/v1.ts",
    "panelsJSON controlStyle chainingSystem ignoreParentSettingsJSON",
    v10_2_0="showApplySelections",
)
"""Members of ``controlGroupInput`` of Kibana's dashboards."""
MEMBERS = {
    "kibanaSavedObjectMeta": _attributes(
        "src/plugins/dashboard/server/dashboard_saved_object/schema/v1/v1.ts", "searchSourceJSON"
    ),
    "refreshInterval": _attributes(
        "src/plugins/dashboard/server/dashboard_saved_object/schema/v1/v1.ts",
        "pause value display section",
        required="pause value",
    ),
    "controlGroupInput": CONTROL_GROUP,
}
"""Members of the objects among the attributes, in both products."""

# src/plugins/vis_types/table/public/utils/use/use_ui_state.ts
_KIBANA_SORT = (("vis", "params", "sort"), "columnIndex")

KIBANA_8 = Product(
    "Kibana 8",
    {
        "config": None,
        "dashboard": "8.9.0",
        "index-pattern": "8.0.0",
        "search": "8.8.0",
        "visualization": "8.5.0",
        "lens": "8.9.0",
        "map": None,
        "tag": None,
        "links": None,
        "query": None,
        "url": None,
    },
    _KIBANA_ATTRIBUTES,
    _formats(_KIBANA_FORMATS, _OF_KIBANA),
    _KIBANA_SORT,
    # namespaceType: 'multiple-isolated' in src/plugins/dashboard/server/dashboard_saved_object/
    # dashboard_saved_object.ts: an id that another space has is replaced.
    new_ids=True,
)
KIBANA = Product(
    "Kibana",
    {**KIBANA_8.types, "dashboard": "10.4.0", "search": "10.12.0"},
    _KIBANA_ATTRIBUTES,
    KIBANA_8.formats,
    _KIBANA_SORT,
    new_ids=True,
)

PRODUCTS: dict[Flavor, Product] = {
    "opensearch": OPENSEARCH_DASHBOARDS,
    "kibana-8": KIBANA_8,
    "kibana": KIBANA,
}
"""The product of each flavor; Lens panels are for Kibana 8.12 and newer."""
