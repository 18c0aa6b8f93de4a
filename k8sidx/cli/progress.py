"""Progress display on stderr, only when stderr is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8sidx.hunt.definition import Hunt
    from k8sidx.shipping.pipeline import ShipProgress


@contextmanager
def shipping(*, quiet: bool) -> Iterator[Callable[[ShipProgress], None] | None]:
    """Show a bar with events, events per second and, for a known size, the time left."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from k8sidx.show.render.terminal import console_on

    columns = (
        TextColumn("{task.fields[events]:,} events"),
        BarColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Bar(*columns, console=console_on(sys.stderr), transient=True) as bar:
        task = bar.add_task("ship", total=None, events=0, rate=0.0)

        def update(progress: ShipProgress) -> None:
            rate = progress.events / max(time.monotonic() - began, 0.001)
            bar.update(
                task,
                total=progress.bytes_total,
                completed=progress.bytes_done,
                events=progress.events,
                rate=rate,
            )

        yield update


@contextmanager
def hunting(count: int, *, quiet: bool) -> Iterator[Callable[[Hunt], None] | None]:
    """Show the current hunt and the number of hunts done."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    from k8sidx.show.render.escape import visible
    from k8sidx.show.render.terminal import console_on

    columns = (MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=console_on(sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=count)
        begun = 0

        def start(hunt: Hunt) -> None:
            nonlocal begun
            bar.update(task, completed=begun, description=visible(hunt.id))
            begun += 1

        yield start


@contextmanager
def querying(*, quiet: bool) -> Iterator[None]:
    """Show the time elapsed since a query was sent."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TimeElapsedColumn

    from k8sidx.show.render.terminal import console_on

    columns = (SpinnerColumn("line"), TimeElapsedColumn())
    with Bar(*columns, console=console_on(sys.stderr), transient=True) as bar:
        bar.add_task("query", total=None)
        yield
