"""Output streams: data to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from k8sidx.show.render.escape import json_line, visible
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from rich.console import Console

    from k8sidx.cli.store import StoreChoice
    from k8sidx.show.render.formats.base import Document
    from k8sidx.show.render.sheet import Sheet


def effective_format(output: Output | None) -> Output:
    """Return the requested format, else a table for a terminal and CSV for a pipe."""
    return output or (Output.TABLE if sys.stdout.isatty() else Output.CSV)


def is_table(output: Output | None) -> bool:
    """Whether results are printed as tables on a console."""
    return effective_format(output) is Output.TABLE


def next_options(store: StoreChoice, inputs: Sequence[str]) -> str:
    """Return the options with which a command reads the same events, quoted for a shell."""
    given = [f"--input {shlex.quote(path)}" for path in inputs]
    if not inputs:
        named = (("--store", store.store), ("--index", store.index))
        given = [f"{option} {shlex.quote(value)}" for option, value in named if value]
    # The URL of a cluster may contain a password.
    return "".join(f" {option}" for option in given if "@" not in option)


def write_text(text: str) -> None:
    """Write data to stdout: UTF-8 whatever the locale, ``\\n`` on every platform."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(text)
    sys.stdout.flush()


def print_on_console(draw: Callable[[Console], None]) -> None:
    """Call ``draw`` with a console on stdout, in the terminal's encoding."""
    from k8sidx.show.render.terminal import console_on

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    draw(console_on(sys.stdout))
    sys.stdout.flush()


class LogFormat(StrEnum):
    """Form of the messages on stderr."""

    TEXT = "text"
    JSON = "json"


_log = {"format": LogFormat.TEXT}  # of all threads


def use_log_format(log_format: LogFormat | None) -> None:
    """Set the form of the messages of the command that runs; ``None`` for text."""
    _log["format"] = log_format or LogFormat.TEXT


def print_message(line: str, *, quiet: bool = False) -> None:
    """Print one line to stderr, with unsafe characters escaped.

    A closed stderr does not change the exit code.
    """
    print_event(line, {}, quiet=quiet)


def print_event(line: str, fields: Mapping[str, object], *, quiet: bool = False) -> None:
    """Print one line to stderr, with values that the form ``json`` has as fields of their own."""
    if quiet:
        return
    text = visible(line)
    if _log["format"] is LogFormat.JSON:
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json_line({"time": moment, "message": line, **fields})
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def print_document(document: Document) -> None:
    """Write a document of an output format to stdout."""
    if isinstance(document, str):
        write_text(document)
    else:
        print_on_console(document)


def write_sheet(sheet: Sheet, output: Output) -> None:
    """Write a table in the chosen format."""
    print_document(load_format(output).sheet(sheet))
