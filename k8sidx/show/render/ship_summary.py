"""Summary of a ship run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8sidx.show.render.sheet import Sheet, quantity

if TYPE_CHECKING:
    from k8sidx.shipping.pipeline import ShipReport
    from k8sidx.shipping.understood import Example

REASONS_SHOWN = 5
COUNTS = ("read", "indexed", "duplicates", "rejected", "redacted", "seconds")


def shipped_object(report: ShipReport) -> dict[str, object]:
    """Return the counts as JSON shows them (docs/cli.md)."""
    counts: dict[str, object] = {name: getattr(report, name) for name in COUNTS}
    dead_letter = str(report.dead_letter) if report.dead_letter else None
    counts |= {"skipped": report.skipped, "dead_letter": dead_letter}
    if report.relabel:
        counts |= {"relabelled": report.relabelled}
    if report.dropped is not None:
        counts["dropped"] = report.dropped
    return counts if report.spool is None else counts | {"spooled": report.spool.size}


def shipped_sheet(report: ShipReport) -> Sheet:
    """Return the counts as one row."""
    return Sheet(COUNTS, [tuple(getattr(report, name) for name in COUNTS)], "Shipped")


def shipped_lines(report: ShipReport) -> Iterator[str]:
    """Yield the summary: the outcome of every record, and what needs attention."""
    rate = f", {report.read / report.seconds:,.0f}/s" if report.seconds else ""
    redacted = f" ({report.redacted:,} with values redacted)" if report.redacted else ""
    yield (
        f"{quantity(report.read, 'event')} read in {report.seconds:,.1f} s{rate}: "
        f"{report.indexed:,} indexed{redacted}, {quantity(report.duplicates, 'duplicate')}, "
        f"{report.rejected:,} rejected."
    )
    if report.relabel:
        yield (
            f"Relabelled: {quantity(report.relabelled, 'stored event')} of "
            f"{quantity(report.duplicates, 'duplicate')}, with the cluster name {report.relabel}."
        )
    if report.dropped is not None:
        yield f"Dropped by the audit policy, and not stored: {quantity(report.dropped, 'event')}."
    yield from skipped_lines(report)
    yield from rejected_lines(report)
    if report.dead_letter:
        yield f"All rejected records, with the reasons: {report.dead_letter}"


def skipped_lines(report: ShipReport) -> Iterator[str]:
    """Yield what the inputs contained besides audit events."""
    if report.skipped:
        kinds = ", ".join(quantity(count, kind) for kind, count in report.skipped.items())
        yield f"Skipped, since these are not audit events: {kinds}."
    for kind, example in report.examples.items():
        yield f"  {kind}, for example {example_text(example)}"


def not_understood_lines(report: ShipReport) -> Iterator[str]:
    """Yield an error for each input of which nothing was understood."""
    for entry in report.not_understood:
        kinds = ", ".join(quantity(count, kind) for kind, count in entry.skipped.items())
        example = next((example_text(example) for example in entry.examples.values()), "")
        yield (
            f"k8sidx: {entry.input}: no audit event was found, only {kinds}"
            f"{f', for example {example}' if example else ''}."
            " Records of an audit log contain auditID or audit.k8s.io (docs/inputs.md)."
        )


def spool_lines(report: ShipReport) -> Iterator[str]:
    """Yield what the spool contains, and an error for everything that it should contain."""
    spool = report.spool
    if spool is None:
        return
    for lost in spool.lost:
        yield f"k8sidx: {lost}"
    if spool.entries:
        entries = "entry" if spool.entries == 1 else "entries"
        yield (
            f"Not delivered: {spool.entries:,} {entries} ({spool.size:,} bytes) in the spool "
            f"{spool.folder}; the next start delivers them first."
        )


def example_text(example: Example) -> str:
    """Return the location of a skipped record, and how it begins."""
    return f"{example.where}: {example.text}" if example.text else str(example.where)


def rejected_lines(report: ShipReport) -> Iterator[str]:
    """Yield the location and the reason of the first rejected records."""
    for rejected in report.rejects[:REASONS_SHOWN]:
        yield f"  {rejected.where}: {rejected.reason}"
    left = report.rejected - min(len(report.rejects), REASONS_SHOWN)
    if left and report.rejects:
        yield f"  … and {left:,} more"
