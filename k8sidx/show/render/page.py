"""Self-contained HTML pages: no request to anywhere, all text escaped, no script but our own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from k8sidx.backends.result import Value
from k8sidx.show.render.escape import html_text, iso_time
from k8sidx.show.render.sheet import Sheet, is_number, readable

_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --soft: #59636e; --head: #f6f8fa;
  --critical: #a40e26; --high: #cf222e; --medium: #9a6700; --low: #0969da; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --soft: #9198a1; --head: #151b23;
    --critical: #ff938a; --high: #f85149; --medium: #d29922; --low: #4493f8; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 80rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
.soft, footer { color: var(--soft); } .level { font-weight: 600; }
.critical { color: var(--critical); } .high { color: var(--high); }
.medium { color: var(--medium); } .low { color: var(--low); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; margin: .5rem 0 1rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; min-width: 3rem; }
th { background: var(--head); } .number { text-align: right; font-variant-numeric: tabular-nums; }
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } .scroll { overflow: visible; }
  thead { display: table-header-group; } tr { break-inside: avoid; } }
"""


def html_page(
    title: str, body: Iterable[str], *, style: str = "", scripts: Sequence[str] = ()
) -> str:
    """A whole page around pieces of HTML that are escaped already.

    :param style: CSS besides what every page has.
    :param scripts: our own; the page's policy lets run these texts and nothing else.
    """
    styles = _STYLE + style
    allowed = " ".join(_hashed(script) for script in scripts) or "'none'"
    policy = (
        f"default-src 'none'; style-src {_hashed(styles)}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html_text(policy)}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html_text(title)}</title>",
            f"<style>{styles}</style>",
            "</head>",
            "<body>",
            *body,
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def html_section(sheet: Sheet, *, caption: str = "", identifier: str = "") -> str:
    """A heading, the notes and the sheet's table."""
    parts = []
    if sheet.title:
        anchor = f' id="{html_text(identifier)}"' if identifier else ""
        parts.append(f"<h2{anchor}>{html_text(sheet.title)}{level_badge(sheet.level)}</h2>")
    parts += [f'<p class="soft">{html_text(note)}</p>' for note in sheet.notes]
    parts.append(html_table(sheet, caption=caption) if sheet.rows else "<p>No rows.</p>")
    return "\n".join(parts)


def level_badge(level: str) -> str:
    """The level's name in its colour; nothing without a level."""
    return f' <span class="level {html_text(level)}">{html_text(level)}</span>' if level else ""


def html_table(sheet: Sheet, *, caption: str = "") -> str:
    """The table alone; numbers right-aligned, the whole time in each time's ``datetime``."""
    numbers = [sheet.is_number(at) for at in range(len(sheet.columns))]
    head = "".join(
        f'<th scope="col"{_class(number)}>{html_text(name)}</th>'
        for name, number in zip(sheet.columns, numbers, strict=True)
    )
    return "\n".join(
        [
            '<div class="scroll" tabindex="0"><table class="data">',
            f"<caption>{html_text(caption or _size(sheet))}</caption>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in sheet.rows),
            "</tbody></table></div>",
        ]
    )


def _size(sheet: Sheet) -> str:
    return f"{len(sheet.rows):,} {'row' if len(sheet.rows) == 1 else 'rows'}"


def _class(number: bool) -> str:
    return ' class="number"' if number else ""


def _cell(value: Value) -> str:
    text = html_text(readable(value))
    if isinstance(value, datetime):
        text = f'<time datetime="{iso_time(value)}">{text}</time>'
    number = f' data-number="{value}"' if is_number(value) else ""
    return f"<td{_class(is_number(value))}{number}>{text}</td>"
