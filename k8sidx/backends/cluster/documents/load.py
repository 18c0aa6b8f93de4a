"""Events of documents that other programs indexed, in a temporary store of ours.

They take the way of every shipped record: the envelope is recognized, the event normalized and
redacted, so that all fields are derived here as they are in an own index, whatever the mapping.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from k8sidx.backends.cluster.documents.gaps import Gaps
from k8sidx.backends.cluster.documents.shards import read_shard, shards_of
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.protocol import QueryOptions
from k8sidx.backends.store import Store
from k8sidx.events.decode.decode import decode, repaired
from k8sidx.events.decode.event_model import UNDECODABLE
from k8sidx.events.failure import failure_reason
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.records import Chunk, Event, Rejected, Skipped


@dataclass(slots=True)
class Loaded:
    """Documents read, and events found in them.

    :ivar documents: number of documents.
    :ivar rejected: reasons why documents with an audit event could not be read.
    :ivar gaps: of the events in them.
    """

    documents: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    gaps: Gaps = field(default_factory=Gaps)


def load(
    cluster: Cluster,
    pattern: str,
    query: Mapping[str, Any],
    store: Store,
    answering: QueryOptions,
    most: int | None = None,
) -> Loaded:
    """Read the documents that a query matches into a store.

    :param most: stop after about so many documents; ``None`` for all.
    :raises StoreError: when they cannot be read.
    """
    loaded = Loaded()
    normalizer = Normalizer()
    with closing(store.sink(0, None)) as sink:
        encoder = sink.spec.open()
        pages = enumerate(_pages(cluster, pattern, query, answering))
        for number, (name, sources) in pages:
            loaded.documents += len(sources)
            events = list(_events(sources, name, normalizer, loaded))
            encoder.add(number, events, range(len(events)))
            if batches := encoder.full():
                sink.put(batches)
            loaded.rejected.update(refused.reason for refused in encoder.take_refused())
            if most is not None and loaded.documents >= most:
                break
        sink.put(encoder.finish())
        loaded.rejected.update(refused.reason for refused in encoder.take_refused())
    return loaded


def _pages(
    cluster: Cluster, pattern: str, query: Mapping[str, Any], answering: QueryOptions
) -> Iterator[tuple[str, list[bytes]]]:
    """Yield documents with the name of their index, those of the last index first: the indices of
    a pattern are most often named after days."""
    for shard in reversed(shards_of(cluster, pattern)):
        for page in read_shard(cluster, shard, query, answering=answering):
            yield shard.name, page.sources


def _events(
    sources: list[bytes], index: str, normalizer: Normalizer, loaded: Loaded
) -> Iterator[Normalized]:
    for record in decode(Chunk(index, 1, b"\n".join(sources))):
        if isinstance(record, Skipped):
            continue
        result = record if isinstance(record, Rejected) else _normalized(record, normalizer)
        if isinstance(result, Rejected):
            loaded.rejected[result.reason] += 1
            continue
        if isinstance(record, Event):
            loaded.gaps.note(record.audit)
        yield result


def _normalized(event: Event, normalizer: Normalizer) -> Normalized | Rejected:
    try:
        return normalizer.normalize(event.audit, event.rest, event.context, event.size)
    except UNDECODABLE:
        if not event.text:
            return Rejected("not valid JSON", event.where, b"")
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are read
        return Rejected(failure_reason(error), event.where, b"")
    result = repaired(event)
    return result if isinstance(result, Rejected) else _normalized(result, normalizer)
