"""End of a run: what only this process still has is written to the spool.

That is what was read from pipes and is not delivered, and the rest of files that have no name any
more, or not the one that they were followed by: a rotated file is removed sooner or later. When the
store is away, the rest of a log that still has its name is written as well if all of it fits;
otherwise it is read from its position in the state file.
"""

from __future__ import annotations

from collections.abc import Callable

from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.in_flight import ChunksInFlight
from k8sidx.shipping.input_stream import OpenFiles
from k8sidx.shipping.sources.follow.readers import Reading
from k8sidx.shipping.sources.follow.registry import Registry
from k8sidx.shipping.spool.line_entries import LineEntries
from k8sidx.shipping.spool.spool import Spool, SpoolError


class Undelivered:
    """Writes to the spool what is left at the end of a run.

    :param cluster: name of the cluster that the events are stored with.
    :param on_other: called with what is not a record of a file that is read for the first time.
    """

    def __init__(
        self,
        spool: Spool,
        register: Registry,
        cluster: str,
        on_other: Callable[[Rejected | Skipped], None],
    ) -> None:
        self._spool = spool
        self._register = register
        self._cluster = cluster
        self._on_other = on_other
        self.lost: list[str] = []

    def write(
        self, files: OpenFiles | None, in_flight: ChunksInFlight, *, store_failed: bool
    ) -> None:
        """Write what is left of open files and of chunks in flight."""
        readings = [] if files is None else files.readings()
        if files is not None:
            self._files(files, readings, store_failed=store_failed)
        opened = {reading.number for reading in readings if not reading.changed}
        changed = {reading.number for reading in readings if reading.changed}
        for chunk in in_flight.undelivered():
            # A message that is not acknowledged will be delivered once more.
            if chunk.segment or chunk.receipt or not chunk.data:
                continue
            # A file with a name is read from there, from the position in the state file.
            if (
                chunk.position is None
                or chunk.file in changed
                or (chunk.file not in opened and not self._register[chunk.file].path)
            ):
                self._chunk(chunk)

    def _files(self, files: OpenFiles, readings: list[Reading], *, store_failed: bool) -> None:
        for reading in readings:
            if reading.deleted:
                self._deleted(reading)
        for reading in readings:
            is_left = store_failed or not files.is_named(reading.number)
            if not reading.deleted and is_left:
                self._named(reading)

    def _deleted(self, reading: Reading) -> None:
        if reading.left() == 0:
            return
        file = self._register[reading.number]
        reason = self._copy(reading, ended=True)
        if not file.delivered.ended:
            after = f"what was in it after byte {file.delivered.offset:,} is lost"
            reason = reason or "it cannot be read as lines."
            self.lost.append(
                f"{file.log}: a file that had this name was removed; {after}: {reason}"
            )

    def _named(self, reading: Reading) -> None:
        left = reading.left()
        if left and left <= self._spool.free:
            self._copy(reading, ended=False)

    def _copy(self, reading: Reading, *, ended: bool) -> str:
        """Copy the rest of a file; return why that ended early."""
        file = self._register[reading.number]
        position = file.delivered
        try:
            with LineEntries(self._spool, file.path or file.log, self._cluster) as entries:
                for piece in reading.undelivered(ended=ended):
                    if isinstance(piece, (Rejected, Skipped)):
                        self._on_other(piece)
                        continue
                    if piece.lines:
                        entries.add(piece.first, piece.lines)
                    position = piece.position
        except SpoolError as error:
            if ended:
                file.delivered = position  # for the message: nothing is read of it any more
            return error.message
        file.delivered = position
        return ""

    def _chunk(self, chunk: Chunk) -> None:
        try:
            with LineEntries(self._spool, chunk.source, self._cluster) as entries:
                entries.add(chunk.first, chunk.data)
        except SpoolError as error:
            lines = chunk.data.count(b"\n") + 1
            last = f"{chunk.first:,} to {chunk.first + lines - 1:,}"
            self.lost.append(f"{chunk.source}: the records {last} are lost: {error.message}")
