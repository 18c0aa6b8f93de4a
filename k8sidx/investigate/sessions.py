"""Sessions: the requests of one caller without a long pause, alike ones folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from k8sidx.hunt.level import urgency
from k8sidx.hunt.result import Finding
from k8sidx.investigate.requests import LONG_AGO, Request

PAUSE = timedelta(minutes=30)
"""Time without a request after which the next one begins another session."""


@dataclass(slots=True)
class Step:
    """Alike requests of a session: reads of the same kind, or repetitions of one sentence.

    :ivar requests: in order of time.
    :ivar findings: what hunts find in them, the most urgent first.
    """

    requests: list[Request]
    findings: list[Finding] = field(default_factory=list)

    @property
    def first(self) -> Request:
        return self.requests[0]

    @property
    def names(self) -> int:
        """Number of objects."""
        return len({(request.namespace, request.name) for request in self.requests})


@dataclass(slots=True)
class Session:
    """Requests of one caller from one address with one program.

    :ivar steps: in order of their first requests.
    """

    steps: list[Step]

    @property
    def first(self) -> Request:
        return self.steps[0].first

    @property
    def requests(self) -> int:
        return sum(len(step.requests) for step in self.steps)

    @property
    def last_time(self) -> datetime | None:
        times = [request.time for step in self.steps for request in step.requests if request.time]
        return max(times, default=None)


def sessions_of(requests: Sequence[Request], findings: Iterable[Finding] = ()) -> list[Session]:
    """Return the sessions, in order of their beginnings.

    :param requests: in order of time.
    :param findings: shown with the first request that is evidence of them.
    """
    by_caller: dict[tuple[str, ...], list[list[Request]]] = {}
    for request in requests:
        runs = by_caller.setdefault(_caller(request), [])
        if not runs or _paused(runs[-1][-1], request):
            runs.append([])
        runs[-1].append(request)
    sessions = [Session(_steps(run)) for runs in by_caller.values() for run in runs]
    sessions.sort(key=lambda session: session.first.time or LONG_AGO)
    _attach(sessions, findings)
    return sessions


def _caller(request: Request) -> tuple[str, ...]:
    return (
        request.cluster, request.user, request.acting_as, request.address,
        request.agent_name or request.agent,
    )  # fmt: skip


def _paused(last: Request, request: Request) -> bool:
    return bool(last.time and request.time and request.time - last.time > PAUSE)


def _steps(requests: Sequence[Request]) -> list[Step]:
    steps: list[Step] = []
    reads: dict[tuple[object, ...], Step] = {}
    for request in requests:
        if request.is_read:
            # A scan of all namespaces is refused in each: one step.
            namespace = "" if request.outcome == "failure" else request.namespace
            key = (
                request.verb, request.group, request.resource, namespace, request.outcome,
                request.code,
            )  # fmt: skip
            if step := reads.get(key):
                step.requests.append(request)
                continue
            reads[key] = step = Step([request])
        elif steps and steps[-1].first.text == request.text:
            steps[-1].requests.append(request)
            continue
        else:
            step = Step([request])
        steps.append(step)
    return steps


def _attach(sessions: Sequence[Session], findings: Iterable[Finding]) -> None:
    by_audit_id: dict[str, Step] = {}
    for session in sessions:
        for step in session.steps:
            for request in step.requests:
                by_audit_id.setdefault(request.audit_id, step)
    for finding in sorted(findings, key=lambda item: (-urgency(item.level), item.hunt)):
        steps = [by_audit_id[i] for i in finding.audit_ids if i in by_audit_id]
        if steps:
            steps[0].findings.append(finding)
