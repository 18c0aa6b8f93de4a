"""``k8sidx doctor`` command: setup checks with suggested fixes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.defaults import read_defaults
from k8sidx.cli.exit import EXIT_FINDINGS, ends_with_exit_code
from k8sidx.cli.options import (
    DebugOption,
    OutputOption,
    QuietOption,
    configuration,
)
from k8sidx.cli.output import effective_format, print_message, write_sheet
from k8sidx.cli.store import (
    AS_CONFIGURED,
    StoreChoice,
    cluster_options,
    open_chosen,
    store_location,
    takes_store,
)
from k8sidx.errors import K8sidxError, StoreError
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.backends.check import Check

NAME = "doctor"
EXAMPLE = (
    "\b\nExample:\n  k8sidx doctor\n  k8sidx doctor --store https://search.example.com:9200 -o json"
)


@ends_with_exit_code
@takes_store
def command(
    store: StoreChoice = AS_CONFIGURED,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Make a lost or damaged manifest anew from the events."),
    ] = False,
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="List the stored values that this version would replace."),
    ] = False,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check the setup and suggest fixes."""
    from k8sidx.doctor.environment import check_configuration, check_core, check_software
    from k8sidx.show.render.sheet import Sheet

    if rebuild:
        _rebuild(store)
    if secrets:
        _list_secrets(store, output, quiet=quiet)
        return
    configured = check_configuration(_configuration_file)
    checks = [check_software(), check_core(), configured]
    if store.store is not None or configured.state != "fail":
        checks += _check_store(store)
    rows = [(check.name, check.state, check.seen, check.mend) for check in checks]
    write_sheet(
        Sheet(("check", "state", "seen", "mend"), rows, "k8sidx doctor"), effective_format(output)
    )
    exit_code = max((check.exit_code for check in checks), default=0)
    if exit_code:
        raise typer.Exit(exit_code)


def _configuration_file() -> Path | None:
    """Return the configuration file in effect.

    :raises UsageError: when a setting or a default in it is not valid.
    """
    source = configuration().source
    read_defaults("")
    return source


def _rebuild(store: StoreChoice) -> None:
    """Rebuild the manifest of a store and print the result to stderr.

    :raises UsageError: when the store is a cluster, or its manifest is whole.
    :raises StoreError: when a file could not be read; the store holds the others then.
    """
    from k8sidx.backends.open import open_store

    location = store_location(store)
    opened = open_store(
        location, create=True, cluster=lambda: cluster_options(store, configuration())
    )
    result = opened.rebuild()
    typer.echo(
        f"{location}: rebuilt from {result.parts:,} parts with {result.events:,} events; "
        f"{result.duplicates:,} duplicates left out",
        err=True,
    )
    if result.unreadable:
        raise StoreError(
            f"{len(result.unreadable):,} files cannot be read and are not part of the store: "
            + "; ".join(result.unreadable[:3]),
            remedy="Restore them from a backup, or ship those logs again.",
        )


def _list_secrets(store: StoreChoice, output: Output | None, *, quiet: bool) -> None:
    """Write where the store has values that this version would replace; never the values.

    :raises typer.Exit: with 1 when there are any.
    :raises StoreError: when the store cannot be read as a whole.
    """
    from k8sidx.doctor.secrets import SHOWN, find_secrets
    from k8sidx.show.render.sheet import Sheet, quantity

    scan = find_secrets(open_chosen(store))
    rows = [tuple(secret) for secret in scan.secrets]
    columns = ("location", "auditID", "field", "kind")
    write_sheet(Sheet(columns, rows, "k8sidx doctor --secrets"), effective_format(output))
    line = (
        f"{quantity(scan.events, 'event')} read, {quantity(scan.findings, 'saved finding')}, "
        f"{scan.summaries:,} daily summaries: {quantity(scan.values, 'value')} that this version "
        f"would replace, in {scan.affected:,} of them."
    )
    print_message(line, quiet=quiet and not scan.affected)
    if scan.values > SHOWN:
        print_message(f"The first {SHOWN:,} are listed.")
    if scan.problem:
        raise scan.problem
    if scan.affected:
        print_message("Replace them: k8sidx setup --redact-existing", quiet=quiet)
        raise typer.Exit(EXIT_FINDINGS)


def _check_store(store: StoreChoice) -> Iterator[Check]:
    from k8sidx.backends.check import failed
    from k8sidx.backends.open import open_store
    from k8sidx.doctor.hunts import check_hunts

    location = store_location(store)
    try:
        opened = open_store(
            location, create=True, cluster=lambda: cluster_options(store, configuration())
        )
    except K8sidxError as error:
        yield failed("store", error)
        return
    checks = list(opened.checks(lambda: datetime.now(UTC)))
    yield from checks
    if opened.folder is None and not any(check.exit_code for check in checks):
        yield from check_hunts(opened)
