"""Generator of ``docs/queries.md``: ``python -m docs.generate.saved_queries``."""

from __future__ import annotations

from pathlib import Path

from k8sidx.insights.saved.saved import SavedQuery, saved_queries

DOCUMENT = Path(__file__).parents[2] / "docs" / "queries.md"

_INTRODUCTION = """\
# Saved queries

Generated from `k8sidx/insights/saved/*.cwli` by `python -m docs.generate.saved_queries`.
`k8sidx query @name` runs a saved query, and `--chart` draws its result; `k8sidx query --saved`
lists them, and `k8sidx query --saved @name` prints one as a starting point for your own.

Your own queries are files `name.cwli` (a name consists of `a-z`, `0-9` and `-`) in the folder set
in `k8sidx.toml` or `K8SIDX_QUERY_FOLDER`; they override queries of the same name that come with
k8sidx:

```toml
[query]
folder = "queries"     # relative to this file's folder
```

The first line of a file is a comment that contains the query's title.
"""


def document() -> str:
    """Return the page."""
    queries = saved_queries(None)
    lines = [_INTRODUCTION, "| query | shows |", "|---|---|"]
    lines += [f"| [`@{one.name}`](#{one.name}) | {one.title} |" for one in queries]
    for one in queries:
        lines += _section(one)
    return "\n".join(lines) + "\n"


def _section(one: SavedQuery) -> list[str]:
    return ["", f"## {one.name}", "", "```text", *one.text.rstrip().splitlines(), "```"]


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
