"""``--input``: files read instead of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from k8sidx.cli import progress
from k8sidx.cli.output import print_message
from k8sidx.cli.places import address_databases
from k8sidx.cli.store import StoreChoice, open_chosen

if TYPE_CHECKING:
    from k8sidx.backends.store import Store
    from k8sidx.shipping.pipeline import ShipReport


def separate_inputs(
    words: Sequence[str], inputs: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Separate words from inputs: a shell's glob after ``--input`` leaves files among the words."""
    if not inputs:
        return tuple(words), ()
    more = [word for word in words if _is_input(word)]
    return tuple(word for word in words if word not in more), (*inputs, *more)


def _is_input(word: str) -> bool:
    try:
        return Path(word).suffix not in (".yml", ".yaml") and Path(word).is_file()
    except OSError:
        # Longer than a path can be.
        return False


@contextmanager
def store_or_inputs(
    store: StoreChoice, inputs: Sequence[str], columns: frozenset[str] | None, *, quiet: bool
) -> Iterator[tuple[Store, ShipReport | None]]:
    """Open the store, or a temporary one filled from the inputs.

    :param columns: names of the fields to read from the inputs; ``None`` for whole events.
    """
    from k8sidx.backends.open import temporary_store

    if not inputs:
        yield open_chosen(store), None
        return
    with temporary_store(columns) as made:
        yield made, _shipped(inputs, made, quiet=quiet)


def _shipped(inputs: Sequence[str], store: Store, *, quiet: bool) -> ShipReport:
    from k8sidx.shipping.pipeline import ShipOptions, ship
    from k8sidx.show.render.ship_summary import (
        not_understood_lines,
        rejected_lines,
        skipped_lines,
    )

    options = ShipOptions(address_databases=address_databases(None, quiet=quiet))
    with progress.shipping(quiet=quiet) as on_progress:
        report = ship(inputs, store, options, on_progress)
    for line in skipped_lines(report):
        print_message(line, quiet=quiet)
    if not report.read:
        print_message("the inputs contain no audit events.", quiet=quiet)
    if report.rejected:
        print_message(f"{report.rejected:,} of {report.read:,} records were rejected:", quiet=quiet)
    for line in rejected_lines(report):
        print_message(line, quiet=quiet)
    for line in not_understood_lines(report):
        print_message(line)
    return report
