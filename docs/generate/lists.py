"""Generator of ``docs/lists.md``: ``python -m docs.generate.lists``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from k8sidx.hunt.lists import ShippedList, shipped_lists

DOCUMENT = Path(__file__).parents[2] / "docs" / "lists.md"

_INTRODUCTION = """\
# Lists

Generated from `k8sidx/hunt/lists.toml` by `python -m docs.generate.lists`. Rules use these lists as
`|expand: '%list%'` ([rules.md](rules.md#lists)); you can add entries of your own.
"""


def document() -> str:
    """Return the page."""
    lists = shipped_lists().values()
    lines = [_INTRODUCTION, "| list | contains | entries | |", "|---|---|--:|---|"]
    lines += [
        f"| [`{one.name}`](#{one.name}) | {one.holds} | {_number(one)} | {one.about} |"
        for one in lists
    ]
    for one in lists:
        lines += _section(one)
    return "\n".join(lines) + "\n"


def _number(one: ShippedList) -> str:
    if one.needed:
        return "yours"
    return str(len(one.entries)) + ("+" if one.includes else "")


def _section(one: ShippedList) -> Iterator[str]:
    yield from ("", f"## {one.name}", "", one.about, "")
    if one.platform:
        yield f"- Platform: {one.platform}."
    if one.needed:
        yield f"- Requires your {one.holds}: under `[lists]` in `k8sidx.toml`."
    if one.includes:
        yield f"- Includes: {', '.join(f'[`{name}`](#{name})' for name in one.includes)}."
    for source in one.sources:
        yield f"- Source: <{source}>"
    if one.reviewed:
        yield f"- Reviewed: {one.reviewed}."
    if one.entries:
        yield from ("", "```text", *one.entries, "```")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
