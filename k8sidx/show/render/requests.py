"""Requests as a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8sidx.backends.result import Value
from k8sidx.investigate.requests import Request
from k8sidx.show.render.sheet import Sheet

COLUMNS = (
    "time", "who", "as", "from", "did", "outcome", "code", "verb", "resource", "namespace",
    "name", "agent", "credential", "cluster", "audit_id",
)  # fmt: skip


def caller(request: Request) -> str:
    """Return the caller with the user that it acts as."""
    user = request.user or "an unknown user"
    return f"{user} as {request.acting_as}" if request.acting_as else user


def values(request: Request) -> tuple[Value, ...]:
    """Return the values of :data:`COLUMNS`; empty ones are missing."""
    return (
        request.time, request.user or None, request.acting_as or None, request.address or None,
        request.text, request.outcome, request.code, request.verb or None,
        request.resource or None, request.namespace or None, request.name or None,
        request.agent or None, request.credential or None, request.cluster or None,
        request.audit_id or None,
    )  # fmt: skip


def requests_sheet(requests: Iterable[Request], title: str = "") -> Sheet:
    """Return one row per request, with all columns."""
    return Sheet(COLUMNS, [values(request) for request in requests], title)


def short_sheet(requests: Sequence[Request], title: str = "", notes: tuple[str, ...] = ()) -> Sheet:
    """Return one row per request, with the columns that a terminal has room for."""
    rows: list[tuple[Value, ...]] = [
        (request.time, caller(request), request.address or None, request.text, request.audit_id)
        for request in requests
    ]
    columns: tuple[str, ...] = ("time", "who", "from", "did", "audit_id")
    if any(request.cluster for request in requests):
        columns = ("cluster", *columns)
        rows = [(request.cluster, *row) for request, row in zip(requests, rows, strict=True)]
    return Sheet(columns, rows, title, notes=notes)
