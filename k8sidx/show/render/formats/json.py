"""JSON output (docs/cli.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from k8sidx.backends.result import Result
from k8sidx.hunt.actor_timeline import ActorTimeline
from k8sidx.hunt.result import EventsJudged, Finding, HuntResult
from k8sidx.show.render.escape import json_text
from k8sidx.show.render.formats.base import Document, Format
from k8sidx.show.render.hunt_details import HuntDetails, details_object
from k8sidx.show.render.sheet import Sheet
from k8sidx.show.render.ship_summary import shipped_object
from k8sidx.show.render.story_text import step_commands
from k8sidx.show.render.view import View

if TYPE_CHECKING:
    from k8sidx.shipping.pipeline import ShipReport


class JsonFormat(Format):
    """JSON: one indented value."""

    def sheet(self, sheet: Sheet) -> str:
        """Write a list of objects, keyed by column."""
        return _text([dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows])

    def hunts(self, results: Sequence[HuntResult]) -> str:
        """Write a list with one object per hunt."""
        return _text([hunt_object(result) for result in results])

    def stories(self, stories: Sequence[ActorTimeline]) -> str:
        """Write a list with one object per story."""
        return _text([story_object(story) for story in stories])

    def query(self, result: Result, title: str, judged: EventsJudged | None = None) -> str:
        """Write one object. Its rows are lists, since columns may share a name."""
        return _text(
            {
                "engine": result.engine,
                "exact": result.exact,
                **judged_object(judged),
                "columns": result.columns,
                "rows": result.rows,
            }
        )

    def view(self, view: View) -> str:
        """Write one object: the rows, and what was looked at."""
        return _text(view.document)

    def hunt_details(self, hunts: Sequence[HuntDetails]) -> list[Document]:
        """Write the object of a single hunt, or a list of several."""
        objects = [details_object(details) for details in hunts]
        return [_text(objects[0] if len(objects) == 1 else objects)]

    def shipped(self, report: ShipReport) -> str:
        """Write one object; ``read`` is ``indexed`` + ``duplicates`` + ``rejected``."""
        return _text(shipped_object(report))


FORMAT = JsonFormat()


def _text(data: object) -> str:
    return json_text(data) + "\n"


def finding_object(finding: Finding) -> dict[str, object]:
    """Return the object of a finding."""
    return {
        "hunt": finding.hunt,
        "level": finding.level,
        "actor": finding.actor or None,
        "key": finding.key,
        "count": finding.count,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "reason": finding.reason,
        "audit_ids": finding.audit_ids,
    }


def followed_up(finding: Finding) -> dict[str, object]:
    """Return the object of a finding with its outcome and commands that follow it up."""
    return {
        **finding_object(finding),
        "outcome": finding.outcome or "unknown",
        "next": step_commands(finding, ""),
    }


def hunt_object(
    result: HuntResult, finding: Callable[[Finding], dict[str, object]] = followed_up
) -> dict[str, object]:
    """Return the object of a hunt result.

    :param finding: makes the objects of findings.
    """
    return {
        "hunt": result.hunt,
        "title": result.title,
        "level": result.level,
        "engine": result.engine,
        "exact": result.exact,
        **judged_object(result.judged),
        "columns": result.columns,
        "rows": result.rows,
        "findings": [finding(each) for each in result.findings],
        "notes": result.notes,
        "cannot_judge": [
            {
                "kind": gap.kind,
                "reason": gap.reason,
                "count": gap.count,
                "audit_ids": gap.audit_ids,
            }
            for gap in result.cannot_judge
        ],
        "tags": result.tags,
        "falsepositives": result.falsepositives,
    }


def judged_object(judged: EventsJudged | None) -> dict[str, object]:
    """Return what a run looked at: an all-clear over no events is not one."""
    if judged is None:
        return {}
    return {
        "events_judged": judged.count,
        "first_event": judged.first,
        "last_event": judged.last,
        "newest_event": judged.newest,
        "clusters": judged.cluster_names,
    }


def story_object(story: ActorTimeline) -> dict[str, object]:
    """Return the object of a story."""
    return {
        "actor": story.actor,
        "level": story.level,
        "chain": [finding.hunt for finding in story.chain],
        "chain_text": story.chain_text,
        "outcome": story.outcome or None,
        "first_seen": story.first_seen,
        "last_seen": story.last_seen,
        "steps": [[followed_up(finding) for finding in step] for step in story.steps],
    }
