"""What is stored of the logs at hand: ids and all columns, as digests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from tests.building import SHARED
from tests.compat.running import ROOT, digest, k8sidx

DATA = SHARED / "data"
DEMO = "demo/audit.ndjson.zst"
FOLDERS = ("apiserver", "cases", "envelopes", "tools")
"""Of the shared data. What lies in ``field`` is to be read otherwise soon; in ``sigma`` there
are rules."""

COLUMNS_OF = (DEMO, "apiserver/everything.ndjson.gz")
"""Logs of which every column has a digest of its own."""

_STORE = Path(__file__).parent / "store-dfe4889"
THEN = {*json.loads((_STORE / "manifest.json").read_text("utf-8"))["columns"], "event.redacted"}
"""Columns of the store of the old code, and of the first change of redaction. Digests are of these:
a column that was added later changes no other, which is what they prove."""


def inputs(group: str) -> dict[str, Path]:
    """What is shipped at once, by its name: every file, but whole folders of cases, which are
    many and small.

    :param group: ``demo`` or one of ``FOLDERS``.
    """
    if group == "demo":
        return {DEMO: ROOT / DEMO}
    files = [path for path in (DATA / group).rglob("*") if path.is_file() and path.suffix != ".md"]
    if group == "cases":
        files = [path.parent for path in files if path.parent != DATA / group]
    return {path.relative_to(DATA).as_posix(): path for path in sorted(set(files))}


def shipped(path: Path, folder: Path) -> dict[str, Any]:
    """Ship a file, or the files of a folder, into a store of their own; what came of it.

    :param folder: an empty one, where the store will be ``store``.
    """
    result = k8sidx(folder, "ship", path, "--store", "store", "-q", "-o", "json")
    if not result.stdout:
        return {"exit": result.exit_code}
    told = json.loads(result.stdout)
    ids, rows = _stored(folder / "store")
    return {
        "exit": result.exit_code,
        "read": told["read"],
        "events": len(ids),
        "duplicates": told["duplicates"],
        "rejected": told["rejected"],
        "skipped": sum(told["skipped"].values()),
        "redacted": told["redacted"],
        "ids": digest(ids),
        "rows": digest(rows),
    }


def columns(store: Path) -> dict[str, str]:
    """A digest of every column of a store, its values in the order of the ids."""
    with _connected() as connection:
        found = connection.execute(f"SELECT * FROM {_events(store)} LIMIT 0").description
        names = [name for name, *_ in found if name in THEN]
        digests = ", ".join(
            f"""bit_xor(md5_number(hex("event.id") || to_json("{name}")::VARCHAR))"""
            for name in names
        )
        rows = connection.execute(f"SELECT {digests} FROM {_events(store)}").fetchall()
    return {
        name: f"{value or 0:032x}" if value is not None else "empty"
        for name, value in zip(names, rows[0], strict=True)
    }


def _stored(store: Path) -> tuple[list[str], list[str]]:
    """Ids and digests of the rows, in the order of the ids.

    The columns by name: each part has those that have values in it, and which part is read
    first is chance.
    """
    if not any(store.glob("events/*/*.parquet")):
        return [], []
    with _connected() as connection:
        found = connection.execute(f"SELECT * FROM {_events(store)} LIMIT 0").description
        names = ", ".join(
            f'"{name}"' for name in sorted(name for name, *_ in found if name in THEN)
        )
        rows = connection.execute(
            'SELECT lower(hex("event.id")), md5(to_json(events)::VARCHAR) '
            f"FROM (SELECT {names} FROM {_events(store)}) AS events ORDER BY 1, 2"
        ).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]


def _events(store: Path) -> str:
    return f"read_parquet('{store}/events/*/*.parquet', union_by_name=true)"


def _connected() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    return connection
