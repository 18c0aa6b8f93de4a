"""Given the demo's log, every panel shows something, and all 48 questions have a panel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate.dashboards import with_current_tables
from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.table import Kind
from k8sidx.query.algebra import Terms
from k8sidx.shipping.pipeline import ShipOptions, ship
from k8sidx.show.panels.goals import BY_CONTROLS, GOALS
from k8sidx.show.panels.library import dashboards
from k8sidx.show.panels.overview import EVENTS
from k8sidx.show.panels.panel import WIDTH, Dashboard, Events, Note, Panel
from tests.demo import DEMO

MAY_BE_ZERO = {"truncated-total", "ingress-without-tls"}
"""What a healthy log has none of."""
PANELS = [
    panel
    for dashboard in dashboards()
    for panel in dashboard.panels
    if not isinstance(panel, Note) and not dashboard.about_findings(panel)
]
"""Those that query events."""
EVERY = [
    panel for dashboard in dashboards() for panel in dashboard.panels if not isinstance(panel, Note)
]
FILTERED = [dashboard for dashboard in dashboards() if dashboard.controls]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    store = EmbeddedStore(tmp_path_factory.mktemp("panels") / "store")
    ship([str(DEMO)], store, ShipOptions(cluster="demo", processes=1))
    with store.engine() as opened:
        yield opened


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
def test_a_panel_shows_something_of_the_demo(panel: Panel | Events, engine: DuckDBEngine) -> None:
    rows = engine.run(panel.query).rows
    assert rows
    if isinstance(panel, Panel) and panel.drawn == "number" and panel.id not in MAY_BE_ZERO:
        assert rows[0][0]


def test_every_question_of_the_goal_table_has_a_panel() -> None:
    answered = {goal for panel in EVERY for goal in panel.goals} | {BY_CONTROLS}
    assert answered == set(GOALS)


def test_the_page_of_dashboards_is_current() -> None:
    page = (Path(__file__).parents[3] / "docs" / "dashboards.md").read_text("utf-8")
    assert page == with_current_tables(page), "run: make generated"


def test_ids_are_unique_and_fit_for_saved_objects() -> None:
    ids = [panel.id for panel in EVERY]
    ids = [one for one in ids if one != "events"]
    assert len(ids) == len(set(ids))
    assert not any("_" in one for one in ids)


@pytest.mark.parametrize("dashboard", FILTERED, ids=lambda dashboard: dashboard.id)
def test_every_dashboard_leads_on_to_the_events_and_can_be_filtered(dashboard: Dashboard) -> None:
    assert isinstance(dashboard.panels[-1], Events)
    assert {"user.effective.name", "orchestrator.cluster.name"} <= {
        control.field for control in dashboard.controls
    }


@pytest.mark.parametrize("panel", EVERY, ids=lambda panel: panel.id)
def test_only_text_has_rows_for_what_is_missing(panel: Panel | Events) -> None:
    """Dashboards cannot show them for other fields; in the article's tables they never miss."""
    for key in panel.query.group_by:
        if isinstance(key, Terms) and key.keep_missing and not getattr(panel, "hunt", ""):
            assert resolve(key.field).field.kind is Kind.KEYWORD


@pytest.mark.parametrize("panel", EVERY, ids=lambda panel: panel.id)
def test_a_panel_says_what_it_answers(panel: Panel | Events) -> None:
    assert panel.title
    assert panel.answers
    if isinstance(panel, Panel) and panel.drawn == "table":
        assert panel.query.order, "a table shows the most important rows first"


@pytest.mark.parametrize("dashboard", dashboards(), ids=lambda dashboard: dashboard.id)
def test_a_row_fills_the_grid(dashboard: Dashboard) -> None:
    for row in dashboard.rows:
        assert not row.widths or (sum(row.widths), len(row.widths)) == (WIDTH, len(row.panels))


def test_the_first_screen_shows_what_matters_most() -> None:
    overview, findings = (
        [panel.title for row in dashboard.rows[:3] for panel in row.panels]
        for dashboard in (dashboards()[0], next(d for d in dashboards() if d.findings))
    )
    assert overview[:2] == ["Denied", "Failed"]
    assert {"Findings over time by level", "Denied, who and what"} <= set(overview)
    assert findings[:2] == ["Critical", "High"]
    assert findings[4] == "High and critical findings"


def test_the_event_stream_begins_with_the_sentence() -> None:
    assert EVENTS.query.select[:2] == ("@timestamp", "message")
