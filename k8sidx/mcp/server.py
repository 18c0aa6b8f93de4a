"""Model Context Protocol server: read-only tools over a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from k8sidx import __version__
from k8sidx.backends.protocol import QueryOptions
from k8sidx.backends.store import Store
from k8sidx.errors import K8sidxError
from k8sidx.hunt.findings.lifecycle import LIVE, live_findings
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.run import Window
from k8sidx.hunt.run import run_hunts as run
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from k8sidx.investigate import selectors
from k8sidx.investigate.lookup import by_ids, whole_events
from k8sidx.investigate.requests import read_requests
from k8sidx.investigate.scope import Period, scope_of
from k8sidx.investigate.who import parse_act
from k8sidx.investigate.who import who as who_did
from k8sidx.mcp.untrusted import INSTRUCTIONS, marked
from k8sidx.query.algebra import And, Condition
from k8sidx.query.durations import parse_moment
from k8sidx.show.render.escape import visible
from k8sidx.show.render.findings import finding_document
from k8sidx.show.render.formats.json import finding_object, hunt_object
from k8sidx.show.render.requests import requests_sheet
from k8sidx.show.render.view import document, records

MAX_ROWS = 200
"""Rows of one result."""
SECONDS = 30.0
"""Time limit of one query."""

P = ParamSpec("P")
_READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True)


def _tool(function: Callable[P, Mapping[str, Any]]) -> Callable[P, str]:
    """Return the tool of a function: its result marked, its errors as those of the protocol."""

    @wraps(function)
    def tool(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return marked(function(*args, **kwargs))
        except K8sidxError as error:
            raise ToolError(visible(str(error))) from None

    tool.__annotations__ = {**function.__annotations__, "return": str}
    return tool


def make_server(store: Store, lists: Lists) -> MCPServer[Any]:
    """Return the server of a store; nothing is written to it.

    :param lists: values of hunts' placeholders.
    """
    server: MCPServer[Any] = MCPServer(
        "k8sidx", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR"
    )
    tools = _Tools(store, lists)
    for function in (
        tools.list_hunts, tools.explain_hunt, tools.run_hunt, tools.query, tools.timeline,
        tools.who, tools.show_event, tools.findings,
    ):  # fmt: skip
        server.tool(annotations=_READ_ONLY, structured_output=False)(_tool(function))
    return server


class _Tools:
    """The tools, whose docstrings a model reads."""

    def __init__(self, store: Store, lists: Lists) -> None:
        self._store = store
        self._lists = lists
        self._limits = QueryOptions(timeout=SECONDS)

    def list_hunts(self, text: str = "", level: str = "") -> dict[str, Any]:
        """List hunts (detections) whose id or title contains a text, of one level."""
        hunts = [
            {"id": hunt.id, "title": hunt.title, "level": hunt.level, "tags": hunt.tags}
            for hunt in load_library(self._lists)
            if text.lower() in f"{hunt.id} {hunt.title}".lower() and level in ("", hunt.level)
        ]
        return {"hunts": hunts}

    def explain_hunt(self, hunt_id: str) -> dict[str, Any]:
        """Explain a hunt: what it finds, how to judge it, its false positives, what is next."""
        [hunt] = _library([hunt_id], self._lists)
        return {
            "id": hunt.id,
            "title": hunt.title,
            "level": hunt.level,
            "description": hunt.description,
            "finds": hunt.describe(),
            "false_positives": hunt.falsepositives,
            "hypothesis": hunt.steps.hypothesis,
            "next": hunt.steps.next,
        }

    def run_hunt(self, hunt_id: str, since: str = "", until: str = "") -> dict[str, Any]:
        """Run a hunt of the library: its findings, rows and what it cannot judge.

        since and until are ISO-8601, yesterday, or an age such as 24h.
        """
        hunts = _library([hunt_id], self._lists)
        period = _period(since, until)
        with self._store.engine(self._limits) as engine:
            scope = scope_of(engine, period)
            [result] = run(hunts, engine, Window(period.since, period.until))
        members = hunt_object(result, finding_object)
        left = max(len(result.rows) - MAX_ROWS, 0) + max(len(result.findings) - MAX_ROWS, 0)
        data = document(scope, "findings" if result.findings else "no_findings", **members)
        data["rows"] = result.rows[:MAX_ROWS]
        data["findings"] = data["findings"][:MAX_ROWS]
        return {**data, "left_out": left}

    def query(self, text: str, since: str = "", until: str = "") -> dict[str, Any]:
        """Run a CloudWatch Logs Insights query, for example
        stats count(*) as n by user.username | sort n desc | limit 10."""
        period = _period(since, until)
        warnings: list[str] = []
        with self._store.engine(self._limits) as engine:
            scope = scope_of(engine, period)
            result = run_program(
                parse(text), engine, period.since, period.until, on_warning=warnings.append
            )
        return document(
            scope,
            "rows" if result.rows else "no_rows",
            columns=result.columns,
            rows=result.rows[:MAX_ROWS],
            warnings=warnings,
            left_out=max(len(result.rows) - MAX_ROWS, 0),
        )

    def timeline(
        self,
        actor: str = "",
        ip: str = "",
        credential: str = "",
        object: str = "",
        since: str = "",
        until: str = "",
    ) -> dict[str, Any]:
        """List the requests of an actor, an address, a credential, or about an object
        (namespace/kind/name), in order of time; the latest ones where there are many."""
        conditions: list[Condition] = []
        if actor:
            conditions.append(selectors.by_actor(actor))
        if ip:
            conditions.append(selectors.by_address(ip))
        if credential:
            conditions.append(selectors.by_credential(credential))
        if object:
            conditions.append(selectors.by_object(selectors.parse_object(object)))
        if not conditions:
            raise ToolError("give actor, ip, credential or object")
        period = _period(since, until)
        with self._store.engine(self._limits) as engine:
            scope = scope_of(engine, period)
            requests = read_requests(engine, And(tuple(conditions)), period, limit=MAX_ROWS)
        return document(
            scope,
            "events" if requests.rows else "no_events",
            requests=records(requests_sheet(requests.rows)),
            left_out=requests.events - requests.read,
        )

    def who(
        self,
        act: str,
        object: str,
        since: str = "",
        until: str = "",
    ) -> dict[str, Any]:
        """List who created, changed, deleted, read, used or touched an object
        (namespace/kind/name), and who possibly did."""
        period = _period(since, until)
        reference = selectors.parse_object(object)
        with self._store.engine(self._limits) as engine:
            scope = scope_of(engine, period)
            answer = who_did(engine, parse_act(act) or act, reference, period, limit=MAX_ROWS)
        return document(
            scope,
            act if answer.requests else "nobody_by_name",
            requests=records(requests_sheet(answer.requests)),
            possible_causes=records(requests_sheet(answer.causes)),
            left_out=max(answer.events - MAX_ROWS, 0),
        )

    def show_event(self, event_id: str) -> dict[str, Any]:
        """Return the whole events with an auditID or event id, secrets redacted."""
        with self._store.engine(self._limits) as engine:
            scope = scope_of(engine, Period())
            events = whole_events(engine, by_ids([event_id]), limit=10)
        # A string each: a model needs no structure, and long ones are cut.
        return document(scope, "events" if events else "no_events", events=events)

    def findings(self, state: str = "live") -> dict[str, Any]:
        """List saved findings in a state: live, open, acknowledged, reopened, closed, silenced."""
        everything = live_findings(self._store, datetime.now(UTC))
        states = LIVE if state == "live" else {state}
        chosen = [finding_document(item) for item in everything if item.state in states]
        return {
            "findings": chosen[:MAX_ROWS],
            "saved": len(everything),
            "left_out": max(len(chosen) - MAX_ROWS, 0),
        }


def _library(ids: list[str], lists: Lists) -> list[Any]:
    """Return hunts by id; never a file, whose path a model would choose."""
    from k8sidx.hunt.library.load import library_ids

    unknown = [name for name in ids if name not in library_ids()]
    if unknown:
        raise ToolError(f"no hunt is named {visible(unknown[0])!r}; list_hunts lists them")
    return load_hunts(ids, lists)


def _period(since: str, until: str) -> Period:
    now = datetime.now(UTC)
    return Period(
        parse_moment(since, now) if since else None, parse_moment(until, now) if until else None
    )
