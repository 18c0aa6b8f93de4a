"""``k8sidx config`` commands: the configuration in effect, and where each value comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from k8sidx.cli.defaults import Defaults, described_command, read_defaults
from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import (
    INDEX,
    PROFILE,
    STORE,
    ZONE,
    DebugOption,
    OutputOption,
    configuration,
    use,
)
from k8sidx.cli.output import effective_format, write_sheet
from k8sidx.cli.store import ProfileOption

if TYPE_CHECKING:
    from k8sidx.config import Configuration
    from k8sidx.config_file import ConfigurationFile, Name

NAME = "config"
EXAMPLE = "\b\nExample:\n  k8sidx config show\n  k8sidx config show hunt"
_HIDDEN = "(set, not printed)"
_Row = tuple[str, str, str, str]

group = typer.Typer(
    help="Print the configuration in effect.",
    epilog=EXAMPLE,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@group.callback()
def command() -> None:
    """Print the configuration in effect."""


@group.command("show", epilog=EXAMPLE)
@ends_with_exit_code
def show(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND",
            help="Print the defaults of this command alone, for example findings list.",
            show_default=False,
        ),
    ] = None,
    profile: ProfileOption = None,
    output: OutputOption = None,
    debug: DebugOption = False,
) -> None:
    """Print settings and defaults of options, and where each comes from."""
    from k8sidx.show.render.sheet import Sheet

    use(profile, None)
    chosen = profile or os.environ.get(PROFILE, "")
    configured = configuration()
    defaults = read_defaults(chosen)
    described_command(names or [])
    rows = [] if names else list(_settings(configured, defaults, chosen))
    if defaults is not None:
        rows += _of_command(defaults, names) if names else _as_written(defaults)
    columns = ("command", "setting", "value", "source")
    write_sheet(Sheet(columns, rows, "k8sidx config show"), effective_format(output))


def _settings(configured: Configuration, defaults: Defaults | None, profile: str) -> Iterator[_Row]:
    """Yield the settings that have a value; the environment's before the file's."""
    from k8sidx.backends.connection import from_environment

    file = defaults.file if defaults else None
    built_in = {"store": "./k8sidx-store", "index": "k8s-audit", "tz": "UTC"}
    if profile:
        source = PROFILE if os.environ.get(PROFILE) == profile else "command line"
        yield "", "profile", profile, source
    for name, variable in (("store", STORE), ("index", INDEX), ("cluster", ""), ("tz", ZONE)):
        if variable and (value := os.environ.get(variable)):
            yield "", name, _public(value), variable
        elif value := getattr(configured, name):
            yield "", name, _public(value), _source(file, profile, (name,))
        elif name in built_in:
            yield "", name, built_in[name], "built in"
    from_variables = from_environment(os.environ)
    for name in type(configured.connection).model_fields:
        if name in from_variables:
            yield (
                "",
                f"connection.{name}",
                _unless_secret(name, from_variables[name]),
                (f"K8SIDX_{name.upper()}"),
            )
        elif name in configured.connection.model_fields_set:
            value = _unless_secret(name, str(getattr(configured.connection, name)))
            yield "", f"connection.{name}", value, _source(file, profile, ("connection", name))
    lists = [(("lists", name), ", ".join(files)) for name, files in configured.lists.items()]
    impersonators = [
        (("trusted_impersonators", name), proxy.account)
        for name, proxy in configured.trusted_impersonators.items()
    ]
    targets = [(("notify", name), target.level) for name, target in configured.notify.items()]
    others = [(("known_good",), ", ".join(configured.known_good)),
              (("address_databases",), ", ".join(configured.address_databases)),
              (("query", "folder"), configured.query.folder)]  # fmt: skip
    for names, value in (*others, *lists, *impersonators, *targets):
        if value:
            yield "", ".".join(names), value, _source(file, profile, names)


def _as_written(defaults: Defaults) -> Iterator[_Row]:
    """Yield the defaults of every table, those that are used first before the others."""
    for place, table in defaults.tables:
        yield from _of_table(defaults.file, table, place, ())


def _of_table(file: ConfigurationFile, table: Any, place: Name, path: Name) -> Iterator[_Row]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _of_table(file, value, (*place, key), (*path, key))
        else:
            command = " ".join(path) or "(every command)"
            yield command, key, _text(value), _place(file, (*place, key))


def _of_command(defaults: Defaults, names: Sequence[str]) -> Iterator[_Row]:
    options = described_command(names)["options"]
    for name, default in sorted(defaults.of(names).items()):
        if f"--{name}" in options:
            place = _place(defaults.file, default.place)
            yield " ".join(names), default.place[-1], _text(default.value), place


def _source(file: ConfigurationFile | None, profile: str, names: Name) -> str:
    if file is None:
        return ""
    return str(file.where(("profile", profile, *names), ("profile", profile, names[0]), names))


def _place(file: ConfigurationFile, place: Name) -> str:
    return str(file.where(place))


def _public(location: str) -> str:
    from k8sidx.backends.open import public_location

    return public_location(location)


def _unless_secret(name: str, value: str) -> str:
    return _HIDDEN if name in ("password", "api_key", "token", "proxy") else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
