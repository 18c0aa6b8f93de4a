"""``k8sidx dashboards`` commands, for OpenSearch Dashboards and Kibana."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from k8sidx.cli.dashboards_fields import over_index
from k8sidx.cli.dashboards_options import (
    DEFAULT_INDEX,
    FlavorChoice,
    FlavorOption,
    NamesArgument,
    VerboseOption,
    chosen_dashboards,
)
from k8sidx.cli.dashboards_remote import (
    IMPORT_EXAMPLE,
    REMOVE_EXAMPLE,
    import_command,
    remove_command,
)
from k8sidx.cli.exit import EXIT_USAGE, ends_with_exit_code
from k8sidx.cli.options import DebugOption, OutputOption, QuietOption, configuration
from k8sidx.cli.output import effective_format, print_message, write_sheet, write_text
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output

NAME = "dashboards"

group = typer.Typer(
    help="List, export, check, import and remove dashboards.",
    epilog="\b\nExample:\n  k8sidx dashboards list",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@group.command("list", epilog="\b\nExample:\n  k8sidx dashboards list")
@ends_with_exit_code
def list_command(output: OutputOption = None, debug: DebugOption = False) -> None:
    """List the dashboards with their titles and purposes."""
    from k8sidx.show.panels.library import dashboards
    from k8sidx.show.render.sheet import Sheet

    rows = [(page.id, page.title, len(page.panels), page.about) for page in dashboards()]
    sheet = Sheet(("id", "title", "panels", "about"), rows, "Dashboards")
    write_sheet(sheet, effective_format(output))


@group.command(
    "export",
    epilog="\b\nExample:\n"
    "  k8sidx dashboards export --flavor opensearch -o k8sidx.ndjson\n"
    "  k8sidx dashboards export overview findings --flavor kibana > k8sidx.ndjson\n"
    "  k8sidx dashboards export --store https://search.example.com:9200 --index 'filebeat-*'",
)
@ends_with_exit_code
@takes_store
def export_command(
    names: NamesArgument = None,
    flavor: FlavorOption = FlavorChoice.OPENSEARCH,
    store: StoreChoice = AS_CONFIGURED,
    file_: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to this file. [default: stdout]",
            show_default=False,
        ),
    ] = None,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Export dashboards as a saved-objects file."""
    from k8sidx.show.savedobjects.export import export

    index = store.index or configuration().index or DEFAULT_INDEX
    selected, object_names = over_index(
        chosen_dashboards(names), index, store, verbose=verbose, quiet=quiet
    )
    content = export(selected, flavor.value, object_names)
    if file_ is None:
        write_text(content.decode())
        return
    if file_.suffix != ".ndjson":
        raise UsageError(
            f"{file_} does not end in .ndjson, and both products refuse to import such files.",
            remedy=f"Write to {file_.with_suffix('.ndjson')}.",
        )
    try:
        file_.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{file_} cannot be written: {error.strerror}.") from error
    objects = content.count(b"\n") - 1
    print_message(f"{objects:,} objects: {file_}", quiet=quiet)


@group.command("check", epilog="\b\nExample:\n  k8sidx dashboards check k8sidx.ndjson")
@ends_with_exit_code
def check_command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Check these saved-objects files.", show_default=False),
    ],
    flavor: Annotated[
        FlavorChoice | None,
        typer.Option(
            "--flavor",
            metavar="opensearch|kibana|kibana-8",
            help="Check for this product. [default: the one that the file looks like]",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check saved-objects files for errors that an import does not report."""
    from k8sidx.show.render.sheet import Sheet, quantity
    from k8sidx.show.savedobjects.check import check_file
    from k8sidx.show.savedobjects.field_names import known_fields

    rows = []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
        rows += [
            (str(file), problem.line, problem.subject, problem.text)
            for problem in check_file(
                file.name, content, known_fields(), flavor.value if flavor else None
            )
        ]
    if rows or effective_format(output) is Output.JSON:
        sheet = Sheet(("file", "line", "object", "problem"), rows, "Problems")
        write_sheet(sheet, effective_format(output))
    print_message(
        f"{quantity(len(files), 'file')}, {quantity(len(rows), 'problem')}",
        quiet=quiet,
    )
    if rows:
        raise typer.Exit(EXIT_USAGE)


group.command("import", epilog=IMPORT_EXAMPLE)(import_command)
group.command("remove", epilog=REMOVE_EXAMPLE)(remove_command)
