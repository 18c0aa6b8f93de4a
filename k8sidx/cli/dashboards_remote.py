"""``k8sidx dashboards import`` and ``remove``: commands with a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.dashboards_fields import over_index
from k8sidx.cli.dashboards_options import (
    DEFAULT_INDEX,
    ApiKeyOption,
    CaCertOption,
    DetectedFlavorOption,
    FlavorChoice,
    IndexOption,
    NamesArgument,
    SpaceOption,
    StoreOption,
    TenantOption,
    UrlOption,
    VerboseOption,
    chosen_dashboards,
)
from k8sidx.cli.exit import EXIT_STORE, ends_with_exit_code
from k8sidx.cli.options import DebugOption, QuietOption, configuration
from k8sidx.cli.output import print_message, write_text
from k8sidx.cli.store import StoreChoice
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.backends.cluster.http.client import Cluster
    from k8sidx.show.savedobjects.client import Frontend, ImportResult, Request, Tenancy
    from k8sidx.show.savedobjects.remove import Removal

DEFAULT_URL = "http://localhost:5601"
IMPORT_EXAMPLE = "\b\nExample:\n  k8sidx dashboards import --url http://localhost:5601 --dry-run"
REMOVE_EXAMPLE = (
    "\b\nExample:\n  k8sidx dashboards remove overview --url https://dashboards.example"
)


@ends_with_exit_code
def import_command(
    names: NamesArgument = None,
    url: UrlOption = DEFAULT_URL,
    flavor: DetectedFlavorOption = None,
    index: IndexOption = DEFAULT_INDEX,
    store: StoreOption = None,
    space: SpaceOption = "",
    tenant: TenantOption = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace objects with the same id without asking.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the request instead of sending it.")
    ] = False,
    api_key_file: ApiKeyOption = None,
    ca_cert: CaCertOption = None,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Import dashboards into OpenSearch Dashboards or Kibana."""
    from k8sidx.show.savedobjects.client import Tenancy, import_file, import_request, recognize
    from k8sidx.show.savedobjects.export import export

    choice = StoreChoice(store=store, api_key_file=api_key_file, ca_cert=ca_cert)
    selected, object_names = over_index(
        chosen_dashboards(names), index, choice, verbose=verbose, quiet=quiet
    )
    tenancy = Tenancy(space, tenant)
    if dry_run:
        content = export(selected, (flavor or FlavorChoice.OPENSEARCH).value, object_names)
        _print_request(import_request(content, overwrite=overwrite, tenancy=tenancy), content)
        return
    server = _server(url, api_key_file, ca_cert)
    frontend = recognize(server, flavor.value if flavor else None)
    _check_tenancy(frontend, tenancy, url)
    replace = overwrite or _confirmed(
        f"Replace dashboards of the same id in {frontend.product}?", quiet=quiet
    )
    content = export(selected, frontend.flavor, object_names)
    imported = import_file(server, content, overwrite=replace, tenancy=tenancy)
    _print_result(imported, str(frontend), quiet=quiet)
    if imported.problems:
        raise typer.Exit(EXIT_STORE)


@ends_with_exit_code
def remove_command(
    names: NamesArgument = None,
    url: UrlOption = DEFAULT_URL,
    flavor: DetectedFlavorOption = None,
    index: IndexOption = "k8s-audit",
    space: SpaceOption = "",
    tenant: TenantOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove the objects without asking.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the objects instead of removing them.")
    ] = False,
    api_key_file: ApiKeyOption = None,
    ca_cert: CaCertOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Remove imported dashboards with their panels, searches and index patterns."""
    from k8sidx.show.render.sheet import quantity
    from k8sidx.show.savedobjects.client import Tenancy, recognize
    from k8sidx.show.savedobjects.identifiers import Names
    from k8sidx.show.savedobjects.remove import plan_removal, remove

    selected = chosen_dashboards(names)
    tenancy = Tenancy(space, tenant)
    server = _server(url, api_key_file, ca_cert)
    frontend = recognize(server, flavor.value if flavor else None)
    _check_tenancy(frontend, tenancy, url)
    removal = plan_removal(server, selected, Names(index), tenancy)
    if dry_run:
        _print_removal(removal)
        return
    count = len(removal.objects)
    question = f"Remove {quantity(count, 'object')} from {frontend.product}?"
    if count and not (yes or _confirmed(question, quiet=quiet)):
        raise UsageError(
            f"{quantity(count, 'object')} would be removed from {frontend.product}.",
            remedy="Confirm it with --yes; --dry-run prints them.",
        )
    removed = remove(server, removal, tenancy)
    print_message(f"{quantity(removed, 'object')} removed from {frontend}", quiet=quiet)
    if removal.kept:
        kept = quantity(removal.kept, "object")
        print_message(f"{kept} kept, which other dashboards of k8sidx use", quiet=quiet)


def _server(url: str, api_key_file: Path | None, ca_cert: Path | None) -> Cluster:
    from k8sidx.backends.cluster.http.address import parse_location
    from k8sidx.backends.cluster.http.client import Cluster
    from k8sidx.cli.store import connection_settings

    choice = StoreChoice(api_key_file=api_key_file, ca_cert=ca_cert)
    return Cluster(parse_location(url), connection_settings(choice, configuration()))


def _check_tenancy(frontend: Frontend, tenancy: Tenancy, url: str) -> None:
    """Refuse an option that the product would ignore.

    :raises UsageError: for a space of OpenSearch Dashboards, or a tenant of Kibana.
    """
    of_kibana = frontend.product == "Kibana"
    if tenancy.space and not of_kibana:
        raise UsageError(
            f"{url} is {frontend}, which has no spaces.", remedy="Name a tenant with --tenant."
        )
    if tenancy.tenant and of_kibana:
        raise UsageError(
            f"{url} is {frontend}, which has no tenants.", remedy="Name a space with --space."
        )


def _confirmed(question: str, *, quiet: bool) -> bool:
    """Whether the user agrees: asked on a terminal, else no."""
    import sys

    if quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return typer.confirm(question, err=True)


def _print_request(request: Request, content: bytes) -> None:
    lines = [f"POST {request.path}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    write_text("\n".join([*lines, "", ""]) + content.decode())


def _print_result(imported: ImportResult, frontend: str, *, quiet: bool) -> None:
    from k8sidx.show.render.sheet import quantity

    print_message(f"{quantity(imported.count, 'object')} written to {frontend}", quiet=quiet)
    for problem in imported.problems:
        print_message(f"not written: {problem}")


def _print_removal(removal: Removal) -> None:
    from k8sidx.cli.output import effective_format, write_sheet
    from k8sidx.show.render.sheet import Sheet

    rows = [(obj.type, obj.id, obj.title) for obj in removal.objects]
    write_sheet(Sheet(("type", "id", "title"), rows, "Objects"), effective_format(None))
