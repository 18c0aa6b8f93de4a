"""Defaults of options from ``[defaults]`` and ``[profile.NAME.defaults]`` in ``k8sidx.toml``.

Commands are instances of :class:`Command` or :class:`Group`, which hand the defaults to click as a
``default_map``: the command line is used first, then the environment, the profile, the file, the
default of the option.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from k8sidx.cli.options import PROFILE
from k8sidx.cli.output import print_message
from k8sidx.cli.start import configuration_folders, described
from k8sidx.cli.usage_errors import readable, with_commands
from k8sidx.config_file import ConfigurationFile, Name, find_file, nearest
from k8sidx.errors import K8sidxError, UsageError
from k8sidx.show.render.escape import visible

TABLE = "defaults"
_SETTING = "It is a setting of the file, outside [defaults]: {}."
_NEVER = {
    "store": _SETTING.format('store = "…"'),
    "index": _SETTING.format('index = "…"'),
    "tz": _SETTING.format('tz = "…"'),
    "api-key-file": _SETTING.format("api_key_file, in [connection]"),
    "ca-cert": _SETTING.format("ca_cert, in [connection]"),
    "client-cert": _SETTING.format("client_cert, in [connection]"),
    "profile": f"Set {PROFILE} in the environment.",
    "quiet": "A run would not print what it could not judge: give -q on the command line.",
    "all": "Hunts could not be named any more: give --all on the command line.",
    "yes": "Confirm each time, on the command line.",
    "overwrite": "Confirm each time, on the command line.",
    "redact-existing": "It is a task, not a preference: give it on the command line.",
    "rebuild": "It is a task, not a preference: give it on the command line.",
    "help": "It is a task, not a preference: give it on the command line.",
}
"""Options without a default in the file, and what to do instead."""
_NAMING = {"ship", "serve"}
"""Commands whose ``--cluster`` names the cluster of new events, a setting of the file."""
_NARROWING = frozenset(
    {"since", "until", "cluster", "level", "tag", "namespace", "known_good", "known_good_from",
     "new", "input", "limit", "drop", "state", "actor", "ip", "credential", "object"}
)  # fmt: skip
"""Parameters that leave something out of what a command looks at or prints."""
_RIVALS = (frozenset({"target", "output"}), frozenset({"chart", "output"}),
           frozenset({"events", "size"}))  # fmt: skip
"""Parameters that exclude each other: where one is given, a default of the other does not count."""
_PATHS = frozenset({"FILE", "DIR", "POLICY.yaml"})
_BUILT_IN = re.compile(r"\s*\[default: [^\]]*\]")


class Default(NamedTuple):
    """The default of an option.

    :param place: of the setting in the file.
    """

    value: Any
    place: Name


@dataclass(frozen=True)
class Defaults:
    """The defaults of a file, the first table that is used first.

    :param tables: with the place of each.
    """

    file: ConfigurationFile
    tables: tuple[tuple[Name, Mapping[str, Any]], ...]

    def of(self, path: Sequence[str]) -> dict[str, Default]:
        """Return the defaults of a command by option, without the leading hyphens.

        :param path: names of the command, for example ``["findings", "list"]``.
        """
        defaults: dict[str, Default] = {}
        for place, table in reversed(self.tables):
            defaults |= _of_command(table, place, path)
        return defaults


def read_defaults(profile: str) -> Defaults | None:
    """Return the defaults of the configuration file; ``None`` without a file.

    :param profile: in effect; may be empty.
    :raises UsageError: when a default of the file, in whichever profile, is not valid.
    """
    file = find_file(configuration_folders())
    if file is None:
        return None
    tables: list[tuple[Name, Any]] = [((TABLE,), file.tables.get(TABLE, {}))]
    of_profiles = {
        name: (("profile", name, TABLE), settings.get(TABLE, {}))
        for name, settings in file.profiles.items()
    }
    for place, table in (*tables, *of_profiles.values()):
        if not isinstance(table, dict):
            raise UsageError("defaults are a table: [defaults].", where=file.where(place))
        if table:
            _check(file, table, place, described(), [])
    if profile:
        file.profile(profile)
        tables.insert(0, of_profiles[profile])
    return Defaults(file, tuple(tables))


def _of_command(table: Mapping[str, Any], place: Name, path: Sequence[str]) -> dict[str, Default]:
    """Return what a table has for a command: the more specific wins."""
    defaults = {
        key.replace("_", "-"): Default(value, (*place, key))
        for key, value in table.items()
        if not isinstance(value, dict)
    }
    if path and isinstance(inner := table.get(path[0]), dict):
        defaults |= _of_command(inner, (*place, path[0]), path[1:])
    return defaults


def _check(
    file: ConfigurationFile, table: Mapping[str, Any], place: Name, node: Any, path: list[str]
) -> None:
    """Check the names of a table, and those values that ``cli.json`` describes.

    :param node: the command, or the group of commands, of the table.
    :raises UsageError: naming the line.
    """
    for key, value in table.items():
        where = file.where((*place, key))
        command = " ".join(["k8sidx", *path])
        if isinstance(value, dict):
            commands = node.get("commands", {})
            if key not in commands:
                raise UsageError(
                    f"[{'.'.join((*place, key))}]: there is no command {command} {key}.",
                    remedy=nearest(key, list(commands), "Commands") if commands else "",
                    where=where,
                )
            _check(file, value, (*place, key), commands[key], [*path, key])
            continue
        name = key.replace("_", "-")
        if name in _NEVER or (name == "cluster" and path and path[0] in _NAMING):
            remedy = _NEVER.get(name, _SETTING.format('cluster = "…"'))
            raise UsageError(f"{key} cannot be a default.", remedy=remedy, where=where)
        options = _options(node)
        if name not in options:
            owner = f"{command} has" if path else "commands have"
            raise UsageError(
                f"{owner} no option --{name}.",
                remedy=nearest(name, sorted(options.keys() - _NEVER.keys()), "Options"),
                where=where,
            )
        if problem := _problem(value, options[name]):
            raise UsageError(f"{key}: {problem}", where=where)


def _options(node: Any) -> dict[str, dict[str, Any]]:
    """Return the options of a command and of those below it, by name without the hyphens."""
    options = {name[2:]: option for name, option in node["options"].items() if name[:2] == "--"}
    for command in node.get("commands", {}).values():
        options = _options(command) | options
    return options


def _problem(value: Any, option: Mapping[str, Any]) -> str:
    """Return why a value is none of an option's; empty for a value that may be valid."""
    if positive := option.get("off"):
        return f"write {positive[2:].replace('-', '_')} = false instead."
    kind = option["value"]
    if not kind:
        return "" if isinstance(value, bool) else f"{value!r} is not true or false."
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not option.get("repeatable"):
        return "only one value is possible."
    choices = kind.split("|") if "|" in kind else []
    for each in values:
        if isinstance(each, bool | list | dict):
            return f"{each!r} is not a text or a number."
        if choices and str(each) not in choices:
            return f"{each!r} is not a valid value. {nearest(str(each), choices, 'Values')}"
    return ""


class InEffect(NamedTuple):
    """A default of the file that the command which runs uses."""

    option: str
    text: str
    narrows: bool


_in_effect: ContextVar[tuple[Path, tuple[InEffect, ...]] | None] = ContextVar(
    "in_effect", default=None
)


def announce() -> None:
    """Print the defaults of the file that narrow what the command looks at, also with ``-q``."""
    if (line := _in_effect_line(lambda each: each.narrows)) is not None:
        print_message(f"k8sidx: {line}")


def blamed(message: str) -> str:
    """Return a sentence about the defaults of the file that an error of usage is about."""
    line = _in_effect_line(
        lambda each: each.option in message or (each.text != "" and repr(each.text) in message)
    )
    return "" if line is None else f" ({line})"


def _in_effect_line(is_shown: Callable[[InEffect], bool]) -> str | None:
    file, options = _in_effect.get() or (Path(), ())
    shown = [f"{each.option} {each.text}".rstrip() for each in options if is_shown(each)]
    return f"{file} sets {', '.join(shown)}." if shown else None


def described_command(path: Sequence[str]) -> Any:
    """Return the description of a command.

    :raises UsageError: when there is no such command.
    """
    node = described()
    for number, name in enumerate(path):
        commands = node.get("commands", {})
        if name not in commands:
            above = " ".join(["k8sidx", *path[:number]])
            raise UsageError(
                f"there is no command {above} {name}.",
                remedy=nearest(name, list(commands), "Commands") if commands else "",
            )
        node = commands[name]
    return node


class _Configured:
    """Mixin of commands that take the defaults of their options from the configuration file."""

    params: list[Any]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _in_effect.set(None)
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)  # type: ignore[misc,no-any-return]
        given = _Given(self, ctx, args)
        file = None
        try:
            defaults = read_defaults(given.profile())
            if defaults is not None:
                file = defaults.file.path
                ctx.default_map = dict(_values(given.yielding(self.params), ctx, defaults))
        except K8sidxError as error:
            if not given.wants_help() and ctx.info_name != "doctor":
                print_message(f"k8sidx: {error}")
                raise typer.Exit(error.exit_code) from None
        try:
            rest = super().parse_args(ctx, args)  # type: ignore[misc]
        except Exception as error:
            if isinstance(getattr(error, "message", None), str) and hasattr(error, "param"):
                error.message = readable(error.message)  # type: ignore[attr-defined]
            raise
        if file is not None:
            _in_effect.set((file, tuple(_used(self.params, ctx))))
        return rest  # type: ignore[no-any-return]


class Command(_Configured, TyperCommand):
    """A command with defaults from the configuration file."""


class Group(_Configured, TyperGroup):
    """A group of commands that may be a command itself, with defaults likewise."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            if isinstance(getattr(error, "message", None), str):
                error.message = with_commands(  # type: ignore[attr-defined]
                    error.message,  # type: ignore[attr-defined]
                    list(self.commands),
                )
            raise


class _Given:
    """Options of the command line, before its values are validated."""

    def __init__(self, command: Any, context: Any, arguments: Sequence[str]) -> None:
        try:
            parser = command.make_parser(context)
            self._values, _, _ = parser.parse_args(args=list(arguments))
        except Exception:  # noqa: BLE001 - of a class of click's or of typer's; reported later
            self._values = {"help": "--help" in arguments or "-h" in arguments}

    def profile(self) -> str:
        return str(self._values.get("profile") or os.environ.get(PROFILE, ""))

    def yielding(self, parameters: Sequence[Any]) -> list[Any]:
        """Return the parameters without those that a given one excludes."""
        given = {name for name, value in self._values.items() if value not in (None, False, ())}
        excluded = {name for pair in _RIVALS if pair & given for name in pair - given}
        return [parameter for parameter in parameters if parameter.name not in excluded]

    def wants_help(self) -> bool:
        return bool(self._values.get("help"))


def _values(
    parameters: Sequence[Any], context: Any, defaults: Defaults
) -> Iterator[tuple[str, Any]]:
    """Yield the values of a command's parameters, and describe them in its help.

    :raises UsageError: when one is not valid.
    """
    path = command_path(context)
    of_command = defaults.of(path)
    for parameter in parameters:
        name = next((opt[2:] for opt in parameter.opts if opt[2:] in of_command), "")
        if not name or (name == "cluster" and path[0] in _NAMING):
            continue
        default = of_command[name]
        value = _value(parameter, default.value, defaults.file.path.parent)
        try:
            parameter.process_value(context, value)
        except typer.BadParameter as error:
            where = defaults.file.where(default.place)
            raise UsageError(f"{default.place[-1]}: {error.message}", where=where) from None
        text = f"[default: {visible(_text(value))}, from {defaults.file.path.name}]"
        parameter.help = f"{_BUILT_IN.sub('', parameter.help or '')} {text}"
        parameter.show_default = False
        if parameter.is_flag and not parameter.secondary_opts:
            parameter.secondary_opts = [f"--no-{name}"]
        yield parameter.name, value


def _value(parameter: Any, value: Any, folder: Path) -> Any:
    """Return a value as the command line would have it; paths start at the file's folder."""
    if parameter.is_flag:
        return value
    values = [str(each) for each in (value if isinstance(value, list) else [value])]
    if parameter.metavar in _PATHS:
        values = [
            each if each == "-" or "://" in each else str(folder / Path(each).expanduser())
            for each in values
        ]
    return values if parameter.multiple else values[0]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _used(parameters: Sequence[Any], context: Any) -> Iterator[InEffect]:
    for parameter in parameters:
        source = context.get_parameter_source(parameter.name)
        value = (context.default_map or {}).get(parameter.name)
        if source is not None and source.name == "DEFAULT_MAP" and value is not False:
            option = max(parameter.opts, key=len)
            text = "" if value is True else _text(value)
            yield InEffect(option, text, parameter.name in _NARROWING)


def command_path(context: Any) -> list[str]:
    """Return the names of a command below the program's."""
    names: list[str] = []
    while context.parent is not None:
        names.insert(0, context.info_name)
        context = context.parent
    return names
