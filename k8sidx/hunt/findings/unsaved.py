"""Findings of a run that are not among the saved ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from k8sidx.backends.result import Value
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.hunt.findings.lifecycle import LiveFinding, series_of
from k8sidx.hunt.findings.record import finding_id, identity_of
from k8sidx.hunt.kinds.time_window import CLUSTER
from k8sidx.hunt.result import UNNAMED, Finding, HuntResult


class Unsaved(NamedTuple):
    """Results of a run without findings that are already saved.

    :param results: with the new findings alone.
    :param left_out: how many others there were.
    """

    results: list[HuntResult]
    left_out: int


def unsaved_findings(
    results: Sequence[HuntResult], saved: Sequence[LiveFinding], *, repeated: bool
) -> Unsaved:
    """Return the results without findings that are saved, and without silenced ones.

    A finding that somebody closed is new when requests came later.

    :param repeated: whether a saved finding is new as well when requests came later.
    """
    last = {item.id: item.finding.last_seen for item in saved if item.state != "reopened"}
    closed = {item.id for item in saved if item.state == "closed"}
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
            if identifier not in last or (later and (repeated or identifier in closed)):
                new.append(finding)
        left_out += len(result.findings) - len(new)
        # The rows of a hunt that reports findings are theirs; tops have rows and no findings.
        rows = [] if result.findings else result.rows
        kept.append(replace(result, findings=new, rows=rows))
    return Unsaved(kept, left_out)


def continued(
    results: Iterable[HuntResult],
    saved: Iterable[LiveFinding],
    look_back: Mapping[str, timedelta],
) -> list[HuntResult]:
    """Return results of some time with findings that continue saved ones as those.

    A run that sees the end of a burst alone finds it with a later beginning, and one that sees
    the events of one cluster finds it without the cluster's name.

    :param look_back: by hunt, how far apart the parts of one finding can be.
    """
    known: dict[tuple[str, bytes], list[Finding]] = defaultdict(list)
    for item in saved:
        known[_identity(item.finding)].append(item.finding)
    return [
        replace(
            result,
            findings=[
                _as_before(finding, known[_identity(finding)], look_back.get(finding.hunt))
                for finding in result.findings
            ],
        )
        for result in results
    ]


def _as_before(finding: Finding, before: Sequence[Finding], look_back: timedelta | None) -> Finding:
    for earlier in before:
        if _goes_on(finding, earlier, look_back or timedelta(0)):
            start = min(filter(None, (finding.first_seen, earlier.first_seen)), default=None)
            return replace(finding, key=earlier.key | _lists(finding.key), first_seen=start)
    return finding


def _goes_on(finding: Finding, earlier: Finding, look_back: timedelta) -> bool:
    if finding.first_seen is None or earlier.first_seen is None or earlier.last_seen is None:
        return finding.first_seen is earlier.first_seen
    if finding.first_seen.date() == earlier.first_seen.date():
        return True
    return earlier.first_seen <= finding.first_seen <= earlier.last_seen + look_back


def _lists(key: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in key.items() if isinstance(value, list)}


def _identity(finding: Finding) -> tuple[str, bytes]:
    key = {
        name: value
        for name, value in identity_of(finding.key).items()
        if not (name == CLUSTER and value in (UNNAMED, None))
    }
    return finding.hunt, canonical_json(key)
