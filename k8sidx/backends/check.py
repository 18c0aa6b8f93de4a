"""Results of health checks, and the checks that every kind of store shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from k8sidx.errors import K8sidxError
from k8sidx.events.fields.moment import to_moment

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one health check.

    :param seen: the present state.
    :param mend: the suggested fix; empty when none is needed.
    :param exit_code: exit code of a command that depends on it.
    """

    name: str
    state: State
    seen: str
    mend: str = ""
    exit_code: int = 0


def failed(name: str, error: K8sidxError) -> Check:
    """Return an error as a check: its message as what was seen, its remedy as the fix."""
    where = f"{error.where}: " if error.where else ""
    return Check(name, "fail", f"{where}{error.message}", error.remedy, error.exit_code)


def latest_event(last: int | None, now: datetime) -> Check:
    """Check how recent the events are.

    :param last: ``@timestamp`` of the latest one in microseconds since 1970.
    """
    if last is None:
        return Check("latest event", "warn", "there is none", "Ship events: k8sidx ship INPUT")
    since = int(now.timestamp()) - last // 1_000_000
    moment = to_moment(last).isoformat(" ", "seconds").replace("+00:00", "Z")
    if since < -3600:
        mend = "Check the clocks of the API servers; --until now excludes such events."
        return Check("latest event", "warn", f"{moment}, in the future", mend)
    return Check("latest event", "ok", f"{moment}, {age(max(since, 0))} ago")


def age(seconds: int) -> str:
    """Return a time span for people, in its largest fitting unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {unit}"
    return f"{seconds} seconds"
