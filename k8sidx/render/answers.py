"""Answers to queries in the formats that are not every sheet's."""

from __future__ import annotations

from k8sidx.engine.result import Result
from k8sidx.render.escape import json_text
from k8sidx.render.sheet import Sheet

_APPROXIMATE = "The numbers are approximate."


def answer_sheet(result: Result, title: str = "") -> Sheet:
    """The answer as a table.

    :param title: of a saved query.
    """
    return Sheet(result.columns, result.rows, title, notes=() if result.exact else (_APPROXIMATE,))


def answer_json(result: Result) -> str:
    """One object (docs/cli.md). Rows are lists: columns may be of one name."""
    answer = {
        "engine": result.engine,
        "exact": result.exact,
        "columns": result.columns,
        "rows": result.rows,
    }
    return json_text(answer) + "\n"
