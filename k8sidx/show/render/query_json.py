"""Answers to queries as JSON."""

from __future__ import annotations

from k8sidx.backends.result import Result
from k8sidx.show.render.escape import json_text


def answer_json(result: Result) -> str:
    """One object (docs/cli.md). Rows are lists: columns may be of one name."""
    answer = {
        "engine": result.engine,
        "exact": result.exact,
        "columns": result.columns,
        "rows": result.rows,
    }
    return json_text(answer) + "\n"
