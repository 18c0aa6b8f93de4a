"""Chunks for the native core: whole lines first, then the events that other records contain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8sidx.events.core import CoreReader, Rows, is_plain
from k8sidx.events.decode.unwrap import Unwrapper
from k8sidx.events.normalize.places import AddressDatabases
from k8sidx.events.records import Chunk, Context, Event


class NativeChunks:
    """Reads chunks with the native core, for one worker.

    :param format: envelope of the events.
    :param bodies: as that of the worker's normalizer; places likewise.
    """

    def __init__(
        self, format: str, *, bodies: bool, places: AddressDatabases | None = None
    ) -> None:
        self._core = CoreReader(bodies=bodies, places=places)
        unwrapper = Unwrapper(format)
        self._context = unwrapper.context
        self._takes_events = unwrapper.takes_events

    def read(self, chunk: Chunk, cluster: str) -> tuple[list[Rows], Iterator[Chunk], list[Event]]:
        """Return the plain events of a chunk; the other lines, neighbours together; and a
        list for the events in these.

        :param cluster: name of the cluster; empty where the envelopes name it.
        """
        context = _of_cluster(self._context, cluster)
        if not self._takes_events or not is_plain(context):
            return [], iter((chunk,)), []
        rows = self._core.read_lines(chunk.data, context)
        return [rows] if rows.count else [], _others(chunk, rows), []

    def read_wrapped(self, events: Sequence[Event], cluster: str) -> tuple[list[Rows], list[Event]]:
        """Return those that are plain, and those that are not."""
        contexts = [_of_cluster(event.context, cluster) for event in events]
        if not all(map(is_plain, contexts)):
            return [], list(events)
        if not events:
            return [], []
        rows = self._core.read_texts((event.text for event in events), contexts)
        return [rows] if rows.count else [], [events[number] for number in rows.odd]


def is_wrapped_text(event: Event) -> bool:
    """Whether an event came as text that the native core has not seen: inside of a record."""
    return event.rest is None and event.text is not event.raw and len(event.text) > 0


def _of_cluster(context: Context, cluster: str) -> Context:
    return context._replace(cluster=cluster) if cluster else context


def _others(chunk: Chunk, rows: Rows) -> Iterator[Chunk]:
    if not rows.count:
        yield chunk
        return
    odd, spans = rows.odd, rows.odd_spans
    start = 0
    for index, number in enumerate(odd):
        if index + 1 == len(odd) or odd[index + 1] != number + 1:
            data = chunk.data[spans[start][0] : spans[index][1]]
            yield chunk._replace(first=chunk.first + odd[start], data=data)
            start = index + 1
