"""``k8sidx doctor`` command: setup checks with suggested fixes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import (
    DebugOption,
    OutputOption,
    QuietOption,
    configuration,
)
from k8sidx.cli.output import effective_format, write_sheet
from k8sidx.cli.store import (
    AS_CONFIGURED,
    StoreChoice,
    cluster_options,
    store_location,
    takes_store,
)
from k8sidx.errors import K8sidxError

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
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check the setup and suggest fixes."""
    from k8sidx.doctor.environment import check_configuration, check_software
    from k8sidx.show.render.sheet import Sheet

    configured = check_configuration(lambda: configuration().source)
    checks = [check_software(), configured]
    if store.store is not None or configured.state != "fail":
        checks += _check_store(store)
    rows = [(check.name, check.state, check.seen, check.mend) for check in checks]
    write_sheet(
        Sheet(("check", "state", "seen", "mend"), rows, "k8sidx doctor"), effective_format(output)
    )
    exit_code = max((check.exit_code for check in checks), default=0)
    if exit_code:
        raise typer.Exit(exit_code)


def _check_store(store: StoreChoice) -> Iterator[Check]:
    from k8sidx.backends.check import failed
    from k8sidx.backends.open import open_store

    location = store_location(store)
    try:
        opened = open_store(
            location, create=True, cluster=lambda: cluster_options(store, configuration())
        )
    except K8sidxError as error:
        yield failed("store", error)
        return
    yield from opened.checks(lambda: datetime.now(UTC))
