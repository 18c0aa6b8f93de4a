"""``k8sidx hunts``: the library, listed; rules of one's own, checked."""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx.cli.ending import ends_with_exit_code
from k8sidx.cli.options import DebugOption, Output, OutputOption, QuietOption
from k8sidx.cli.output import chosen, say, show, write_sheet
from k8sidx.cli.problems import NOT_RUN

NAME = "hunts"
EXAMPLE = "\b\nExample:\n  k8sidx hunts\n  k8sidx hunts -o json\n  k8sidx hunts check my-rule.yml"
CHECK_EXAMPLE = "\b\nExample:\n  k8sidx hunts check my-rule.yml"


@ends_with_exit_code
def command(
    context: typer.Context,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """List the hunt library: id, title, level, ATT&CK and source."""
    if context.invoked_subcommand:
        return
    from k8sidx.hunt.library import load_library
    from k8sidx.render.library import library_sheet, print_library

    library = load_library()
    if chosen(output) is Output.TABLE:
        show(lambda console: print_library(console, library))
    else:
        write_sheet(library_sheet(library), chosen(output))


@ends_with_exit_code
def check(
    rules: Annotated[
        list[str],
        typer.Argument(metavar="FILE.yml|DIR", help="Sigma rule files, or folders of them."),
    ],
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check Sigma rules: each problem with its file and line.

    A problem is what keeps a rule from running, or a test of it from ever being passed.
    Ends with 2 when there is any.
    """
    from k8sidx.cli.selection import configured_lists
    from k8sidx.hunt.check import check_rules
    from k8sidx.render.problems import checked_line, problems_sheet

    checked = check_rules(rules, configured_lists())
    write_sheet(problems_sheet(checked.problems), chosen(output))
    say(checked_line(checked), quiet=quiet)
    if checked.problems:
        raise typer.Exit(NOT_RUN)


group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
group.callback(epilog=EXAMPLE)(command)
group.command("check", epilog=CHECK_EXAMPLE)(check)
