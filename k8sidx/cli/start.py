"""Start of the command line: no more is imported than what the arguments need.

``cli.json`` has the commands with their options and what completes them; it is generated from the
application (docs/generate/completion.py) and checked by a test.
"""

from __future__ import annotations

import gc
import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8sidx.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import typer

COMPLETE = "_K8SIDX_COMPLETE"
"""Environment variable that a shell sets for a completion."""
_OBJECTS = 20_000
"""New objects before Python looks for cycles: imports make many, and hardly any cycle."""


def start(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command, or print the completions that a shell asks for."""
    gc.set_threshold(_OBJECTS)
    if wanted := environment.get(COMPLETE):
        from k8sidx.cli.fast_completion import completed

        answer = completed(wanted, environment, described())
        if answer is not None:
            sys.stdout.write(f"{answer.text}\n")
            raise SystemExit(answer.exit_code)
    _application(arguments, completing=bool(wanted))(prog_name="k8sidx")


@cache
def described() -> Any:
    """Return the description of all commands."""
    return json.loads(Path(__file__).with_name("cli.json").read_text("utf-8"))


def _application(arguments: Sequence[str], *, completing: bool) -> typer.Typer:
    from k8sidx.cli.application import application, help_only

    first = arguments[0] if arguments else ""
    if completing:
        return application(COMMANDS)
    if first in COMMANDS:
        return application([first])
    if not arguments or list(arguments) in (["--help"], ["-h"]):
        commands = described()["commands"]
        return help_only({name: command["help"] for name, command in commands.items()})
    return application(COMMANDS)
