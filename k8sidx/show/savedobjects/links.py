"""Links between dashboards.

OpenSearch Dashboards keeps the ids of a file, in every tenant. Kibana gives an object a new id when
another space has its id already, and links by id are dead there. Its list of dashboards, however,
opens the only one that has a title
(src/plugins/dashboard/public/dashboard_app/listing_page/dashboard_listing_page.tsx).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from k8sidx.show.panels.panel import Dashboard
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.search_source import Flavor


def address(identifier: str, title: str, names: Names, flavor: Flavor) -> str:
    """Return the address of a dashboard within the dashboards application."""
    if flavor == "opensearch":
        return f"#/view/{names.dashboard(identifier)}"
    return f"#/list?title={quote(names.title(title), safe='')}"


def links(dashboards: Sequence[Dashboard], here: Dashboard, names: Names, flavor: Flavor) -> str:
    """Return the purpose of a dashboard and the links to the others, as Markdown."""
    others = " · ".join(
        f"**{_short(other)}**"
        if other is here
        else f"[{_short(other)}]({address(other.id, other.title, names, flavor)})"
        for other in dashboards
    )
    return f"{others}\n\n{here.about}"


def _short(dashboard: Dashboard) -> str:
    name = dashboard.title.partition(": ")[2] or dashboard.title
    return name[0].upper() + name[1:]
