"""``k8sidx notify`` commands: try a target of notifications."""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx.cli.exit import EXIT_STORE, ends_with_exit_code
from k8sidx.cli.notifying import delivery_line, targets_of
from k8sidx.cli.options import DebugOption, QuietOption
from k8sidx.cli.output import print_message

NAME = "notify"
EXAMPLE = "\b\nExample:\n  k8sidx notify test soc\n  k8sidx notify test syslog://127.0.0.1:514"

group = typer.Typer(
    help="Try targets of notifications.",
    epilog=EXAMPLE,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@group.callback()
def command() -> None:
    """Try targets of notifications."""


@group.command("test", epilog=EXAMPLE)
@ends_with_exit_code
def test(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|URL",
            help="Send a test message to these targets of k8sidx.toml, or URLs.",
            show_default=False,
        ),
    ],
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Send a test message to targets of notifications."""
    from k8sidx.notify.deliver import send_now
    from k8sidx.notify.message import trial

    deliveries = [send_now(target, trial()) for target in targets_of(targets)]
    for delivery in deliveries:
        print_message(delivery_line(delivery), quiet=quiet and delivery.is_complete)
    if not all(delivery.is_complete for delivery in deliveries):
        raise typer.Exit(EXIT_STORE)
