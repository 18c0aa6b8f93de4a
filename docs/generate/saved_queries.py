"""``docs/queries.md``, made from the queries: ``python -m docs.generate.saved_queries``."""

from __future__ import annotations

from pathlib import Path

from k8sidx.insights.saved.saved import SavedQuery, saved_queries

DOCUMENT = Path(__file__).parents[2] / "docs" / "queries.md"

_INTRODUCTION = """\
# Saved queries

Made from `k8sidx/insights/saved/*.cwli` by `python -m docs.generate.saved_queries`. Each is asked
by its name, `k8sidx query @name`, and a table drawn with `--chart`; `k8sidx query --saved` lists
them, `k8sidx query --saved @name` prints one, to begin a query of your own with.

Your own are files `name.cwli` (a name is of `a-z`, `0-9` and `-`) in the folder that
`k8sidx.toml` names, or `K8SIDX_QUERY_FOLDER`; they go before those that come with k8sidx:

```toml
[query]
folder = "queries"     # a relative path starts at this file's folder
```

The first line of a file is a comment with the query's title.
"""


def document() -> str:
    """The page."""
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
