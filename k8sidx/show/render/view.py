"""Views: one result in the forms that output formats need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8sidx.investigate.requests import Request
from k8sidx.investigate.scope import Scope
from k8sidx.show.render.sheet import Sheet, quantity, readable_time

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class View:
    """A result to print.

    :param sheet: its rows, for table formats.
    :param document: all of it, for JSON.
    :param draw: prints it on a terminal; ``None`` for the sheet.
    :param requests: its rows where all of them are requests, else ``None``.
    """

    sheet: Sheet
    document: Mapping[str, Any] = field(default_factory=dict)
    draw: Callable[[Console], None] | None = None
    requests: Sequence[Request] | None = None


def records(sheet: Sheet) -> list[dict[str, Any]]:
    """Return the rows as objects, keyed by column."""
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]


def document(scope: Scope, verdict: str, **more: Any) -> dict[str, Any]:
    """Return the JSON of a result with what was looked at."""
    return {
        "looked_at": {
            "events": scope.events,
            "first": scope.first,
            "last": scope.last,
            "clusters": list(scope.clusters),
        },
        "verdict": verdict,
        **more,
    }


def scope_line(scope: Scope) -> str:
    """Return the sentence on what was looked at."""
    named = [f"cluster {name}" if name else "a cluster without a name" for name in scope.clusters]
    clusters = ", ".join(named) if len(named) <= 3 else f"{len(named):,} clusters"
    period = f"{readable_time(scope.first)} to {readable_time(scope.last)}"
    return f"looked at {quantity(scope.events, 'event')} of {clusters}, {period}."
