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
    arguments = _as_options(arguments)
    if not wanted and (printed := _fast_help(arguments)) is not None:
        sys.stdout.write(f"{printed}\n")
        return
    _application(arguments, completing=bool(wanted))(list(arguments), prog_name="k8sidx")


def _as_options(arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments, ``help COMMAND`` and ``version`` being those of other programs."""
    if arguments and arguments[0] == "help":
        return [*arguments[1:], "--help"]
    return ["--version"] if list(arguments) == ["version"] else arguments


def _fast_help(arguments: Sequence[str]) -> str | None:
    """Return the help of a command; ``None`` where the command itself has to print it."""
    from k8sidx.cli.fast_help import described_help, has_defaults, wanted_path

    path = wanted_path(arguments)
    if path is None or has_defaults(configuration_folders()):
        return None
    return described_help(path)


def configuration_folders() -> tuple[Path, ...]:
    """Return the folders to search for the configuration file, in order."""
    import typer

    return Path.cwd(), Path(typer.get_app_dir("k8sidx"))


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
    if not arguments or list(arguments) in (["--help"], ["-h"], ["--version"]):
        commands = described()["commands"]
        return help_only({name: command["help"] for name, command in commands.items()})
    return application(COMMANDS)
