"""Documents of an index as chunks of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8sidx.backends.documents import DocumentShard
from k8sidx.events.records import Chunk, Position
from k8sidx.shipping.sources.follow.registry import LogFile, Registry


def document_chunks(shards: Sequence[DocumentShard], register: Registry) -> Iterator[Chunk]:
    """Yield the documents of shards that were not delivered yet.

    :param register: has the position in each shard behind which nothing is delivered.
    """
    for shard in shards:
        number = _registered(shard.identity, register)
        delivered = register[number].delivered
        record = delivered.record
        for sources, position in shard.read(delivered.offset - 1):
            end = Position(position + 1, record + len(sources))
            register[number].read = end
            data = b"\n".join(sources)
            yield Chunk(shard.name, record + 1, data, end.offset, number, end)
            record = end.record


def _registered(identity: str, register: Registry) -> int:
    known = (number for number, file in register.items() if file.log == identity)
    number = next(known, None)
    return register.add(LogFile(identity, identity)) if number is None else number
