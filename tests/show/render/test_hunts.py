"""Hunt results in each output format."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.show.render.escape import visible
from k8sidx.show.render.formats.csv import FORMAT as CSV
from k8sidx.show.render.formats.html import FORMAT as HTML
from k8sidx.show.render.formats.json import FORMAT as JSON
from k8sidx.show.render.formats.markdown import FORMAT as MARKDOWN
from k8sidx.show.render.hunts import (
    FINDINGS_SHOWN,
    ROWS_SHOWN,
    counted,
    print_hunts,
)
from k8sidx.show.render.terminal import console_on
from tests.show.render.results import EMPTY, EVIL, FOUND, HOSTILE, RANKED


def printed(*results: HuntResult, width: int = 80) -> str:
    stream = io.StringIO()
    console = console_on(stream)
    console.width = width
    print_hunts(console, results)
    return stream.getvalue()


def test_json_is_the_contracts_list_of_hunts() -> None:
    assert json.loads(JSON.hunts([FOUND])) == [
        {
            "hunt": "secret_read_burst",
            "title": "Many distinct secrets read by one caller",
            "level": "high",
            "engine": "duckdb",
            "exact": False,
            "columns": ["user.username", "first_seen", "count"],
            "rows": [["alice", "2024-05-01T10:22:03.250000Z", 15]],
            "findings": [
                {
                    "hunt": "secret_read_burst",
                    "level": "high",
                    "actor": None,
                    "key": {"user.username": "alice"},
                    "count": 15,
                    "first_seen": "2024-05-01T10:22:03.250000Z",
                    "last_seen": "2024-05-01T12:00:00.000000Z",
                    "reason": "alice read 15 distinct secrets in 30 minutes.",
                    "audit_ids": ["a-1", "a-2"],
                    "outcome": "unknown",
                    "next": ["k8sidx show a-1", "k8sidx hunts show secret_read_burst"],
                }
            ],
            "notes": ["3 events are known good."],
            "cannot_judge": [
                {
                    "kind": "truncated",
                    "reason": "3 events have truncated bodies.",
                    "count": 3,
                    "audit_ids": ["a-7"],
                }
            ],
            "tags": [],
            "falsepositives": [],
        }
    ]


def test_json_of_no_hunt_is_an_empty_list() -> None:
    assert json.loads(JSON.hunts([])) == []


def test_csv_of_one_hunt_has_its_own_columns() -> None:
    assert CSV.hunts([RANKED]) == ('userAgent,count\n"kubectl/v1.30, linux",12227\n\'-curl/8,11\n')


def test_csv_of_one_hunt_without_rows_is_its_header() -> None:
    assert CSV.hunts([EMPTY]) == "user.username,count\n"


def test_csv_of_several_hunts_is_one_file_with_findings_and_ranked_rows() -> None:
    lines = list(csv.DictReader(io.StringIO(CSV.hunts([RANKED, FOUND, EMPTY]))))
    assert [(line["hunt"], line["level"], line["count"]) for line in lines] == [
        ("topn_user_agent", "informational", "12227"),
        ("topn_user_agent", "informational", "11"),
        ("secret_read_burst", "high", "15"),
    ]
    assert json.loads(lines[0]["values"]) == {"userAgent": "kubectl/v1.30, linux", "count": 12227}
    assert json.loads(lines[2]["values"]) == {"user.username": "alice"}
    assert lines[2]["reason"] == "alice read 15 distinct secrets in 30 minutes."
    assert lines[2]["first_seen"] == "2024-05-01T10:22:03.250000Z"
    assert json.loads(lines[2]["audit_ids"]) == ["a-1", "a-2"]


def test_table_of_one_ranking_hunt_is_its_rows_with_thousands_separated() -> None:
    text = printed(RANKED)
    assert "finding" not in text
    assert "Busiest client strings" in text
    assert "12,227" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_table_of_several_hunts_begins_with_the_findings(width: int) -> None:
    text = printed(RANKED, FOUND, EMPTY, width=width)
    lines = text.splitlines()
    assert " ".join(lines[:2]).startswith("1 finding (1 high) from 3 hunts")
    assert "high" in lines[1]
    flat = " ".join(text.split())
    assert "alice read 15 distinct secrets in 30 minutes." in flat
    assert "15 events · 2024-05-01 10:22:03Z to 12:00:00Z" in flat
    assert "3 events are known good." in flat
    assert "cannot judge: 3 events have truncated bodies." in flat
    assert "The counts are approximate." in flat
    assert lines[-1] == "Command run in a pod: no rows"
    assert max(map(len, lines)) <= width


def test_where_it_is_narrow_field_names_break_after_their_dots() -> None:
    columns = ("user.effective.name", "source.ip", "verb", "target.resource", "count")
    row = ("alice", "10.0.0.7", "delete", "pods", 1234)
    narrow = HuntResult("x", "X", "low", "duckdb", True, columns, [row])
    assert [line.rstrip() for line in printed(narrow, width=50).splitlines()] == [
        "X  low",
        "user.",
        "effective.  source.           target.",
        "name        ip        verb    resource  count",
        "─" * 45,
        "alice       10.0.0.7  delete  pods      1,234",
    ]


def test_a_table_too_wide_for_the_terminal_becomes_records() -> None:
    columns = tuple(f"requestObject.column{number}" for number in range(9))
    row = tuple("a value of some length" for _ in columns)
    wide = HuntResult("wide", "Wide", "low", "duckdb", True, columns, [row, row])
    text = printed(wide, width=80)
    assert text.count("requestObject.column8") == 2
    assert text.count("a value of some length") == 18


def test_long_results_are_cut_in_the_table_only_and_say_so() -> None:
    finding = FOUND.findings[0]
    many = HuntResult(
        "many", "Many", "high", "duckdb", True, ("n",),
        [(number,) for number in range(100)], [finding] * 100,
    )  # fmt: skip
    text = printed(many, EMPTY)
    assert text.count("alice read") == FINDINGS_SHOWN
    assert f"… {100 - FINDINGS_SHOWN} more of many" in text
    assert f"… {100 - ROWS_SHOWN} more rows" in text
    alone = printed(many)
    assert alone.count("alice read") == 100
    assert "more rows" not in alone
    assert len(json.loads(JSON.hunts([many, EMPTY]))[0]["findings"]) == 100
    assert len(CSV.hunts([many, EMPTY]).splitlines()) == 101


def test_findings_are_counted_by_level_the_most_urgent_first() -> None:
    low = Finding("x", "low", {}, 1, None, None, "r")
    results = [HuntResult("x", "X", "low", "duckdb", True, (), [], [low, low]), FOUND]
    assert counted(results) == "3 findings (1 high, 2 low) from 2 hunts"
    assert counted([EMPTY]) == "0 findings from 1 hunt"


@pytest.mark.parametrize("width", [40, 80, 300])
def test_a_terminal_is_not_steered_by_the_log(width: int) -> None:
    text = printed(HOSTILE, EMPTY, width=width)
    assert all(unicodedata.category(c) not in ("Cc", "Cf") or c == "\n" for c in text)
    assert "[bold]:smile:" in text.replace("\n", "").replace(" ", "")


def test_a_spreadsheet_calculates_nothing_of_the_log() -> None:
    for text in (CSV.hunts([HOSTILE]), CSV.hunts([HOSTILE, EMPTY])):
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
    assert len(list(csv.reader(io.StringIO(CSV.hunts([HOSTILE]))))) == 3


def test_markdown_has_only_our_structure() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(MARKDOWN.hunts([HOSTILE, RANKED]))
    kinds = {t.type for token in tokens for t in (token, *(token.children or ()))}
    assert not kinds & {"html_inline", "html_block", "link_open", "code_inline", "image", "fence"}
    assert [t.type for t in tokens].count("table_open") == 3
    assert any(t.content and visible(EVIL) in _text(t.children or ()) for t in tokens)


def _text(children: object) -> str:
    return "".join(child.content for child in children)  # type: ignore[attr-defined]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_html_has_only_our_elements_and_forbids_scripts() -> None:
    text = HTML.hunts([HOSTILE, FOUND, EMPTY])
    page = _Page()
    page.feed(text)
    assert not page.tags & {"script", "img", "a", "iframe", "object", "link", "form"}
    assert not {name for name in page.attributes if name.startswith("on")} | (
        page.attributes & {"src", "href", "style"}
    )
    assert "default-src &#39;none&#39;" in text
    assert '<html lang="en">' in text
    assert '<th scope="col"' in text
    assert "<caption>" in text


def test_the_policy_lets_exactly_our_style_through() -> None:
    import base64
    import hashlib
    import re

    text = HTML.hunts([])
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"sha256-{digest}" in text


def test_colour_needs_a_terminal_and_no_color_switches_it_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def coloured(stream: io.StringIO) -> bool:
        console: Console = console_on(stream)
        print_hunts(console, [FOUND])
        return "\x1b[" in stream.getvalue()

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured(Terminal())
    assert not coloured(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(Terminal())
