"""Open store, period and scope of the commands of an investigation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from k8sidx.cli.exit import EXIT_REJECTED
from k8sidx.cli.inputs import store_or_inputs
from k8sidx.cli.output import effective_format, print_document, print_message
from k8sidx.cli.selection import answering, period
from k8sidx.cli.store import StoreChoice
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from k8sidx.backends.protocol import StoreEngine
    from k8sidx.backends.store import Store
    from k8sidx.investigate.judged import Judged
    from k8sidx.investigate.scope import Period, Scope
    from k8sidx.show.render.view import View


@dataclass(frozen=True, slots=True)
class Investigation:
    """An open store, and what there is to look at in it.

    :param quiet: print no messages.
    """

    store: Store
    engine: StoreEngine
    period: Period
    scope: Scope
    quiet: bool

    def show(self, view: View, output: Output | None) -> None:
        """Print a result, and how much was searched."""
        print_document(load_format(effective_format(output)).view(view))
        self.print_scope()

    def notice(self, line: str) -> None:
        """Print a message."""
        print_message(line, quiet=self.quiet)

    def print_scope(self) -> None:
        """Print how much was searched."""
        from k8sidx.show.render.view import scope_line

        self.notice(scope_line(self.scope))

    def print_judged(self, result: Judged) -> None:
        """Print how many hunts judged the events, and how many compare with others."""
        from k8sidx.show.render.sheet import quantity

        self.notice(
            f"{result.hunts:,} hunts ran over {quantity(result.events, 'event')}; "
            f"{result.others:,} others compare with other events and did not: k8sidx hunt --all"
        )

    def print_unread(self, events: int, read: int) -> None:
        """Print how many events were left out because of ``--limit``."""
        if read < events:
            self.notice(
                f"only the latest {read:,} of {events:,} events are shown; "
                "give a larger --limit or a shorter period for the others."
            )


@contextmanager
def investigating(
    store: StoreChoice,
    inputs: Sequence[str],
    times: tuple[str | None, str | None],
    timeout: str | None,
    *,
    quiet: bool,
) -> Iterator[Investigation]:
    """Open the store or the inputs.

    :param times: ``--since`` and ``--until``.
    :raises UsageError: when a time is invalid, or there is no event to look at.
    :raises typer.Exit: at the end of the block, when some of the input was rejected.
    """
    from k8sidx.investigate.scope import Period, scope_of

    chosen = Period(*period(*times))
    how = answering(timeout, approximate=False, quiet=quiet)
    with (
        store_or_inputs(store, inputs, None, quiet=quiet) as (used, report),
        used.engine(how) as engine,
    ):
        yield Investigation(used, engine, chosen, scope_of(engine, chosen), quiet)
    if report and (report.rejected or report.not_understood):
        raise typer.Exit(EXIT_REJECTED)
