"""Changes of an embedded store: parts that were committed since a checkpoint.

A commit numbers its parts; the numbers rise, also when the clock is set back. A merged part has the
highest number of those that it replaces, so that merging alone makes no event new. Parts without a
number, of a migration, a rebuild or an earlier k8sidx, are known by their paths.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from k8sidx.backends.changes import STEP, Changes, Checkpoint, spans_of_steps
from k8sidx.backends.embedded.storage.columns import TIME
from k8sidx.backends.embedded.storage.garbage import reading
from k8sidx.backends.embedded.storage.integrity import damaged_part
from k8sidx.backends.embedded.storage.manifest import Manifest, Part
from k8sidx.errors import StoreError

_STEP_MICROS = int(STEP.total_seconds()) * 1_000_000


def changes(store: Path, after: Checkpoint | None) -> Changes:
    """Return the changes of a store; see :meth:`k8sidx.backends.store.Store.changes`."""
    with reading(store) as manifest:
        last = max((part.committed for part in manifest.parts), default=0)
        now: Checkpoint = {
            "store": manifest.store_id,
            "committed": max(last, _committed(after) if _is_of(after, manifest) else 0),
            "unnumbered": [part.path for part in manifest.parts if not part.committed],
        }
        steps: set[int] = set()
        untimed = False
        for part in _new_parts(manifest, after):
            of_part, some_untimed = _steps(store, part)
            steps |= of_part
            untimed = untimed or some_untimed
        restarted = ""
        if after is not None and not _is_of(after, manifest):
            restarted = "it is another store than before"
        return Changes(now, spans_of_steps(steps), untimed, restarted)


def _is_of(after: Checkpoint | None, manifest: Manifest) -> bool:
    return after is not None and after.get("store") == manifest.store_id


def _committed(after: Checkpoint | None) -> int:
    number = after.get("committed") if after else 0
    return number if isinstance(number, int) else 0


def _new_parts(manifest: Manifest, after: Checkpoint | None) -> list[Part]:
    if after is None or not _is_of(after, manifest):
        return list(manifest.parts)
    known = set(after.get("unnumbered", ()))
    return [
        part
        for part in manifest.parts
        if (part.committed > _committed(after) if part.committed else part.path not in known)
    ]


def _steps(store: Path, part: Part) -> tuple[set[int], bool]:
    """Return the steps in which a part has events, and whether it has some without a time."""
    try:
        with pq.ParquetFile(store / part.path, page_checksum_verification=True) as file:
            if TIME not in file.schema_arrow.names:
                return set(), True
            times = file.read(columns=[TIME]).column(0).cast("int64")
    except (OSError, ValueError) as error:
        raise _unreadable(store, part, error) from error
    # Of times before 1970 the division truncates upwards: the step before is looked at as well.
    steps = {step.as_py() for step in pc.unique(pc.divide(times, _STEP_MICROS)) if step.is_valid}
    return steps | {step - 1 for step in steps if step <= 0}, times.null_count > 0


def _unreadable(store: Path, part: Part, error: Exception) -> StoreError:
    return damaged_part(store, part.path, str(error))
