"""Address databases of a command: those of its option, else those of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.cli.options import configuration
from k8sidx.cli.output import print_message

if TYPE_CHECKING:
    from collections.abc import Sequence


def address_databases(given: Sequence[Path] | None, *, quiet: bool) -> tuple[Path, ...]:
    """Return the databases' files, and print of which day each is.

    A database has no date of expiry, so an old one is used, and that it is old is printed even
    with ``--quiet``.

    :raises UsageError: when one cannot be read, is damaged or has no places.
    """
    paths = tuple(given or map(Path, configuration().address_databases))
    if not paths:
        return ()
    from k8sidx.events.normalize.places import AddressDatabases

    for build in AddressDatabases(paths).builds:
        text = f"places of addresses: {build.kind} of {build.made:%F} ({build.path})"
        if build.is_outdated:
            print_message(f"{text} is outdated: addresses have moved since. Download it again.")
        else:
            print_message(text, quiet=quiet)
    return paths
