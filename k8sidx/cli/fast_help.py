"""Help of a command out of a description, without the command.

``help.json`` is generated from the application (docs/generate/completion.py) and checked by a test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from k8sidx.config_file import FILE_NAME

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""Settings of the context of all commands."""


class _Described:
    """Mixin of commands of which only the help is known."""

    described: Any = None

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return list(self.described["usage"])

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title, rows in self.described["sections"]:
            with formatter.section(title):
                formatter.write_dl([tuple(row) for row in rows])
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)


class _Command(_Described, TyperCommand):
    """A command."""


class _Group(_Described, TyperGroup):
    """A group of commands."""


def _command(name: str, described: Any) -> _Command | _Group:
    texts = {"help": described["help"], "epilog": described["epilog"], "rich_markup_mode": None}
    command: _Command | _Group
    if "commands" in described:
        children = [_command(child, of_child) for child, of_child in described["commands"].items()]
        command = _Group(name=name, commands=children, **texts)
    else:
        command = _Command(name, **texts)
    command.described = described
    return command


def described_help(path: Sequence[str], **settings: Any) -> str | None:
    """Return the help of a command; ``None`` for a name that is not a command's.

    :param path: for example ``["findings", "list"]``.
    :param settings: of the context, for example ``terminal_width``.
    """
    described = json.loads(Path(__file__).with_name("help.json").read_text("utf-8"))
    context = None
    for name in ("k8sidx", *path):
        if context is not None:
            described = described.get("commands", {}).get(name)
            if described is None:
                return None
        command = _command(name, described)
        context = typer.Context(command, info_name=name, parent=context, **SETTINGS, **settings)
    return context.get_help() if context else None


def wanted_path(arguments: Sequence[str]) -> list[str] | None:
    """Return the command whose help, and nothing else, is wanted; ``None`` otherwise."""
    *path, last = arguments or [""]
    is_plain = last in ("-h", "--help") and not any(word.startswith("-") for word in path)
    return path if path and is_plain else None


def has_defaults(folders: Sequence[Path]) -> bool:
    """Whether a configuration file may have defaults, which the help of a command prints."""
    files = [folder / FILE_NAME for folder in folders]
    try:
        return any("defaults" in file.read_text("utf-8") for file in files if file.is_file())
    except (OSError, ValueError):
        return True
