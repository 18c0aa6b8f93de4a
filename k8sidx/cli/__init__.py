"""Command-line interface: parse, call one function, render, map errors to exit codes.

Nothing heavy is imported before a command runs, so that ``--help`` returns at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx import __version__
from k8sidx.cli import (
    access,
    baseline,
    dashboards,
    diff,
    doctor,
    findings,
    generate,
    history,
    hunt,
    hunts,
    mcp,
    notify,
    policy,
    query,
    report,
    search,
    serve,
    setup,
    ship,
    show,
    timeline,
    who,
)

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
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for module in (
    setup, ship, serve, hunts, hunt, query, search, show, timeline, who, history, diff, access,
    findings, notify, baseline, report, dashboards, policy, doctor, generate, mcp,
):  # fmt: skip
    if isinstance(group := getattr(module, "group", None), typer.Typer):
        app.add_typer(group, name=module.NAME)
    else:
        app.command(module.NAME, epilog=module.EXAMPLE)(module.command)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"k8sidx {__version__}")
        raise typer.Exit


@app.callback()
def k8sidx(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Find threats in Kubernetes audit logs."""
