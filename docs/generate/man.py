"""Generator of the man page ``docs/k8sidx.1``.

``python -m docs.generate.man docs/k8sidx.1``
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from docs.generate.cli import COMMON_OPTIONS
from k8sidx.cli import app

_ENVIRONMENT = (
    ("K8SIDX_STORE", "the store, where --store is not given"),
    ("K8SIDX_INDEX", "index prefix or pattern, where --index is not given"),
    ("K8SIDX_PROFILE", "profile of k8sidx.toml, where --profile is not given"),
    ("K8SIDX_TZ", "zone of times that name none, where --tz is not given"),
    ("NO_COLOR", "print no colours, where it is not empty"),
)
_EXIT_CODES = (
    ("0", "success"),
    ("1", "findings at or above --fail-on"),
    ("2", "wrong usage or configuration"),
    ("3", "the store is unreachable or refused the request"),
    ("4", "some input was rejected, or nothing could be judged under --fail-on"),
    ("70", "internal error"),
    ("130", "interrupted"),
)


def page() -> str:
    """Return the page in the macros of man(7)."""
    root: Any = typer.main.get_command(app)
    lines = [
        '.TH K8SIDX 1 "" "k8sidx" "User Commands"',
        ".SH NAME",
        "k8sidx \\- find threats in Kubernetes audit logs",
        ".SH SYNOPSIS",
        ".B k8sidx",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        "Ships audit.k8s.io/v1 events into OpenSearch, Elasticsearch or an embedded store,",
        "hunts in them and shows the results. Data is written to stdout, messages to stderr.",
        ".SH COMMANDS",
    ]
    for name, command in root.commands.items():
        lines += _command(f"k8sidx {name}", command)
    lines += [".SH COMMON OPTIONS", *_parameters(_common(root))]
    lines += [".SH ENVIRONMENT", *_terms(_ENVIRONMENT), ".SH EXIT STATUS", *_terms(_EXIT_CODES)]
    lines += [".SH FILES", *_terms((("k8sidx.toml", "configuration, in the working directory or in "
              "the folder of the user's configuration"),))]  # fmt: skip
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any) -> Iterator[str]:
    yield from (f".SS {_text(path)}", _text(command.help.strip().partition("\n")[0]))
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from _command(f"{path} {name}", child)
        return
    yield from _parameters([p for p in command.params if p.name not in COMMON_OPTIONS])
    example = (command.epilog or "").partition("Example:\n")[2]
    if example:
        yield from (".PP", ".nf", *(_text(line) for line in example.splitlines()), ".fi")


def _common(root: Any) -> list[Any]:
    """Return the common options, each as the first command that has it describes it."""
    seen: dict[str, Any] = {}
    open_commands = [root]
    while open_commands:
        command = open_commands.pop(0)
        open_commands += getattr(command, "commands", {}).values()
        for parameter in command.params:
            if parameter.name in COMMON_OPTIONS:
                seen.setdefault(parameter.name, parameter)
    return list(seen.values())


def _parameters(parameters: list[Any]) -> Iterator[str]:
    for parameter in parameters:
        names = [parameter.metavar or parameter.name]
        if parameter.param_type_name == "option":
            value = f" {parameter.metavar}" if parameter.metavar else ""
            names = [f"{name}{value}" for name in sorted(parameter.opts, key=len, reverse=True)]
        yield from _terms(((", ".join(names), parameter.help or ""),))


def _terms(terms: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, text in terms:
        yield from (".TP", f".B {_text(term)}", _text(text))


def _text(text: str) -> str:
    """Return text in which nothing is a request or an escape of roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
