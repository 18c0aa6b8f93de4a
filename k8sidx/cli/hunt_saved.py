"""Saved findings in ``k8sidx hunt``: only new ones, and allow-list entries from one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from k8sidx.cli.output import print_message

if TYPE_CHECKING:
    from k8sidx.backends.store import Store
    from k8sidx.hunt.result import HuntResult


def only_new(store: Store, results: Sequence[HuntResult], *, quiet: bool) -> list[HuntResult]:
    """Return the results without findings that are saved and had no request since, and without
    silenced ones.

    :raises StoreError: when the saved findings cannot be read.
    """
    from k8sidx.hunt.findings.lifecycle import live_findings
    from k8sidx.hunt.findings.unsaved import unsaved_findings

    kept, left_out = unsaved_findings(
        results, live_findings(store, datetime.now(UTC)), repeated=True
    )
    print_message(
        f"{left_out:,} findings that are saved already or silenced are left out.", quiet=quiet
    )
    return kept


def known_good_entry(store: Store, identifier: str) -> str:
    """Return the allow-list entry of a saved finding.

    :raises UsageError: when there is no such finding, or no entry can be about it alone.
    :raises StoreError: when the saved findings cannot be read.
    """
    from k8sidx.hunt.allowlist_suggest import entry_of
    from k8sidx.hunt.findings.lifecycle import live_findings, selected

    now = datetime.now(UTC)
    [item] = selected(live_findings(store, now), [identifier])
    notes = [change.note for change in item.history if change.note]
    return entry_of(item.finding, notes[-1] if notes else "", now.date())
