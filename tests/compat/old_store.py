"""The store that the old code made, and what was asked of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.compat.running import HERE, printed

STORE = HERE / "store-dfe4889"
LOG = HERE / "generated.log.zst"
"""What was shipped into it."""

ANSWERS = HERE / "answers-dfe4889"
"""What commands printed, a file each."""

_PERIOD = ("--since", "2026-11-21T00:00:00Z", "--until", "2026-11-22T00:00:00Z")
_COMPARED = (*_PERIOD, "--baseline", "3d")

LIBRARY: Mapping[str, tuple[str, ...]] = {
    "library": ("hunt", "--level", "informational", "-o", "json"),
    "library_compared": ("hunt", "--level", "informational", *_COMPARED, "-o", "json"),
}
"""All hunts, activity streams as well."""

SAVING = ("hunt", "--all", "--save", "-q", "-o", "json")

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "baseline": ("baseline", "-o", "csv"),
    "topn_user_agent": ("hunt", "topn_user_agent", *_COMPARED, "-o", "csv"),
    "topn_source_ip": ("hunt", "topn_source_ip", *_COMPARED, "-o", "csv"),
    "topn_user_by_agent": ("hunt", "topn_user_by_agent", *_PERIOD, "-o", "csv"),
    "new_user_agent": ("hunt", "new_user_agent", *_COMPARED, "-o", "csv"),
    "forbidden_surge": ("hunt", "forbidden_surge", *_COMPARED, "-o", "csv"),
    "query_stats": (
        "query",
        "stats count(*) as n, count_distinct(user.username) as people, max(@timestamp) as last "
        "by verb, objectRef.resource | sort n desc, verb, objectRef.resource | limit 40",
        "-o",
        "csv",
    ),
    "query_bins": (
        "query",
        "filter responseStatus.code >= 400 | stats count(*) as n by bin(6h) as at, event.outcome "
        "| sort at, event.outcome",
        "-o",
        "csv",
    ),
    "query_events": (
        "query",
        "fields @timestamp, event.id, message, user.effective.name, source.ip, exec.command, "
        "rbac.rules, pod.images | filter verb in ['create', 'delete', 'patch'] and "
        "user.username not like /^system:/ | sort @timestamp asc, event.id | limit 150",
        "-o",
        "csv",
    ),
    "query_parse": (
        "query",
        'parse userAgent "*/*" as client, version | stats count(*) as n by client '
        "| sort n desc, client",
        "-o",
        "csv",
    ),
    "query_whole": (
        "query",
        "filter objectRef.resource = 'pods' and verb = 'create' | fields @timestamp, @message "
        "| sort @timestamp asc, event.id | limit 5",
        *("-o", "csv"),
    ),
    "query_dedup": (
        "query",
        "fields user.username, verb | sort user.username, verb | dedup user.username, verb",
        *_PERIOD,
        "-o",
        "csv",
    ),
}
"""Commands that are run with ``--store``; ``baseline`` says how far the summaries are."""


def copied(folder: Path) -> Path:
    """A copy of the store in a folder, as ``store``."""
    return Path(shutil.copytree(STORE, folder / "store"))


def asked(folder: Path, command: tuple[str, ...]) -> str:
    """What a command prints with the store in a folder.

    The whole library cannot run in it: hunts that are younger read columns that it lacks.
    """
    code = 2 if command in (*LIBRARY.values(), SAVING) else 0
    return printed(folder, *command, "--store", folder / "store", "-q", code=code)


def answer_of(name: str) -> str:
    """What it printed then."""
    return (ANSWERS / f"{name}.csv").read_text("utf-8")


def summaries(store: Path) -> dict[str, tuple[int, int]]:
    """The files of daily summaries by name: when each was written, and its size."""
    folder = store / "summaries"
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def saved_findings(store: Path) -> dict[str, Any]:
    """By id: the hunt and the key of the findings saved in a store."""
    rows = pq.read_table(
        store / "findings" / "findings.parquet", columns=["event.id", "rule.id", "finding.key"]
    ).to_pylist()
    return {row["event.id"]: (row["rule.id"], row["finding.key"]) for row in rows}
