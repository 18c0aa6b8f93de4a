"""Whatever a client wrote into the log, each medium shows it and none obeys it."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from k8sidx.hunt.result import HuntResult
from k8sidx.show.render.escape import (
    csv_cell,
    json_line,
    json_text,
    markdown_text,
    visible,
)
from k8sidx.show.render.formats.html import FORMAT as HTML

SURROGATES = st.text(st.characters(categories=["Cs"]), max_size=3)
SPECIAL = st.sampled_from(
    list("\xad\u0600\U000e0041=+-@\t\r\n\x1b\x9b\u202e\u2066\u2028\x00|`[]()<>&\"',;\\*_!#~$:/w.")
)
HOSTILE = st.one_of(
    st.text(),
    st.text(SPECIAL, max_size=12),
    st.builds(str.__add__, SURROGATES, st.text()),
    st.builds(str.__add__, SPECIAL, st.text()),
)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("kubectl/v1.30 (linux/amd64)", "kubectl/v1.30 (linux/amd64)"),
        ("Zoë 管理者 Ελένη", "Zoë 管理者 Ελένη"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b2J", "\\x9b2J"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("line\u2028separator", "line\\u2028separator"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone\ud800", "lone\\ud800"),
        ("\x00", "\\x00"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(written: str, shown: str) -> None:
    assert visible(written) == shown


@given(HOSTILE)
def test_visible_text_is_one_printable_line(written: str) -> None:
    shown = visible(written)
    assert shown.isprintable()
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (1234567, "1234567"),
        (-1.5, "-1.5"),
        ("plain", "plain"),
        ("-5", "'-5"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("  =1+1", "'  =1+1"),
        ("\t=1", "'\\t=1"),
        ("\rx", "'\\rx"),
        ("\u00a0=1", "'\\xa0=1"),
        ("＝1+1", "'＝1+1"),
        ("－1", "'－1"),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        ("a;=1", '"a;=1"'),
        ("two\nlines", "two\\nlines"),
    ],
)
def test_csv_cells_are_quoted_and_never_calculate(
    value: str | float | bool | None, cell: str
) -> None:
    assert csv_cell(value) == cell


@given(HOSTILE)
def test_csv_cells_read_back_as_the_visible_text(written: str) -> None:
    [[_, cell, _]] = csv.reader(io.StringIO(f"a,{csv_cell(written)},b\n"))
    assert cell.removeprefix("'") == visible(written).removeprefix("'")
    assert not unicodedata.normalize("NFKC", cell).lstrip().startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("[text](https://evil.example)", "\\[text\\](https:\\/\\/evil.example)"),
        ("www.evil.example", "www\\.evil.example"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("a&lt;b", "a&amp;lt;b"),
        ("**bold** _it_", "\\*\\*bold\\*\\* \\_it\\_"),
        ("two\nlines", "two\\\\nlines"),
    ],
)
def test_markdown_markup_is_escaped(written: str, escaped: str) -> None:
    assert markdown_text(written) == escaped


@given(HOSTILE)
def test_a_markdown_cell_is_one_cell_of_plain_text(written: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| x{markdown_text(written)}x | end |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    cells = [token for token in tokens if token.type == "inline"][2:]
    assert len(cells) == 2
    kinds = {child.type for child in cells[0].children or ()}
    assert kinds <= {"text", "text_special"}
    assert "".join(child.content for child in cells[0].children or ()) == f"x{visible(written)}x"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


_ELEMENTS = {
    "html", "body", "h1", "h2", "p", "span", "div",
    "table", "caption", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"id", "class", "tabindex", "scope"}


@settings(deadline=None)  # the first example compiles the templates
@given(HOSTILE)
def test_html_text_stays_text_in_elements_and_attributes(written: str) -> None:
    reader = _Reader()
    section = HuntResult(written, written, written, "duckdb", True, (written,), [(written,)])
    reader.feed(HTML.hunts([section]).partition("<body>")[2])
    reader.close()
    shown = visible(written)
    assert ("h2", [("id", shown)] if shown else []) in reader.tags
    assert {tag for tag, _ in reader.tags} <= _ELEMENTS
    assert {name for _, attributes in reader.tags for name, _ in attributes} <= _ATTRIBUTES
    assert reader.text.count(shown) >= 3


@given(HOSTILE)
def test_json_is_valid_utf8_and_reads_back_as_it_was(written: str) -> None:
    for text in (json_text([written]), json_line([written])):
        text.encode("utf-8")
        expected = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in written)
        assert json.loads(text) == [expected]
        assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in text if c not in "\n")


def test_json_has_iso_times_and_no_nan() -> None:
    moment = datetime(2024, 5, 1, 10, 22, 3, tzinfo=UTC)
    data = {"at": moment, "not": [float("nan"), float("inf")], "big": 2**60, "none": None}
    assert json.loads(json_text(data)) == {
        "at": "2024-05-01T10:22:03.000000Z",
        "not": [None, None],
        "big": 2**60,
        "none": None,
    }


def test_json_refuses_what_it_cannot_write_instead_of_guessing() -> None:
    with pytest.raises(TypeError, match="bytes cannot be written"):
        json_text({"raw": object.__new__(type("bytes", (), {}))})
