"""Logs that were shipped with ``--state``, and the state file that this left."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.compat.running import k8sidx
from tests.demo import demo_lines

LINES = 40
MORE = 7
PLAIN, PACKED = "audit.log", "audit-1.log.gz"


def write_logs(folder: Path) -> None:
    """A log that grows and one that is packed, with other lines."""
    lines = demo_lines()
    (folder / PLAIN).write_bytes(_joined(lines[:LINES]))
    (folder / PACKED).write_bytes(gzip.compress(_joined(lines[1000 : 1000 + LINES]), mtime=0))


def append(folder: Path) -> None:
    """The log grows."""
    with (folder / PLAIN).open("ab") as file:
        file.write(_joined(demo_lines()[LINES : LINES + MORE]))


def ship(folder: Path, store: str) -> dict[str, Any]:
    """Ship both with the state file; the counts."""
    logs = (folder / PLAIN, folder / PACKED)
    result = k8sidx(
        folder, "ship", *logs, "--state", "state.json", "--store", store, "-q", "-o", "json"
    )
    assert result.exit_code == 0, result.output
    counts: dict[str, Any] = json.loads(result.stdout)
    return counts


def template_of(folder: Path) -> dict[str, Any]:
    """The state file with the names of places, in braces, for what differs by machine."""
    state: dict[str, Any] = json.loads((folder / "state.json").read_text("utf-8"))
    # Since then, a state file names its store.
    assert state.pop("store").keys() == {"id", "events"}
    for file in state["files"]:
        assert file.keys() >= _of(Path(file["path"])).keys()
        file |= {name: f"{{{name}}}" for name in _of(Path(file["path"]))} | {
            "log": "{folder}/" + Path(file["log"]).name,
            "path": "{folder}/" + Path(file["path"]).name,
        }
    return state


def fill(template: Mapping[str, Any], folder: Path) -> None:
    """Write the state file for the logs in a folder."""
    files = []
    for file in template["files"]:
        log, path = (file[name].format(folder=folder) for name in ("log", "path"))
        files.append({**file, **_of(Path(path)), "log": log, "path": path})
    (folder / "state.json").write_text(json.dumps({**template, "files": files}), "utf-8")


def _of(path: Path) -> dict[str, Any]:
    """What a state file has of a file that is another on every machine."""
    about = path.stat()
    return {
        "device": about.st_dev,
        "inode": about.st_ino,
        "size": about.st_size,
        "modified": about.st_mtime_ns,
        "seen": about.st_mtime,
    }


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
