"""The typer application, with all commands or with those that are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from k8sidx import __version__
from k8sidx.cli.defaults import Command, Group
from k8sidx.cli.fast_help import SETTINGS


def application(names: Sequence[str]) -> typer.Typer:
    """Return an application with these commands.

    :param names: of :data:`k8sidx.cli.COMMANDS`.
    """
    app = _empty()
    for name in names:
        module = import_module(f"k8sidx.cli.{name}")
        if isinstance(group := getattr(module, "group", None), typer.Typer):
            for info in group.registered_commands:
                info.cls = Command
            app.add_typer(group, name=module.NAME, cls=Group)
        else:
            app.command(module.NAME, cls=Command, epilog=module.EXAMPLE)(module.command)
    return app


def help_only(helps: Mapping[str, str]) -> typer.Typer:
    """Return an application that prints the list of commands, and imports none of them.

    :param helps: the first sentence of each command's help, by name.
    """
    app = _empty()
    for name, text in helps.items():
        app.command(name, help=text)(_nothing())
    return app


def _nothing() -> Callable[[], None]:
    def command() -> None:
        raise AssertionError

    return command


def _empty() -> typer.Typer:
    app = typer.Typer(
        name="k8sidx",
        help="Find threats in Kubernetes audit logs.",
        epilog=(
            "\b\nExample:\n"
            "  k8sidx ship audit.log\n"
            "  k8sidx hunt --all --since 7d\n\n"
            "Exit codes: 0 success, 1 findings at or above --fail-on, 2 wrong usage or "
            "configuration, 3 the store is unreachable or refused the request, 4 some "
            "input was rejected, 70 internal error, 130 interrupted by Ctrl-C."
        ),
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=SETTINGS,
    )
    app.callback()(k8sidx)
    return app


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"k8sidx {__version__}")
        raise typer.Exit


def k8sidx(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Find threats in Kubernetes audit logs."""
