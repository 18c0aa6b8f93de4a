"""Failures of single records: which errors are a record's own, and the reason of its reject."""

from __future__ import annotations

import traceback

from k8sidx.errors import K8sidxError

NOT_OF_A_RECORD = (MemoryError, OSError, K8sidxError)
"""Errors that end a run, whatever the record: no memory, no room on the disk, no store."""


def failure_reason(error: Exception) -> str:
    """Return the reason of the reject for a record that an unforeseen error stopped.

    It is printed, so it contains nothing of the record, as an error's own text may: only the
    error's type and the line of code that raised it.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "k8sidx" in frame.filename.replace("\\", "/").split("/")
    ]
    name = type(error).__name__
    if not frames:
        return f"internal error: {name}; please report it"
    file = frames[-1].filename.replace("\\", "/").rpartition("/k8sidx/")[2]
    return f"internal error: {name} at {file}:{frames[-1].lineno}; please report it"
