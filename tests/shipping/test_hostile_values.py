"""Any JSON value anywhere in an event is stored or dead-lettered, and every output shows it
harmless."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.cli.output import write_sheet
from k8sidx.events.fields.table import FIELDS
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.result import HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.query.algebra import Query
from k8sidx.shipping.pipeline import ship
from k8sidx.show.render.formats.csv import FORMAT as CSV
from k8sidx.show.render.formats.html import FORMAT as HTML
from k8sidx.show.render.formats.json import FORMAT as JSON
from k8sidx.show.render.formats.markdown import FORMAT as MARKDOWN
from k8sidx.show.render.formats.ocsf import FORMAT as OCSF
from k8sidx.show.render.formats.registry import Output
from k8sidx.show.render.sheet import Sheet
from tests.building import event, write_log

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A0",
    "\x1b]0;owned\x07\x1b[2J",
    "\u202egnp.exe",
    "'; DROP TABLE events; --",
    "../../../../etc/passwd",
    "a|b\n| --- |\n[x](javascript:alert(1))",
    "\x00",
    "{source}",
    "%s%n",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(HOSTILE), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [
    ("auditID",), ("stage",), ("level",), ("verb",), ("requestURI",), ("userAgent",),
    ("sourceIPs",), ("user",), ("user", "username"), ("user", "groups"), ("user", "extra"),
    ("impersonatedUser",), ("impersonatedUser", "username"), ("objectRef",),
    ("objectRef", "resource"), ("objectRef", "name"), ("objectRef", "namespace"),
    ("responseStatus",), ("responseStatus", "code"), ("responseStatus", "reason"),
    ("annotations",), ("annotations", "authorization.k8s.io/decision"), ("requestObject",),
    ("responseObject",), ("stageTimestamp",), ("kind",), ("apiVersion",), ("unknown",),
]  # fmt: skip
EVERYTHING = Query(select=tuple(field.name for field in FIELDS))


def with_value(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    body = event("create", "pods", code=403, subresource="exec", impersonatedUser={})
    parent = body
    for key in place[:-1]:
        parent = parent.setdefault(key, {})
    parent[place[-1]] = value
    return body


EVERYWHERE = [
    (place, value) for value in (*HOSTILE, {HOSTILE[0]: [HOSTILE[6]]}) for place in PLACES
]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(values=EVERYWHERE)
@given(values=st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=8, max_size=20))
def test_any_value_anywhere_is_accounted_for_and_shown_harmless(
    values: list[tuple[tuple[str, ...], Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """All values of an example are in one log: a run of the library costs more than an event."""
    bodies = [with_value(place, value) for place, value in values]
    with tempfile.TemporaryDirectory() as folder:
        log = write_log(Path(folder) / "a.log", [*bodies, event(name="neighbour")])
        store = EmbeddedStore(Path(folder) / "store")
        report = ship([str(log)], store)
        accounted = report.read + sum(report.skipped.values())
        assert accounted == len(bodies) + 1
        with store.engine() as engine:
            rows = engine.run(EVERYTHING).rows
            results = run_hunts(load_library(), engine, Window())
    assert len(rows) == report.indexed >= 1
    for text in shown(Sheet(EVERYTHING.columns, rows, "anything"), results, capsys):
        text.encode("utf-8")


def shown(
    sheet: Sheet, results: list[HuntResult], capsys: pytest.CaptureFixture[str]
) -> Iterator[str]:
    """Every output of both, each checked for what could do harm in its medium."""
    capsys.readouterr()
    outputs = {}
    for output in set(Output) - {Output.OCSF}:  # it has no form for rows of any kind
        write_sheet(sheet, output)
        outputs[output] = capsys.readouterr().out
    harmless_csv(outputs[Output.CSV])
    harmless_csv(CSV.hunts(results))
    harmless_text(outputs[Output.TABLE])
    harmless_text(outputs[Output.MARKDOWN])
    harmless_text(MARKDOWN.hunts(results))
    harmless_page(outputs[Output.HTML])
    harmless_page(HTML.hunts(results))
    json.loads(outputs[Output.JSON])
    json.loads(JSON.hunts(results))
    for line in OCSF.hunts(results).splitlines():
        json.loads(line)
    yield from outputs.values()


def harmless_text(text: str) -> None:
    for character in text:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def harmless_csv(text: str) -> None:
    harmless_text(text)
    lines = list(csv.reader(io.StringIO(text), strict=True))
    assert len({len(line) for line in lines}) <= 1
    for cell in (cell for line in lines[1:] for cell in line):
        assert not cell.strip().startswith(("=", "+", "@")), cell
        if cell.startswith("-"):
            float(cell)


class Elements(html.parser.HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def harmless_page(page: str) -> None:
    elements = Elements()
    elements.feed(page)
    elements.close()
    for tag, attributes in elements.found:
        assert tag not in ("script", "iframe", "img", "object", "embed", "form", "a", "base")
        assert not [name for name, _ in attributes if name.startswith("on") or name == "src"]
