"""Pictures of the demo's report and of the dashboards for the documentation: ``make pictures``.

The dashboards are drawn by ``docs/draw_dashboards.py``. The demo's steps run in a temporary folder;
headless Chromium takes the screenshots.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.draw_dashboards import write_pages

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WINDOW = ["--since", "2026-11-23T21:00:00Z", "--baseline", "30m"]

_EVENT = (
    "document.querySelector('#story-1 details.evidence').open = true;"
    "document.querySelector('#story-1').scrollIntoView();"
    "document.querySelector('#story-1 button.event').click()"
)
SHOTS: tuple[tuple[str, int, int, str, bool], ...] = (
    ("report-1280", 1280, 1100, "", False),
    ("report-event-1280", 1280, 900, _EVENT, False),
    ("report-400", 400, 1100, "", False),
    ("report-timeline", 1280, 900, "document.getElementById('timeline').scrollIntoView()", False),
    ("report-attack-dark", 1280, 900, "document.getElementById('attack').scrollIntoView()", True),
)
"""Name, width and height in CSS pixels, script that shows a part, dark theme."""


DASHBOARD = (1280, 1420, 0.75)
"""Width and height of a dashboard's picture in CSS pixels, and its scale."""
DARK = "dashboard-denied"
"""The dashboard that is shown in the dark theme."""


def k8sidx(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "k8sidx", *arguments], check=True, stdout=subprocess.DEVNULL
    )


def report(folder: Path) -> Path:
    """Create the demo's report in a folder and return its path."""
    store, page = str(folder / "store"), folder / "report.html"
    k8sidx("ship", str(ROOT / "demo" / "audit.ndjson.zst"), "--store", store, "--cluster", "demo")
    # Its findings are those of the dashboard.
    k8sidx("hunt", "--all", "--store", store, *WINDOW, "--save", "-q", "-o", "json")
    k8sidx("report", "--store", store, *WINDOW, "-o", str(page))
    return page


def browser() -> Any:
    """Start headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    from tests.show.browser.conftest import BROWSERS, DRIVERS, FLAGS, found

    options = webdriver.ChromeOptions()
    options.binary_location = found(BROWSERS) or ""
    for flag in FLAGS:
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(found(DRIVERS)))


def open_page(chromium: Any, page: Path, size: tuple[int, int, float], *, dark: bool) -> None:
    """Open a page at a size, light or dark."""
    width, height, scale = size
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    chromium.get(page.as_uri())


def draw_report(chromium: Any, page: Path) -> None:
    """Take the pictures of a report."""
    for name, width, height, script, dark in SHOTS:
        open_page(chromium, page, (width, height, 1), dark=dark)
        if script:
            chromium.execute_script(script)
        chromium.save_screenshot(str(PICTURES / f"{name}.png"))


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    chromium = browser()
    with tempfile.TemporaryDirectory() as folder:
        page = report(Path(folder))
        for drawn in write_pages(Path(folder) / "store", Path(folder)):
            open_page(chromium, drawn, DASHBOARD, dark=drawn.stem == DARK)
            chromium.save_screenshot(str(PICTURES / f"{drawn.stem}.png"))
        draw_report(chromium, page)
    chromium.quit()


if __name__ == "__main__":
    main()
