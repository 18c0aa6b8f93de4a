"""Given a log, its report opens in a real browser: it renders, sorts and filters, and nothing
in it runs because of what the log says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from k8sidx.errors import UsageError
from k8sidx.hunt.level import LEVELS
from k8sidx.hunt.result import EventsJudged, Finding, HuntResult
from k8sidx.investigate.requests import Request, request_of
from k8sidx.show.panels.survey import Survey
from k8sidx.show.render.report import ReportData, ReportScope, report_of
from tests.building import START, event, row
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
    session: dict[str, Any] = {"subresource": "exec", "code": 101}
    events += [
        event("get", "pods", user=END, name=IMAGE, seconds=9, **session),
        event(
            "get",
            "pods",
            user="alice",
            name="dns",
            namespace="kube-system",
            seconds=200,
            agent=CONTROL,
            **session,
        ),
        event("get", "pods", user="bob", name="web", seconds=400, agent="curl/8.0", **session),
        event(
            "list", "secrets", user="carol", namespace="", requestURI="/api/v1/secrets", seconds=600
        ),
    ]
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
    assert len(page.find_elements(By.CSS_SELECTOR, "body > script:not([type])")) == 3


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
    page.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    field = page.find_element(By.CSS_SELECTOR, "label.filter input")
    table = field.find_element(By.XPATH, "following::table[1]")
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
    dead = page.execute_script(
        "return [...document.querySelectorAll('a[href^=\\'#\\']')]"
        ".map((link) => link.getAttribute('href').slice(1))"
        ".filter((target) => !document.getElementById(target))"
    )
    assert dead == []


def steps(page: Any) -> list[str]:
    """Ids of the steps that are shown, in open and folded stories."""
    shown = "[...document.querySelectorAll('li.step')].filter((one) => !one.closest('[hidden]'))"
    return list(page.execute_script(f"return {shown}.map((one) => one.id)"))


def choose(page: Any, name: str, value: str) -> None:
    """Set a filter as a user does: the page gets the event of its change."""
    field = page.find_element(By.CSS_SELECTOR, f"[data-filter='{name}']")
    page.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
        field,
        value,
    )


def test_the_worst_story_is_open_and_the_others_are_folded(report: Path, opened: Open) -> None:
    page = opened(report)
    stories = page.find_elements(By.CSS_SELECTOR, "article.story > details")
    assert [bool(one.get_attribute("open")) for one in stories[:3]] == [True, False, False]
    assert len(page.find_elements(By.CSS_SELECTOR, ".summary p")) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", "high"), ("actor", END), ("namespace", "shop"), ("tactic", "execution"),
        ("text", "CURL/8.0"), ("from", "2026-11-23T12:03:00"), ("to", "2026-11-23T12:03:00"),
    ],
)  # fmt: skip
def test_every_filter_leaves_some_steps_and_is_undone(
    report: Path, opened: Open, name: str, value: str
) -> None:
    page = opened(report)
    everything = steps(page)
    choose(page, name, value)
    left = steps(page)
    assert 0 < len(left) < len(everything)
    assert set(left) < set(everything)
    assert f"{len(left)} of {len(everything)} steps" in page.find_element(By.ID, "shown").text
    rows = "return [...document.querySelectorAll('tr[data-step]:not([hidden])')].length"
    assert page.execute_script(rows) == len(left), "the list in order of time follows"
    page.find_element(By.ID, "reset").send_keys(Keys.ENTER)
    assert steps(page) == everything


def test_a_step_leads_to_its_event_and_back_by_keyboard(report: Path, opened: Open) -> None:
    page = opened(report)
    page.switch_to.active_element.send_keys("/")
    assert page.switch_to.active_element.get_attribute("data-filter") == "text"
    choose(page, "actor", END)
    page.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    buttons = page.find_elements(By.CSS_SELECTOR, "button.event")
    button = next(one for one in buttons if one.is_displayed())
    button.send_keys(Keys.ENTER)
    panel = page.find_element(By.ID, "panel")
    assert page.switch_to.active_element == panel
    shown = page.find_element(By.ID, "panel-event").text
    assert '"verb": "get"' in shown
    assert '"subresource": "exec"' in shown
    assert "onerror" in shown, "hostile text is shown as text"
    assert panel.find_elements(By.TAG_NAME, "img") == []
    assert page.find_element(By.ID, "panel-command").text.startswith("k8sidx show '")
    panel.send_keys(Keys.ESCAPE)
    assert not panel.is_displayed()
    assert page.switch_to.active_element == button
    assert problems(page) == []


def test_invisible_characters_of_an_event_are_escapes(report: Path, opened: Open) -> None:
    page = opened(report)
    choose(page, "text", "\\u202e")
    page.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    buttons = page.find_elements(By.CSS_SELECTOR, "button.event")
    next(one for one in buttons if one.is_displayed()).send_keys(Keys.ENTER)
    shown = page.find_element(By.ID, "panel-event").get_attribute("textContent")
    assert "evil\\u001b[2J\\u202e" in shown
    assert "\u202e" not in shown


def test_a_link_into_a_folded_story_opens_it(report: Path, opened: Open) -> None:
    page = opened(report)
    last = steps(page)[-1]
    link = page.find_element(By.CSS_SELECTOR, f"tr a[href='#{last}']")
    page.execute_script("arguments[0].closest('details').open = true", link)
    link.send_keys(Keys.ENTER)
    assert page.find_element(By.ID, last).is_displayed()


def test_the_printed_page_has_no_controls(report: Path, opened: Open) -> None:
    page = opened(report)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        for selector in ("nav", "#filters", "#panel"):
            assert not page.find_element(By.CSS_SELECTOR, selector).is_displayed(), selector
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def large(findings: int) -> ReportData:
    """Findings of a thousand actors, each with its request and event."""
    made: list[Finding] = []
    requests: dict[str, list[Request]] = {}
    events: dict[str, list[dict[str, Any]]] = {}
    for number in range(findings):
        at, identifier = START + timedelta(seconds=number), f"id-{number}"
        body = event("get", "secrets", user=f"user-{number % 1000}", name=f"s-{number}")
        key = {"user.username": f"user-{number % 1000}", "objectRef.namespace": "shop"}
        level = LEVELS[1 + number % 4]
        made.append(
            Finding("secret_get", level, dict(key), 1, at, at, "read a secret", (identifier,))
        )
        requests[identifier] = [
            replace(request_of({"@timestamp": at, **row(body)}), audit_id=identifier)
        ]
        events[identifier] = [body]
    judged = EventsJudged(findings, first=START, last=START, clusters=(("prod", findings),))
    result = HuntResult("secret_get", "t", "high", "duckdb", True, (), [], made, judged=judged)
    scope = ReportScope("s", findings, START, START, None, None, "k8sidx report", START)
    seen = Survey((), (), (), 0, 0)
    return ReportData(scope, [], [result], seen, requests, events)


def seconds_used(page: Any) -> float:
    metrics = page.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def test_a_page_with_5000_findings_opens_within_two_seconds(tmp_path: Path, opened: Open) -> None:
    made = report_of(large(5_000))
    assert made.events_left == 0
    path = tmp_path / "large.html"
    path.write_text(made.html, "utf-8")
    (tmp_path / "empty.html").write_text("<!doctype html>", "utf-8")
    page = opened(tmp_path / "empty.html")
    # The processor's time of the page, which other programs on the machine do not change.
    page.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    before = seconds_used(page)
    opened(path)
    assert seconds_used(page) - before < 2.0
    assert len(steps(page)) == 5_000
    choose(page, "text", "user-77 ")
    assert len(steps(page)) < 5_000
    assert problems(page) == []


def test_a_small_page_says_what_it_leaves_out(tmp_path: Path, opened: Open) -> None:
    made = report_of(large(1_000), max_size=1_300_000)
    assert len(made.html.encode()) <= 1_300_000
    assert 0 < made.events_left < 1_000
    path = tmp_path / "small.html"
    path.write_text(made.html, "utf-8")
    page = opened(path)
    page.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    page.execute_script("document.querySelector('button.event[data-event=id-999]').click()")
    assert "not in the page" in page.find_element(By.ID, "panel-event").text
    with pytest.raises(UsageError, match="larger --max-size"):
        report_of(large(10), max_size=100_000)
