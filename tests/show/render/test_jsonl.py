"""JSON Lines: each line is what the JSON format has as an element."""

from __future__ import annotations

import json

from k8sidx.backends.result import Result
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.show.render.formats.json import FORMAT as JSON
from k8sidx.show.render.formats.jsonl import FORMAT
from k8sidx.show.render.sheet import Sheet

EVIL = "a\nb\u2028\x1b[2J"


def test_hunts_are_the_elements_of_the_json_list() -> None:
    finding = Finding("h", "high", {"user.username": EVIL}, 1, None, None, EVIL, ("x",))
    results = [HuntResult("h", "t", "high", "duckdb", True, ("a",), [(EVIL,)], [finding])] * 2
    lines = FORMAT.hunts(results).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(JSON.hunts(results))


def test_rows_are_objects_also_of_columns_with_the_same_name() -> None:
    text = FORMAT.query(Result(("a", "a"), [(1, EVIL)], "duckdb", True), "")
    assert json.loads(text) == {"a": 1, "a (2)": EVIL}
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert FORMAT.sheet(Sheet(("a",), [])) == ""
