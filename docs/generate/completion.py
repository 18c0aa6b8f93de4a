"""Generator of ``cli.json`` and ``help.json``: commands, what completes them, and their help.

``python -m docs.generate.completion k8sidx/cli/cli.json`` writes both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from k8sidx.cli import app
from k8sidx.hunt.attack.tags import tactics_of, techniques_of
from k8sidx.hunt.library.load import load_library
from k8sidx.show.schemas.schema import schema_names

_BY_FUNCTION = {"complete_hunt": "hunt", "complete_schema": "schema", "complete_saved": "saved"}
_BY_OPTION = {"--tag": "tag", "--store": "store", "--profile": "profile"}


def description() -> str:
    """Return the text of the file."""
    root = _command(typer.main.get_command(app))
    return json.dumps({**root, "values": _lists()}, indent=1, ensure_ascii=False) + "\n"


def _lists() -> dict[str, list[str]]:
    library = load_library()
    tags = {name for hunt in library for name in (*techniques_of(hunt), *tactics_of(hunt))}
    return {"tag": sorted(tags), "schema": schema_names()}


def _command(command: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"help": command.get_short_help_str(200), "options": {}}
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            described["argument"] = _argument(parameter)
        else:
            option = {"help": parameter.help or "", "value": _value(parameter)}
            repeatable = {"repeatable": True} if parameter.multiple else {}
            described["options"] |= dict.fromkeys(parameter.opts, option | repeatable)
            off = {**option, "off": max(parameter.opts, key=len)}
            described["options"] |= dict.fromkeys(parameter.secondary_opts, off)
    described["options"]["--help"] = {"help": "Show this message and exit.", "value": ""}
    if hasattr(command, "commands"):
        described["commands"] = {name: _command(child) for name, child in command.commands.items()}
    return described


def _argument(parameter: Any) -> str:
    function = getattr(parameter, "_custom_shell_complete", None)
    names = {cell.cell_contents.__name__ for cell in (getattr(function, "__closure__", None) or ())
             if callable(cell.cell_contents)}  # fmt: skip
    kind = next((_BY_FUNCTION[name] for name in names if name in _BY_FUNCTION), "")
    return kind or _choices(parameter) or "file"


def _value(parameter: Any) -> str:
    if parameter.is_flag or getattr(parameter, "count", False):
        return ""
    known = next((_BY_OPTION[name] for name in parameter.opts if name in _BY_OPTION), "")
    return known or _choices(parameter) or "file"


def _choices(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    for inner in (annotation, *get_args(annotation)):
        if isinstance(inner, type) and issubclass(inner, Enum):
            return "|".join(str(choice.value) for choice in inner)
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    return ""


class _Sections:
    """The part of a formatter of help texts that options are written with."""

    width = 100

    def __init__(self) -> None:
        self.sections: list[tuple[str, list[list[str]]]] = []

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        self.sections.append((title, []))
        yield

    def write_dl(self, rows: Iterable[Sequence[str]], *_: object, **__: object) -> None:
        self.sections[-1][1].extend(list(row) for row in rows)


def helps() -> str:
    """Return the text of the file with the help of each command."""
    root: Any = typer.main.get_command(app)
    described = _help(root, root.make_context("k8sidx", [], resilient_parsing=True))
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _help(command: Any, context: Any) -> dict[str, Any]:
    sections = _Sections()
    command.format_options(context, sections)
    described: dict[str, Any] = {
        "usage": command.collect_usage_pieces(context),
        "help": command.help,
        "epilog": command.epilog,
        "sections": [section for section in sections.sections if section[0] != "Commands"],
    }
    if hasattr(command, "commands"):
        described["commands"] = {
            name: _help(child, typer.Context(child, info_name=name, parent=context))
            for name, child in command.commands.items()
        }
    return described


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(description(), "utf-8")
    Path(sys.argv[1]).with_name("help.json").write_text(helps(), "utf-8")
