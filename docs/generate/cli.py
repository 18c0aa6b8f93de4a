"""Generator of the command reference in ``docs/cli.md``.

``python -m docs.generate.cli docs/cli.md`` rewrites the text between the markers;
the prose around them is written by hand.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer

from k8sidx.cli import app

_COMMON = re.compile(r"(<!-- common options -->\n).*?(<!-- end -->)", re.DOTALL)
COMMON = 8
"""Commands that an option is repeated in before it is described once for all of them."""
_CONTENTS = re.compile(r"(<!-- commands -->\n).*?(<!-- end -->)", re.DOTALL)
_BLOCK = re.compile(r"(<!-- reference: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_current_reference(text: str) -> str:
    """Return the page with its list of commands and every reference block up to date."""
    text = _COMMON.sub(lambda match: match[1] + _common_options() + match[2], text)
    text = _CONTENTS.sub(lambda match: match[1] + _contents(text) + match[2], text)
    return _BLOCK.sub(lambda match: match[1] + _reference(match[2]) + match[3], text)


def _contents(text: str) -> str:
    """Return the commands as links to their sections, in the order of the page."""
    command: Any = typer.main.get_command(app)
    names = sorted(command.commands, key=lambda name: text.find(f"\n## k8sidx {name}\n"))
    links = ", ".join(f"[{name}](#k8sidx-{name})" for name in names)
    return textwrap.fill(f"Commands: {links}", 100, break_on_hyphens=False) + "\n"


def _common_options() -> str:
    """Return the options of most commands as a table."""
    return "\n".join(["| | |", "| --- | --- |", *_common(), ""])


COMMON_OPTIONS = frozenset(
    {"store", "index", "api_key_file", "ca_cert", "client_cert", "profile", "tz", "quiet", "debug"}
)
"""Names of the options of most commands, which the man page describes once."""


@cache
def _common() -> dict[str, str]:
    """Return the lines of the options that many commands share, with the option's first name."""
    lines: Counter[str] = Counter()
    names: dict[str, str] = {}
    for command in _commands(typer.main.get_command(app)):
        for parameter in command.params:
            if parameter.param_type_name == "option":
                line = _line(parameter)
                lines[line] += 1
                names[line] = max(parameter.opts, key=len)
    return {line: names[line] for line, count in lines.items() if count >= COMMON}


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for child in getattr(command, "commands", {}).values():
        yield from _commands(child)


def _options(command: Any) -> Iterator[str]:
    """Yield a line for each option of a command's own, and one with the names of the others."""
    lines = [_line(parameter) for parameter in command.params]
    yield from (line for line in lines if line not in _common())
    if names := [f"`{_common()[line]}`" for line in lines if line in _common()]:
        yield f"| {', '.join(names)} | [Common options](#common-options). |"


def _reference(path: str) -> str:
    """Return the block of a command; ``group/command`` names a command of a group."""
    command: Any = typer.main.get_command(app)
    for name in path.split("/"):
        command = command.commands[name]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(f"{p.metavar}..." if p.required else f"[{p.metavar}]..." for p in arguments)
    example = command.epilog.partition("Example:\n")[2]
    return "\n".join(
        [
            command.help.strip(),
            "",
            "```text",
            f"k8sidx {path.replace('/', ' ')} [OPTIONS] {usage}".rstrip(),
            "```",
            "",
            "| | |",
            "| --- | --- |",
            *_options(command),
            "",
            "```console",
            *(f"$ {line.strip()}" for line in example.splitlines()),
            "```",
            "",
        ]
    )


def _line(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"| `{_cell(parameter.metavar)}` | {_cell(parameter.help)} |"
    value = f" {parameter.metavar}" if parameter.metavar else ""
    flags = ", ".join(f"`{flag}{value}`" for flag in sorted(parameter.opts, key=len, reverse=True))
    return f"| {_cell(flags)} | {_cell(parameter.help + _default(parameter))} |"


def _default(parameter: Any) -> str:
    environment = f" Environment: `{parameter.envvar}`." if parameter.envvar else ""
    if parameter.default and not parameter.is_flag:
        return f" [default: {parameter.default}]{environment}"
    return environment


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_current_reference(page.read_text("utf-8")), "utf-8")
