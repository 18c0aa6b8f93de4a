"""Requests of an investigation, read from the events that a condition selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from k8sidx.backends.protocol import Engine
from k8sidx.events import sentence as sentences
from k8sidx.events.fields.lookup import resolve
from k8sidx.investigate.scope import CLUSTER, Period
from k8sidx.query.algebra import Condition, Metric, Order, Query

LIMIT = 10_000
"""Events that are read at most, unless the user wants more."""
OPENING = frozenset({"RequestReceived", "ResponseStarted"})
"""Stages before a request's last one."""

CREDENTIAL = "user.extra.authentication.kubernetes.io/credential-id"
COLUMNS = (
    "event.id", "@timestamp", "auditID", "level", "user.username", "impersonatedUser.username",
    "source.ip", "source.claimed_ip", "userAgent", "user_agent.name", "objectRef.apiGroup",
    CLUSTER, CREDENTIAL, *sentences.FIELDS,
)  # fmt: skip
"""Fields that a request is read from."""
STORED = frozenset(resolve(name).field.name for name in COLUMNS)
"""The stored fields behind them."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its last event, or the first one while it is open.

    :param user: who authenticated; ``acting_as`` the user that it impersonated, else empty.
    :param resource: with the subresource, ``pods/exec``; the path for other requests.
    :param text: the sentence on it.
    """

    id: str
    audit_id: str
    time: datetime | None
    cluster: str
    stage: str
    level: str
    user: str
    acting_as: str
    address: str
    claimed_address: str
    agent: str
    agent_name: str
    credential: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    code: int | None
    outcome: str
    text: str

    @property
    def is_read(self) -> bool:
        return self.verb in sentences.READS and "/" not in self.resource


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests in order of time.

    :param events: events that the condition selects.
    :param read: how many of them were read, the latest ones.
    """

    rows: tuple[Request, ...]
    events: int
    read: int


def count_events(engine: Engine, where: Condition, period: Period) -> int:
    """Return the number of events that a condition selects."""
    query = Query(
        where=where, since=period.since, until=period.until, metrics=(Metric("n", "count"),)
    )
    count = engine.run(query).rows[0][0]
    return count if isinstance(count, int) else 0


def read_requests(
    engine: Engine, where: Condition, period: Period, *, limit: int = LIMIT
) -> Requests:
    """Return the requests that a condition selects.

    :param limit: number of events to read at most: the latest ones.
    :raises StoreError: when the store cannot be read.
    """
    rows = read_rows(engine, where, period, COLUMNS, limit=limit)
    events = len(rows) if len(rows) < limit else count_events(engine, where, period)
    requests = [request_of(row) for row in reversed(rows)]
    return Requests(tuple(_without_opening(requests)), events, len(rows))


def read_rows(
    engine: Engine, where: Condition, period: Period, columns: Sequence[str], *, limit: int
) -> list[dict[str, Any]]:
    """Return the latest events that a condition selects, the latest first, by stored name."""
    query = Query(
        where=where,
        since=period.since,
        until=period.until,
        select=tuple(dict.fromkeys(columns)),
        order=(Order("@timestamp", descending=True), Order("event.id", descending=True)),
        limit=limit,
    )
    return [dict(zip(query.columns, row, strict=True)) for row in engine.run(query).rows]


def request_of(row: Mapping[str, Any]) -> Request:
    """Return the request of an event.

    :param row: the stored fields of :data:`COLUMNS`.
    """

    def text(name: str) -> str:
        return str(row.get(name) or "")

    resource, subresource = text("objectRef.resource"), text("objectRef.subresource")
    if resource and subresource:
        resource = f"{resource}/{subresource}"
    time, code = row.get("@timestamp"), row.get("responseStatus.code")
    return Request(
        id=text("event.id"),
        audit_id=text("auditID"),
        time=time if isinstance(time, datetime) else None,
        cluster=text(CLUSTER),
        stage=text("stage"),
        level=text("level"),
        user=text("user.username"),
        acting_as=text("impersonatedUser.username"),
        address=text("source.ip"),
        claimed_address=text("source.claimed_ip"),
        agent=text("userAgent"),
        agent_name=text("user_agent.name"),
        credential=text(CREDENTIAL),
        verb=text("verb"),
        group=text("objectRef.apiGroup"),
        resource=resource or text("url.path") or text("requestURI"),
        namespace=text("objectRef.namespace"),
        name=text("target.name") or text("requestObject.metadata.name"),
        code=code if isinstance(code, int) else None,
        outcome=text("event.outcome") or "unknown",
        text=sentences.sentence(row),
    )


def _without_opening(requests: Sequence[Request]) -> list[Request]:
    """Return the requests without the events that begin one whose end is there as well.

    Not by auditID alone, which a client can choose: by everything else that both stages share.
    A name that the server generates is missing in the first one.
    """
    later: set[Request] = set()
    kept = []
    for request in reversed(requests):
        identity = _identity(request)
        if request.stage in OPENING and identity in later:
            continue
        later |= {identity, replace(identity, name="")}
        kept.append(request)
    return kept[::-1]


def _identity(request: Request) -> Request:
    return replace(request, id="", time=None, stage="", level="", code=None, outcome="", text="")
