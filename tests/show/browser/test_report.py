"""Given a log, its report opens in a real browser: it renders, sorts and filters, and nothing
in it runs because of what the log says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.building import event
from tests.cli.conftest import k8sidx
from tests.show.browser.conftest import Open
from tests.stores import stored

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = '"><img src=x onerror="document.title=\'owned\'">'
END = "</script><script>document.title='owned'</script><!--"
CONTROL = "evil\x1b[2J\u202e"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report over requests whose every text is hostile."""
    folder = tmp_path_factory.mktemp("report")
    events = [
        event(user=f"user-{number}", name=f"pod-{number}", seconds=number * 40, agent=agent)
        for number, agent in enumerate([SCRIPT, IMAGE, END, CONTROL, *["curl/8.0"] * 9])
    ]
    events += [
        event("list", "secrets", user=SCRIPT, namespace=END, seconds=5 * at, code=403)
        for at in range(60)
    ]
    events += [event("get", "pods", user=END, subresource="exec", name=IMAGE, code=101, seconds=9)]
    store = stored(folder / "store", events)
    path = folder / "report.html"
    result = k8sidx("report", "--store", store.path, "-o", path)
    assert result.exit_code == 0, result.stderr
    return path


def problems(page: Any) -> list[str]:
    """What the browser complained of: script errors, refused requests, the page's policy."""
    return [entry["message"] for entry in page.get_log("browser")]


def test_it_renders_without_a_complaint(report: Path, opened: Open) -> None:
    page = opened(report)
    assert page.title == "Kubernetes audit log hunt report"
    assert problems(page) == []
    charts = page.find_elements(By.CSS_SELECTOR, "figure.chart canvas")
    assert charts
    drawn = (
        "return arguments[0].getContext('2d').getImageData(0,0,arguments[0].width,"
        "arguments[0].height).data.some((one) => one > 0)"
    )
    assert all(page.execute_script(drawn, chart) for chart in charts)


def test_hostile_text_stays_text(report: Path, opened: Open) -> None:
    page = opened(report)
    assert page.title != "owned"
    assert page.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed, form, link") == []
    shown = page.find_element(By.TAG_NAME, "main").get_attribute("textContent")
    for text in (SCRIPT, IMAGE, END):
        assert text in shown
    assert "\\x1b[2J\\u202e" in shown
    assert len(page.find_elements(By.CSS_SELECTOR, "body > script")) == 2


def test_the_policy_lets_no_other_script_run(report: Path, opened: Open) -> None:
    page = opened(report)
    page.execute_cdp_cmd(
        "Runtime.evaluate",
        {"expression": "document.body.insertAdjacentHTML('beforeend', "
                       "'<img src=x onerror=\"document.title=1\">')"},
    )  # fmt: skip
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'document.title=2';"
        "document.body.append(s)"
    )
    assert page.title == "Kubernetes audit log hunt report"
    assert any("Content Security Policy" in one for one in problems(page))


def column(table: Any, at: int) -> list[str]:
    cells = table.find_elements(By.CSS_SELECTOR, f"tbody tr:not([hidden]) td:nth-child({at})")
    return [cell.get_attribute("textContent") for cell in cells]


def agents(page: Any) -> Any:
    """The article's first table, in the section of its hunt."""
    heading = page.find_element(By.ID, "topn_user_agent")
    return heading.find_element(By.XPATH, "following::table[1]")


def test_a_table_is_sorted_by_its_headings(report: Path, opened: Open) -> None:
    page = opened(report)
    table = agents(page)
    counts = len(table.find_elements(By.CSS_SELECTOR, "thead th"))
    button = table.find_element(By.CSS_SELECTOR, f"thead th:nth-child({counts}) button")
    button.send_keys(Keys.ENTER)  # from the keyboard
    rising = [int(one.replace(",", "")) for one in column(table, counts)]
    assert rising == sorted(rising)
    assert len(set(rising)) > 1
    heading = table.find_element(By.CSS_SELECTOR, f"thead th:nth-child({counts})")
    assert heading.get_attribute("aria-sort") == "ascending"
    button.click()
    assert [int(one.replace(",", "")) for one in column(table, counts)] == rising[::-1]
    assert heading.get_attribute("aria-sort") == "descending"


def test_a_table_is_filtered_in_place(report: Path, opened: Open) -> None:
    page = opened(report)
    field = page.find_element(By.CSS_SELECTOR, "label.filter input")
    table = field.find_element(By.XPATH, "following::table[1]")
    page.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    before = len(column(table, 1))
    field.send_keys("no such text anywhere")
    assert column(table, 1) == []
    field.clear()
    field.send_keys(Keys.SPACE, Keys.BACKSPACE)
    assert len(column(table, 1)) == before


def test_it_reads_well_on_a_telephone_and_in_the_dark(report: Path, opened: Open) -> None:
    page = opened(report, width=400, dark=True)
    assert problems(page) == []
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(wider) <= 0, "the page itself does not scroll sideways"
    background = "return getComputedStyle(document.documentElement).colorScheme"
    assert "dark" in page.execute_script(background)


def test_a_screen_reader_finds_its_way(report: Path, opened: Open) -> None:
    page = opened(report)
    assert page.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert len(page.find_elements(By.TAG_NAME, "h1")) == 1
    for landmark in ("header", "nav[aria-label]", "main", "footer"):
        assert page.find_elements(By.CSS_SELECTOR, landmark), landmark
    for canvas in page.find_elements(By.CSS_SELECTOR, "canvas"):
        assert canvas.get_attribute("role") == "img"
        assert canvas.get_attribute("aria-label")
    assert page.find_elements(By.CSS_SELECTOR, "th:not([scope])") == []
    links = page.find_elements(By.CSS_SELECTOR, "a[href^='#']")
    targets = {link.get_attribute("href").partition("#")[2] for link in links}
    assert all(page.find_elements(By.ID, target) for target in targets), targets
