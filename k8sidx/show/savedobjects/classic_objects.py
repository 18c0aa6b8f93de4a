"""Dashboards as classic saved objects, in the format of version 7.10.

OpenSearch Dashboards 2 and 3 accept nothing newer (a higher ``migrationVersion`` than these
is refused, a missing one runs every migration); Kibana 8 migrates it to its own format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from k8sidx.show.panels.panel import Control, Dashboard, Events, Item, Note, Panel
from k8sidx.show.savedobjects.classic import interface_state, visualization_state
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.index_fields import TIME
from k8sidx.show.savedobjects.layout import (
    CONTROLS_HEIGHT,
    NOTE_HEIGHT,
    Rectangle,
    controls_position,
    note_position,
    positions,
)
from k8sidx.show.savedobjects.links import links
from k8sidx.show.savedobjects.pattern import PATTERN, pattern_attributes, patterns_of
from k8sidx.show.savedobjects.search_source import (
    SOURCE,
    Flavor,
    JsonObject,
    empty_query,
    json_text,
    pattern_reference,
    source_of,
    switches,
)

MIGRATION = {
    "dashboard": "7.9.3",
    "index-pattern": "7.6.0",
    "search": "7.9.3",
    "visualization": "7.10.0",
}
"""Highest version of each type of object that OpenSearch Dashboards accepts."""
_LISTED = 100


def classic_objects(
    dashboard: Dashboard, every: Sequence[Dashboard], names: Names, flavor: Flavor
) -> list[JsonObject]:
    """Return all objects of a dashboard's file, the index pattern first."""
    builder = _Objects(dashboard, names, flavor)
    builder.patterns()
    about = builder.markdown(
        names.about(dashboard.id), dashboard.title, links(every, dashboard, names, flavor)
    )
    panels = [_Placed(about, "", note_position())]
    top = NOTE_HEIGHT
    if dashboard.controls:
        controls = builder.controls(dashboard.controls)
        panels.append(_Placed(controls, "Filter by", controls_position()))
        top += CONTROLS_HEIGHT
    for item, rectangle in positions(dashboard, top):
        panels.append(_Placed(builder.item(item), item.title, rectangle))
    builder.dashboard(panels)
    return builder.objects


class _Placed(NamedTuple):
    """An object on the dashboard; without a title none is shown."""

    obj: JsonObject
    title: str
    rectangle: Rectangle


class _Objects:
    """Builder of the objects of one dashboard."""

    def __init__(self, dashboard: Dashboard, names: Names, flavor: Flavor) -> None:
        self.of = dashboard
        self.names = names
        self.flavor = flavor
        self.objects: list[JsonObject] = []

    def patterns(self) -> None:
        for findings in patterns_of(self.of):
            self._add(
                PATTERN,
                self.names.pattern_id(findings=findings),
                pattern_attributes(self.names, self.flavor, findings=findings),
                [],
            )

    def item(self, item: Item) -> JsonObject:
        match item:
            case Events():
                return self.search(item)
            case Note():
                return self.markdown(self.names.panel(item.id), item.title, item.markdown)
        return self.visualization(item)

    def visualization(self, panel: Panel) -> JsonObject:
        findings = self.of.about_findings(panel)
        fields = self.names.fields_of(findings=findings)
        state = visualization_state(panel, fields)
        if self.flavor == "kibana-8":
            for aggregation in state["aggs"]:
                if "useNormalizedOpenSearchInterval" in aggregation["params"]:
                    del aggregation["params"]["useNormalizedOpenSearchInterval"]
                    aggregation["params"]["useNormalizedEsInterval"] = True
        source, references = source_of(panel.query.where, self.names, findings=findings)
        return self._add(
            "visualization",
            self.names.panel(panel.id),
            {
                "title": self.names.title(panel.title),
                "description": panel.answers,
                "version": 1,
                "visState": json_text(state),
                "uiStateJSON": json_text(interface_state(panel, fields)),
                "kibanaSavedObjectMeta": {"searchSourceJSON": json_text(source)},
            },
            references,
        )

    def search(self, events: Events) -> JsonObject:
        source, references = source_of(events.query.where, self.names, findings=self.of.findings)
        fields = self.names.fields_of(findings=self.of.findings)
        columns = [fields.column(name) for name in events.query.select if name != TIME]
        return self._add(
            "search",
            self.names.panel(events.id),
            {
                "title": self.names.title(events.title),
                "description": events.answers,
                "columns": columns,
                "sort": [[fields.path(TIME), "desc"]],
                "hits": 0,
                "version": 1,
                "kibanaSavedObjectMeta": {"searchSourceJSON": json_text(source)},
            },
            references,
        )

    def controls(self, controls: Sequence[Control]) -> JsonObject:
        fields = self.names.fields_of(findings=self.of.findings)
        lists = [
            {
                "id": str(at),
                "fieldName": fields.path(control.field),
                "parent": "",
                "label": control.label,
                "type": "list",
                "options": {
                    "type": "terms",
                    "multiselect": True,
                    "dynamicOptions": True,
                    "size": _LISTED,
                    "order": "desc",
                },
                "indexPatternRefName": f"control_{at}_index_pattern",
            }
            for at, control in enumerate(controls)
        ]
        parameters = {
            "controls": lists,
            "updateFiltersOnChange": True,
            "useTimeFilter": True,
            "pinFilters": False,
        }
        references = [self._reference(f"control_{at}_index_pattern") for at in range(len(controls))]
        identifier = self.names.controls(self.of.id)
        return self._plain(identifier, "Filter by", "input_control_vis", parameters, references)

    def markdown(self, identifier: str, title: str, markdown: str) -> JsonObject:
        parameters = {"fontSize": 12, "markdown": markdown, "openLinksInNewTab": False}
        return self._plain(identifier, title, "markdown", parameters, [])

    def dashboard(self, panels: Sequence[_Placed]) -> None:
        filter_reference = f"{SOURCE}.filter[0].meta.index"
        filters = switches(self.of, filter_reference, self.names.fields)
        references = [self._reference(filter_reference)] if filters else []
        listed = []
        for at, placed in enumerate(panels):
            name, index = f"panel_{at}", str(at + 1)
            panel: JsonObject = {
                "version": "7.10.0" if self.flavor == "kibana-8" else "2.11.0",
                "gridData": placed.rectangle.grid(index),
                "panelIndex": index,
                "embeddableConfig": {} if placed.title else {"hidePanelTitles": True},
                "panelRefName": name,
            }
            if placed.title:
                # Its own title: that of the object names the indices, too.
                panel["title"] = placed.title
            listed.append(panel)
            obj = placed.obj
            references.append({"name": name, "type": obj["type"], "id": obj["id"]})
        source = {"query": empty_query(), "filter": filters}
        self._add(
            "dashboard",
            self.names.dashboard(self.of.id),
            {
                "title": self.names.title(self.of.title),
                "description": self.of.about,
                "hits": 0,
                "version": 1,
                "panelsJSON": json_text(listed),
                "optionsJSON": json_text({"hidePanelTitles": False, "useMargins": True}),
                "timeRestore": False,
                "kibanaSavedObjectMeta": {"searchSourceJSON": json_text(source)},
            },
            references,
        )

    def _plain(
        self,
        identifier: str,
        title: str,
        kind: str,
        parameters: JsonObject,
        references: list[JsonObject],
    ) -> JsonObject:
        """Add a visualization without a query of its own."""
        state = {"title": title, "type": kind, "aggs": [], "params": parameters}
        source = {"query": empty_query(), "filter": []}
        return self._add(
            "visualization",
            identifier,
            {
                "title": self.names.title(title),
                "description": "",
                "version": 1,
                "visState": json_text(state),
                "uiStateJSON": "{}",
                "kibanaSavedObjectMeta": {"searchSourceJSON": json_text(source)},
            },
            references,
        )

    def _reference(self, name: str) -> JsonObject:
        return pattern_reference(self.names, name, findings=self.of.findings)

    def _add(
        self, kind: str, identifier: str, attributes: JsonObject, references: list[JsonObject]
    ) -> JsonObject:
        obj = {
            "id": identifier,
            "type": kind,
            "attributes": attributes,
            "references": references,
            "migrationVersion": {kind: MIGRATION[kind]},
        }
        self.objects.append(obj)
        return obj
