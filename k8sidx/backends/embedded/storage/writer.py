"""Store writer: commits staged parts atomically, and each event once.

Writers take turns, one commit at a time, so that two shippers on the same files end
with each event stored once. A duplicate has the same id and, as the timestamps are part
of the id, the same moment: only stored parts whose time range touches the new part's are
looked at, so the cost does not grow with the store.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import filelock
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from k8sidx.backends.durable import (
    FILE_MODE,
    checksum_of,
    lock_file,
    make_private_folder,
    sync_folder,
)
from k8sidx.backends.embedded.storage.columns import ID, TIME
from k8sidx.backends.embedded.storage.garbage import (
    JOURNAL,
    LEASE,
    collect_garbage,
    remove_uncommitted,
    sweep,
)
from k8sidx.backends.embedded.storage.manifest import (
    NORMALIZED,
    READABLE,
    Manifest,
    Part,
    in_place_of,
    is_manifest_aside,
    is_store,
    numbered,
    part_files,
    read_manifest,
    write_manifest,
)
from k8sidx.backends.embedded.storage.parts import (
    FAR,
    SHIPPED,
    UNDATED,
    Compression,
    StagedPart,
    open_writer,
)
from k8sidx.backends.embedded.storage.relabel import relabelled_parts
from k8sidx.backends.sink import Tally
from k8sidx.backends.store import Renewed
from k8sidx.errors import StoreBusy, StoreError

LOCK_SECONDS = 600.0
"""Seconds that a writer waits for the lock."""
"""In a writer's staging folder: the paths of parts that it was about to move into the store."""


class StoreWriter:
    """Stages and commits parts of one store.

    :param on_wait: called when another process is writing.
    :param keep_secrets: a migration keeps the secrets in stored events.
    :ivar renewed: counts of the migration.
    :raises StoreError: when the folder cannot be written.
    """

    def __init__(
        self,
        store: Path,
        columns: Sequence[str],
        compression: Compression = SHIPPED,
        on_wait: Callable[[str], None] | None = None,
        *,
        keep_secrets: bool = False,
    ) -> None:
        self.path = store
        self.columns = tuple(columns)
        self.compression = compression
        self.renewed = Renewed()
        self._on_wait = on_wait
        try:
            make_private_folder(store)
            self._lock = filelock.FileLock(store / "writer.lock", mode=FILE_MODE)
            with self.turn():
                if not is_store(store):
                    _refuse_strange_folder(store)
                    write_manifest(store, Manifest(columns=self.columns))
                manifest = read_manifest(store, any_version=True)
                sweep(store, manifest)
                make_private_folder(store / "staging")
                self.staging = store / "staging" / uuid.uuid4().hex
                make_private_folder(self.staging)
                self._lease = lock_file(self.staging / LEASE)
                if manifest.version < READABLE or not manifest.is_current:
                    self._migrate(manifest, keep_secrets=keep_secrets)
        except OSError as error:
            raise StoreError(
                f"the store {store} cannot be written: {error.strerror or error}.",
                remedy="Give another --store, or make the folder writable.",
            ) from error

    def _migrate(self, manifest: Manifest, *, keep_secrets: bool) -> None:
        from k8sidx.backends.embedded.storage.migrate import migrate

        tell = self._on_wait or (lambda text: None)
        if manifest.version < READABLE:
            tell(f"migrating {self.path} from format version {manifest.version}")
        else:
            tell(f"migrating {self.path} to this version's fields and rules of redaction")
        self.renewed = migrate(
            self, keep_secrets=keep_secrets, on_damaged=lambda error: tell(error.message)
        )
        collect_garbage(self.path)
        tell(migrated_line(self.renewed))
        if read_manifest(self.path).garbage:
            tell("the replaced files are in use; the next k8sidx ship deletes them")

    def close(self) -> None:
        """Remove what was staged and not committed."""
        if (self.staging / JOURNAL).exists():
            with self.turn():
                manifest = read_manifest(self.path, any_version=True)
                remove_uncommitted(self.path, self.staging / JOURNAL, manifest)
        os.close(self._lease)
        shutil.rmtree(self.staging, ignore_errors=True)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the store's write lock.

        :raises StoreBusy: when another process holds it for ten minutes.
        """
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            if self._on_wait:
                self._on_wait(f"another process is writing to {self.path}: waiting for its turn")
            try:
                self._lock.acquire(timeout=LOCK_SECONDS)
            except filelock.Timeout as error:
                raise StoreBusy(
                    f"another process has been writing to {self.path} for {LOCK_SECONDS:.0f} s.",
                    remedy="Wait for it to end, then run the command again.",
                ) from error
        try:
            yield
        finally:
            self._lock.release()

    def commit(self, staged: Sequence[StagedPart], relabel: str = "") -> Tally:
        """Store the events that are not stored yet; the staged files are moved or deleted.

        :param relabel: cluster name for the events that are stored already.
        """
        tally = Tally()
        staged = [part for part in staged if part.rows]
        if not staged:
            return tally
        with self.turn():
            manifest = read_manifest(self.path)
            added = self.place_new(staged, manifest.parts, tally)
            tally.indexed += sum(part.rows for part in added)
            renamed: dict[str, Part] = {}
            if relabel:
                renamed, tally.relabelled = relabelled_parts(self, staged, manifest.parts, relabel)
            if added or renamed:
                # What is counted by name is counted again, even if this is the last step done.
                days = {part.day for part in renamed.values()}
                self.forget_summaries(days)
                parts = [in_place_of(part, renamed.get(part.path)) for part in manifest.parts]
                garbage = (*manifest.garbage, *renamed)
                added = numbered(added, manifest.parts)
                write_manifest(
                    self.path, replace(manifest, parts=(*parts, *added), garbage=garbage)
                )
                self.committed()
                self.forget_summaries(days)
        return tally

    def place_new(
        self, staged: Sequence[StagedPart], stored: Sequence[Part], counts: Tally | Renewed
    ) -> tuple[Part, ...]:
        """Move staged parts into the store, without the events that it has already.

        :param stored: the parts that may have them.
        :param counts: its duplicates are incremented.
        """
        added: list[Part] = []
        for part in staged:
            kept = self._only_new(part, (*stored, *added))
            counts.duplicates += part.rows - kept.rows
            if kept.rows:
                added.append(self.place(kept))
        return tuple(added)

    def forget_summaries(self, days: set[str]) -> None:
        """Delete the summaries of days whose events have other values now."""
        for day in days:
            of_day = "*/*" if day == FAR else f"*/{day}-*"
            for path in (self.path / "summaries").glob(of_day):
                path.unlink(missing_ok=True)

    def _only_new(self, part: StagedPart, stored: Sequence[Part]) -> StagedPart:
        """Return the part without events that are stored already."""
        ids = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), part.rows, [None, pa.py_buffer(part.ids)]
        )
        known = pa.array([False] * len(ids))
        # The times of undated events are not their own: the same event may have another one.
        first, last = (None, None) if part.day == UNDATED else (part.first, part.last)
        for other in stored:
            if part.may_share(other.day) and other.overlaps(first, last):
                for batch in _ids_between(self.path / other.path, first, last):
                    known = pc.or_(known, pc.is_in(ids, batch))
        count = pc.sum(known).as_py() or 0
        if not count:
            return part
        if count < part.rows:
            return _filtered(part, pc.invert(known), self.compression)
        part.path.unlink()
        return StagedPart(part.path, part.day, 0, None, None)

    def place(self, part: StagedPart) -> Part:
        """Move a staged part to its day; the caller adds it to the manifest.

        The journal names the file first: whoever finds this writer killed deletes what the
        journal names and the manifest does not, and nothing else.
        """
        folder = self.path / "events" / part.day
        make_private_folder(folder.parent)
        make_private_folder(folder)
        sync_folder(folder.parent)
        target = folder / part.path.name
        relative = target.relative_to(self.path).as_posix()
        self._note(relative)
        checksum = checksum_of(part.path)
        with part.path.open("rb") as file:
            os.fsync(file.fileno())
        part.path.replace(target)
        sync_folder(folder)
        state = target.stat()
        return Part(
            relative, part.rows, state.st_size, part.first, part.last, checksum, state.st_mtime_ns,
            NORMALIZED,
        )  # fmt: skip

    def committed(self) -> None:
        """Forget the journal: the manifest names what it named."""
        (self.staging / JOURNAL).unlink(missing_ok=True)

    def _note(self, path: str) -> None:
        handle = os.open(self.staging / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        with os.fdopen(handle, "ab") as file:
            file.write(f"{path}\n".encode())
            file.flush()
            os.fsync(file.fileno())


def migrated_line(renewed: Renewed) -> str:
    """Return the result of a migration as a sentence."""
    copies = f", {renewed.duplicates:,} copies dropped" if renewed.duplicates else ""
    return (
        f"migrated: {renewed.values:,} values replaced, {renewed.changed:,} of "
        f"{renewed.events:,} events stored again{copies}"
    )


def _ids_between(path: Path, first: int | None, last: int | None) -> Iterator[pa.Array]:
    """Return the ids in row groups that may contain events between two times."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        time_at = file.schema_arrow.get_field_index(TIME)
        for group in range(file.metadata.num_row_groups):
            if first is not None and last is not None:
                bounds = _bounds(file.metadata.row_group(group), time_at)
                if bounds and (bounds[0] > last or bounds[1] < first):
                    continue
            yield file.read_row_group(group, columns=[ID]).column(0).combine_chunks()


def _bounds(group: pq.RowGroupMetaData, time_at: int) -> tuple[int, int] | None:
    for index in range(group.num_columns):
        column = group.column(index)
        if column.path_in_schema == TIME and column.is_stats_set:
            statistics = column.statistics
            if statistics.has_min_max:
                return statistics.min_raw, statistics.max_raw
    return None


def _filtered(part: StagedPart, keep: pa.Array, compression: Compression) -> StagedPart:
    """Rewrite a staged part with the rows to keep, a row group at a time."""
    path = part.path.with_name(f"{uuid.uuid4().hex}.parquet")
    writer: pq.ParquetWriter | None = None
    start, rows = 0, 0
    with pq.ParquetFile(part.path) as file:
        for group in range(file.metadata.num_row_groups):
            table = file.read_row_group(group)
            kept = table.filter(keep.slice(start, table.num_rows))
            start += table.num_rows
            rows += kept.num_rows
            if writer is None:
                writer = open_writer(path, table.schema, compression)
            if kept.num_rows:
                writer.write_table(kept, row_group_size=kept.num_rows)
    if writer is not None:
        writer.close()
    part.path.unlink()
    return StagedPart(path, part.day, rows, part.first, part.last)


def _refuse_strange_folder(store: Path) -> None:
    """Refuse to make a store of a folder that holds something else, or events already.

    What a writer leaves that was killed while it made the store is not strange.
    """
    if part_files(store):
        read_manifest(store)  # raises: events without a manifest are a store that lost it
    ours = {"writer.lock", "readers.lock", "staging", "events", "dead-letter", "state", "summaries"}
    strange = [
        entry.name
        for entry in store.iterdir()
        if entry.name not in ours and not is_manifest_aside(entry.name)
    ]
    if strange:
        raise StoreError(
            f"{store} is not a k8sidx store and is not empty (it contains {sorted(strange)[0]!r}).",
            remedy="Give --store a new folder.",
        )
