"""``k8sidx dashboards`` commands, for OpenSearch Dashboards and Kibana."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.exit import EXIT_STORE, EXIT_USAGE, ends_with_exit_code
from k8sidx.cli.options import DebugOption, OutputOption, QuietOption, configuration
from k8sidx.cli.output import effective_format, print_message, write_sheet, write_text
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.show.panels.panel import Dashboard
    from k8sidx.show.savedobjects.client import ImportResult, Request

NAME = "dashboards"
DEFAULT_URL = "http://localhost:5601"

group = typer.Typer(
    help="List, export, import and check dashboards.",
    epilog="\b\nExample:\n  k8sidx dashboards list",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class FlavorChoice(StrEnum):
    """Product and saved-object format."""

    OPENSEARCH = "opensearch"
    KIBANA = "kibana"
    KIBANA_8 = "kibana-8"


FlavorOption = Annotated[
    FlavorChoice,
    typer.Option(
        "--flavor",
        metavar="opensearch|kibana|kibana-8",
        help="Target OpenSearch Dashboards 2 and 3, Kibana 9 (Lens) or Kibana 8 (classic).",
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID", help="Select dashboards by id. [default: all]", show_default=False
    ),
]
IndexOption = Annotated[
    str,
    typer.Option(
        "--index",
        envvar="K8SIDX_INDEX",
        metavar="INDEX",
        help="Use the indices with this prefix or pattern.",
    ),
]


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
    "  k8sidx dashboards export overview findings --flavor kibana > k8sidx.ndjson",
)
@ends_with_exit_code
def export_command(
    names: NamesArgument = None,
    flavor: FlavorOption = FlavorChoice.OPENSEARCH,
    index: IndexOption = "k8s-audit",
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
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Export dashboards as a saved-objects file."""
    from k8sidx.show.savedobjects.export import export
    from k8sidx.show.savedobjects.identifiers import Names

    content = export(_chosen(names), flavor.value, Names(index))
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


@group.command(
    "import",
    epilog="\b\nExample:\n  k8sidx dashboards import --url http://localhost:5601 --dry-run",
)
@ends_with_exit_code
def import_command(
    names: NamesArgument = None,
    url: Annotated[
        str,
        typer.Option(
            "--url", metavar="URL", help="Connect to OpenSearch Dashboards or Kibana at this URL."
        ),
    ] = DEFAULT_URL,
    flavor: Annotated[
        FlavorChoice | None,
        typer.Option(
            "--flavor",
            metavar="opensearch|kibana|kibana-8",
            help="Expect this product. [default: detected]",
            show_default=False,
        ),
    ] = None,
    index: IndexOption = "k8s-audit",
    space: Annotated[
        str, typer.Option("--space", metavar="NAME", help="Import into this Kibana space.")
    ] = "",
    tenant: Annotated[
        str,
        typer.Option(
            "--tenant", metavar="NAME", help="Import into this OpenSearch Dashboards tenant."
        ),
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace objects with the same id without asking.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the request instead of sending it.")
    ] = False,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            metavar="FILE",
            help="Read the API key from this file.",
            show_default=False,
        ),
    ] = None,
    ca_cert: Annotated[
        Path | None,
        typer.Option(
            "--ca-cert",
            metavar="FILE",
            help="Trust these CA certificates (PEM) instead of the system's.",
            show_default=False,
        ),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Import dashboards into OpenSearch Dashboards or Kibana."""
    from k8sidx.backends.cluster.http.address import parse_location
    from k8sidx.backends.cluster.http.client import Cluster
    from k8sidx.cli.store import StoreChoice, connection_settings
    from k8sidx.show.savedobjects.client import import_request, recognize, send_import
    from k8sidx.show.savedobjects.export import export
    from k8sidx.show.savedobjects.identifiers import Names

    selected = _chosen(names)
    if dry_run:
        content = export(selected, (flavor or FlavorChoice.OPENSEARCH).value, Names(index))
        _print_request(
            import_request(content, overwrite=overwrite, space=space, tenant=tenant), content
        )
        return
    choice = StoreChoice(api_key_file=api_key_file, ca_cert=ca_cert)
    server = Cluster(parse_location(url), connection_settings(choice, configuration()))
    frontend = recognize(server)
    if flavor and (flavor.value == "opensearch") != (frontend.flavor == "opensearch"):
        raise UsageError(f"{url} is {frontend}, which cannot import the flavor {flavor.value}.")
    replace = overwrite or _confirmed(frontend.product, quiet=quiet)
    content = export(selected, flavor.value if flavor else frontend.flavor, Names(index))
    imported = send_import(
        server, import_request(content, overwrite=replace, space=space, tenant=tenant)
    )
    _print_result(imported, str(frontend), quiet=quiet)
    if imported.problems:
        raise typer.Exit(EXIT_STORE)


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


def _chosen(names: list[str] | None) -> list[Dashboard]:
    from k8sidx.show.panels.library import dashboards

    every = {page.id: page for page in dashboards()}
    unknown = [name for name in names or [] if name not in every]
    if unknown:
        raise UsageError(
            f"no dashboard is named {unknown[0]!r}.", remedy=f"There are: {', '.join(every)}."
        )
    return [every[name] for name in names] if names else list(every.values())


def _confirmed(product: str, *, quiet: bool) -> bool:
    """Whether to replace existing objects: asked on a terminal, else no."""
    import sys

    if quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(f"Replace dashboards of the same id in {product}?", err=True)


def _print_request(request: Request, content: bytes) -> None:
    lines = [f"POST {request.path}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    write_text("\n".join([*lines, "", ""]) + content.decode())


def _print_result(imported: ImportResult, frontend: str, *, quiet: bool) -> None:
    from k8sidx.show.render.sheet import quantity

    print_message(f"{quantity(imported.count, 'object')} written to {frontend}", quiet=quiet)
    for problem in imported.problems:
        print_message(f"not written: {problem}")
