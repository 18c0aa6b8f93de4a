"""``k8sidx hunts`` commands: list, show, check, test, explain, new, coverage."""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx.cli import hunts_rules, hunts_show
from k8sidx.cli.exit import EXIT_USAGE, ends_with_exit_code
from k8sidx.cli.options import DebugOption, OutputOption, QuietOption
from k8sidx.cli.output import (
    effective_format,
    print_document,
    print_message,
    write_sheet,
    write_text,
)
from k8sidx.show.render.formats.registry import load_format

NAME = "hunts"
EXAMPLE = (
    "\b\nExample:\n  k8sidx hunts\n  k8sidx hunts show secret_get\n  k8sidx hunts check my-rule.yml"
)
CHECK_EXAMPLE = "\b\nExample:\n  k8sidx hunts check my-rule.yml"

COVERAGE_EXAMPLE = (
    "\b\nExample:\n  k8sidx hunts coverage\n  k8sidx hunts coverage --layer > layer.json"
)


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
    from k8sidx.hunt.library.load import load_library

    print_document(load_format(effective_format(output)).library(load_library()))


@ends_with_exit_code
def check(
    rules: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE.yml|DIR", help="Check these Sigma rule files or folders of rules."
        ),
    ],
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check Sigma rules and report each problem with its file and line."""
    from k8sidx.cli.selection import configured_lists
    from k8sidx.hunt.check import check_rules
    from k8sidx.show.render.problems import checked_line, problems_sheet

    checked = check_rules(rules, configured_lists())
    write_sheet(problems_sheet(checked.problems), effective_format(output))
    print_message(checked_line(checked), quiet=quiet)
    if checked.problems:
        raise typer.Exit(EXIT_USAGE)


@ends_with_exit_code
def coverage_command(
    layer: Annotated[
        bool,
        typer.Option("--layer", help="Print an ATT&CK Navigator layer (JSON) instead."),
    ] = False,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show which ATT&CK and Microsoft threat-matrix techniques the hunts cover."""
    from k8sidx.hunt.attack.coverage import coverage, navigator_layer
    from k8sidx.hunt.library.load import load_library
    from k8sidx.show.render.coverage import coverage_lines, coverage_sheet
    from k8sidx.show.render.escape import json_text

    library = load_library()
    if layer:
        write_text(json_text(navigator_layer(library)) + "\n")
        return
    covered = coverage(library)
    write_sheet(coverage_sheet(covered), effective_format(output))
    for line in coverage_lines(covered):
        print_message(line, quiet=quiet)


group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
group.callback(epilog=EXAMPLE)(command)
group.command("show", epilog=hunts_show.EXAMPLE)(hunts_show.command)
group.command("check", epilog=CHECK_EXAMPLE)(check)
group.command("test", epilog=hunts_rules.TEST_EXAMPLE)(hunts_rules.test)
group.command("explain", epilog=hunts_rules.EXPLAIN_EXAMPLE)(hunts_rules.explain)
group.command("new", epilog=hunts_rules.NEW_EXAMPLE)(hunts_rules.new)
group.command("coverage", epilog=COVERAGE_EXAMPLE)(coverage_command)
