"""Dashboards as saved objects of Kibana 8.12 and 9: Lens panels, and the dashboard's own controls.

``typeMigrationVersion`` and ``coreMigrationVersion`` are the versions from which Kibana
migrates them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from k8sidx.show.panels.panel import Dashboard, Events, Note, Panel
from k8sidx.show.savedobjects.columns import stream_columns, stream_widths
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.index_fields import TIME
from k8sidx.show.savedobjects.layout import NOTE_HEIGHT, Rectangle, note_position, positions
from k8sidx.show.savedobjects.lens import LAYER, lens_state, lens_type
from k8sidx.show.savedobjects.links import links
from k8sidx.show.savedobjects.pattern import PATTERN, pattern_attributes, patterns_of
from k8sidx.show.savedobjects.search_source import (
    SOURCE,
    JsonObject,
    empty_query,
    filters_of,
    json_text,
    pattern_reference,
    source_of,
    switches,
)

CORE = "8.8.0"
MIGRATION = {"dashboard": "8.9.0", "index-pattern": "8.0.0", "search": "8.0.0"}
"""Versions of Kibana's types whose form these objects have."""


def lens_objects(
    dashboard: Dashboard, every: Sequence[Dashboard], names: Names
) -> list[JsonObject]:
    """Return all objects of a dashboard's file, the data view first."""
    builder = _Objects(dashboard, names)
    for findings in patterns_of(dashboard):
        builder.add(
            PATTERN,
            names.pattern_id(findings=findings),
            pattern_attributes(names, "kibana", findings=findings),
            [],
        )
    builder.note("note", "", links(every, dashboard, names, "kibana"), note_position())
    for item, rectangle in positions(dashboard, NOTE_HEIGHT):
        match item:
            case Events():
                builder.search(item, rectangle)
            case Note():
                builder.note(item.id, item.title, item.markdown, rectangle)
            case _:
                builder.panel(item, rectangle)
    builder.dashboard()
    return builder.objects


class _Objects:
    """Builder of the objects of one dashboard."""

    def __init__(self, dashboard: Dashboard, names: Names) -> None:
        self.of = dashboard
        self.names = names
        self.objects: list[JsonObject] = []
        self.panels: list[JsonObject] = []
        self.references: list[JsonObject] = []

    def note(self, identifier: str, title: str, markdown: str, rectangle: Rectangle) -> None:
        parameters = {"fontSize": 12, "openLinksInNewTab": False, "markdown": markdown}
        search = {"query": empty_query(), "filter": []}
        saved = {
            "type": "markdown",
            "id": "",
            "title": "",
            "description": "",
            "params": parameters,
            "uiState": {},
            "data": {"aggs": [], "searchSource": search},
        }
        titled = {"title": title} if title else {"hidePanelTitles": True}
        configuration = {**titled, "savedVis": saved, **_actions([])}
        self._place("visualization", identifier, rectangle, configuration)

    def panel(self, panel: Panel, rectangle: Rectangle) -> None:
        findings = self.of.about_findings(panel)
        reference = pattern_reference(
            self.names, f"indexpattern-datasource-layer-{LAYER}", findings=findings
        )
        fields = self.names.fields_of(findings=findings)
        filters = filters_of(panel.query.where, "", fields)
        for panel_filter in filters:
            del panel_filter["meta"]["indexRefName"]
        attributes = {
            "title": panel.title,
            "description": panel.answers,
            "visualizationType": lens_type(panel),
            "type": "lens",
            "references": [reference],
            "state": lens_state(panel, filters, fields),
        }
        drilled = [] if findings else [_to_discover(panel)]
        configuration = {
            "attributes": attributes,
            "title": panel.title,
            "description": panel.answers,
            **_actions(drilled),
        }
        index = self._place("lens", panel.id, rectangle, configuration)
        self.references.append({**reference, "name": f"{index}:{reference['name']}"})

    def search(self, events: Events, rectangle: Rectangle) -> None:
        source, references = source_of(events.query.where, self.names, findings=self.of.findings)
        fields = self.names.fields_of(findings=self.of.findings)
        names = [name for name in events.query.select if name != TIME]
        kinds = {fields.column(name): fields.column_kind(name) for name in names}
        widths = stream_widths(stream_columns(list(kinds), kinds))
        obj = self.add(
            "search",
            self.names.panel(events.id),
            {
                "title": self.names.title(events.title),
                "description": events.answers,
                "columns": list(kinds),
                "sort": [[fields.path(TIME), "desc"]],
                "grid": {"columns": {f: {"width": width} for f, width in widths.items()}},
                "hideChart": False,
                "isTextBasedQuery": False,
                "kibanaSavedObjectMeta": {"searchSourceJSON": json_text(source)},
            },
            references,
        )
        configuration = {"title": events.title, **_actions([])}
        index = self._place("search", events.id, rectangle, configuration)
        self.panels[-1]["panelRefName"] = f"panel_{index}"
        self.references.append(
            {"name": f"{index}:panel_{index}", "type": "search", "id": obj["id"]}
        )

    def dashboard(self) -> None:
        filter_reference = f"{SOURCE}.filter[0].meta.index"
        filters = switches(self.of, filter_reference, self.names.fields)
        if filters:
            self.references.append(self._reference(filter_reference))
        options = {
            "useMargins": True,
            "syncColors": True,
            "syncCursor": True,
            "syncTooltips": False,
            "hidePanelTitles": False,
        }
        source = {"query": empty_query(), "filter": filters}
        self.add(
            "dashboard",
            self.names.dashboard(self.of.id),
            {
                "title": self.names.title(self.of.title),
                "description": self.of.about,
                "panelsJSON": json_text(self.panels),
                "optionsJSON": json_text(options),
                **({"controlGroupInput": self._controls()} if self.of.controls else {}),
                "timeRestore": False,
                "version": 1,
                "kibanaSavedObjectMeta": {"searchSourceJSON": json_text(source)},
            },
            self.references,
        )

    def add(
        self, kind: str, identifier: str, attributes: JsonObject, references: list[JsonObject]
    ) -> JsonObject:
        obj = {
            "id": identifier,
            "type": kind,
            "attributes": attributes,
            "references": references,
            "coreMigrationVersion": CORE,
            "typeMigrationVersion": MIGRATION[kind],
            "managed": False,
        }
        self.objects.append(obj)
        return obj

    def _place(
        self, kind: str, identifier: str, rectangle: Rectangle, configuration: JsonObject
    ) -> str:
        index = _stable(self.of.id, identifier)
        self.panels.append(
            {
                "type": kind,
                "panelIndex": index,
                "gridData": rectangle.grid(index),
                "embeddableConfig": configuration,
            }
        )
        return index

    def _controls(self) -> JsonObject:
        fields = self.names.fields_of(findings=self.of.findings)
        listed: JsonObject = {}
        for order, control in enumerate(self.of.controls):
            index = _stable(self.of.id, "control", control.field)
            listed[index] = {
                "grow": True,
                "order": order,
                "width": "small",
                "type": "optionsListControl",
                "explicitInput": {
                    "id": index,
                    "dataViewId": self.names.pattern_id(findings=self.of.findings),
                    "fieldName": fields.path(control.field),
                    "title": control.label,
                    "searchTechnique": "prefix",
                    "selectedOptions": [],
                    "sort": {"by": "_count", "direction": "desc"},
                },
            }
            self.references.append(self._reference(f"controlGroup_{index}:optionsListDataView"))
        ignored = {
            "ignoreFilters": False,
            "ignoreQuery": False,
            "ignoreTimerange": False,
            "ignoreValidations": False,
        }
        return {
            "chainingSystem": "HIERARCHICAL",
            "controlStyle": "oneLine",
            "ignoreParentSettingsJSON": json_text(ignored),
            "panelsJSON": json_text(listed),
        }

    def _reference(self, name: str) -> JsonObject:
        return pattern_reference(self.names, name, findings=self.of.findings)


def _actions(events: list[JsonObject]) -> JsonObject:
    return {"enhancements": {"dynamicActions": {"events": events}}}


def _to_discover(panel: Panel) -> JsonObject:
    """Return the action that opens the events behind a clicked value."""
    return {
        "eventId": _stable(panel.id, "discover"),
        "triggers": ["FILTER_TRIGGER"],
        "action": {
            "factoryId": "OPEN_IN_DISCOVER_DRILLDOWN",
            "name": "Show these events in Discover",
            "config": {"openInNewTab": False},
        },
    }


def _stable(*parts: str) -> str:
    """Return an id in the form of a UUID, the same for the same parts."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
