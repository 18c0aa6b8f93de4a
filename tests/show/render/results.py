"""Hunt results to render: one that ranks, one that found, one without rows, one hostile."""

from __future__ import annotations

from datetime import UTC, datetime

from k8sidx.hunt.result import Finding, HuntResult, Unjudged

MORNING = datetime(2024, 5, 1, 10, 22, 3, 250_000, tzinfo=UTC)
NOON = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)

RANKED = HuntResult(
    hunt="topn_user_agent",
    title="Busiest client strings",
    level="informational",
    engine="duckdb",
    exact=True,
    columns=("userAgent", "count"),
    rows=[("kubectl/v1.30, linux", 12_227), ("-curl/8", 11)],
)
FOUND = HuntResult(
    hunt="secret_read_burst",
    title="Many distinct secrets read by one caller",
    level="high",
    engine="duckdb",
    exact=False,
    columns=("user.username", "first_seen", "count"),
    rows=[("alice", MORNING, 15)],
    findings=[
        Finding(
            hunt="secret_read_burst",
            level="high",
            key={"user.username": "alice"},
            count=15,
            first_seen=MORNING,
            last_seen=NOON,
            reason="alice read 15 distinct secrets in 30 minutes.",
            audit_ids=("a-1", "a-2"),
        )
    ],
    notes=("3 events are known good.",),
    cannot_judge=(Unjudged("truncated", "3 events have truncated bodies.", 3, ("a-7",)),),
)
EMPTY = HuntResult(
    hunt="pod_exec",
    title="Command run in a pod",
    level="medium",
    engine="duckdb",
    exact=True,
    columns=("user.username", "count"),
    rows=[],
)
EVIL = "=x|\x1b[2J\u202e</td><script>alert(1)</script>[a](http://e)`\n| x |[bold]:smile:"
HOSTILE = HuntResult(
    hunt="new_user_agent",
    title="New client",
    level="low",
    engine="duckdb",
    exact=True,
    columns=("userAgent", "list", "count"),
    rows=[(EVIL, [EVIL, "b"], 1), (None, [], 2)],
    findings=[Finding("new_user_agent", "low", {"userAgent": EVIL}, 1, None, None, EVIL, (EVIL,))],
    notes=(EVIL,),
)
