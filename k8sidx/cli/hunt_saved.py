"""Saved findings in ``k8sidx hunt``: only new ones, and allow-list entries from one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    from k8sidx.hunt.findings.lifecycle import live_findings, series_of
    from k8sidx.hunt.findings.record import finding_id

    saved = live_findings(store, datetime.now(UTC))
    last = {item.id: item.finding.last_seen for item in saved if item.state != "reopened"}
    silenced = {item.series for item in saved if item.state == "silenced"}
    kept = []
    left_out = 0
    for result in results:
        new = []
        for finding in result.findings:
            if series_of(finding) in silenced:
                continue
            identifier = finding_id(finding)
            before = last.get(identifier)
            later = bool(before and finding.last_seen and finding.last_seen > before)
            if identifier not in last or later:
                new.append(finding)
        left_out += len(result.findings) - len(new)
        # The rows of a hunt that reports findings are theirs; tops have rows and no findings.
        rows = [] if result.findings else result.rows
        kept.append(replace(result, findings=new, rows=rows))
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
