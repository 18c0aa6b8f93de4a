"""Output streams: data to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from k8sidx.cli.options import Output
from k8sidx.show.render.escape import visible

if TYPE_CHECKING:
    from rich.console import Console

    from k8sidx.show.render.sheet import Sheet


def chosen(output: Output | None) -> Output:
    """Return the requested format, else a table for a terminal and CSV for a pipe."""
    return output or (Output.TABLE if sys.stdout.isatty() else Output.CSV)


def write(text: str) -> None:
    """Write data to stdout: UTF-8 whatever the locale, ``\\n`` on every platform."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(text)
    sys.stdout.flush()


def show(draw: Callable[[Console], None]) -> None:
    """Call ``draw`` with a console on stdout, in the terminal's encoding."""
    from k8sidx.show.render.terminal import console_on

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    draw(console_on(sys.stdout))
    sys.stdout.flush()


def say(line: str, *, quiet: bool = False) -> None:
    """Print one line to stderr, with unsafe characters escaped.

    A closed stderr does not change the exit code.
    """
    if quiet:
        return
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(visible(line) + "\n")
        sys.stderr.flush()


def write_sheet(sheet: Sheet, output: Output) -> None:
    """Write a table in the given format; as JSON, a list of objects keyed by column."""
    from k8sidx.show.render.csv import csv_text
    from k8sidx.show.render.escape import html_text, json_text
    from k8sidx.show.render.markdown import markdown_table
    from k8sidx.show.render.page import html_page, html_table

    match output:
        case Output.TABLE:
            from k8sidx.show.render.terminal import print_sheet

            show(lambda console: print_sheet(console, sheet))
        case Output.CSV:
            write(csv_text(sheet))
        case Output.JSON:
            objects = [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]
            write(json_text(objects) + "\n")
        case Output.MARKDOWN:
            write(markdown_table(sheet))
        case Output.HTML:
            heading = f"<h1>{html_text(sheet.title)}</h1>"
            write(html_page(sheet.title, [heading, html_table(sheet)]))
