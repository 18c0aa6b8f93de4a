"""Documents of indices, shard by shard, in the order in which they were written.

A shard numbers its writes (``_seq_no``), so that a number is a place in it: reading resumes behind
the last one, after an interruption as well as when more was written. A point in time of the one
shard keeps what is read as it was. Both products have all of this; ``_shard_doc``, which
Elasticsearch recommends as the order, OpenSearch refuses before 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.protocol import EXACT, QueryOptions
from k8sidx.errors import StoreError

PAGE = 1_000
"""Documents per search; those with bodies can be large."""
_NO_PLACE = -1


class Shard(NamedTuple):
    """One shard of an index.

    :param name: of the index.
    :param uuid: of the index; another one of the same name has other documents.
    """

    name: str
    uuid: str
    number: int


class Page(NamedTuple):
    """Some documents of a shard.

    :param sources: each as JSON.
    :param position: the number of the last one, behind which the next page begins.
    """

    sources: list[bytes]
    position: int


def shards_of(cluster: Cluster, pattern: str) -> list[Shard]:
    """Return the shards of all indices of a pattern, in the order of their names.

    :raises StoreError: when the cluster refuses to list them.
    """
    path = f"/{quote(pattern, safe='*,-')}/_settings"
    wanted = "*.settings.index.uuid,*.settings.index.number_of_shards"
    answer = cluster.request(
        "GET", path, params={"filter_path": wanted, "ignore_unavailable": "true"}
    )
    if answer.status != 200:
        raise refusal(answer, pattern)
    return [
        Shard(name, str(index["uuid"]), number)
        for name, settings in sorted(answer.json().items())
        for index in [settings["settings"]["index"]]
        for number in range(int(index["number_of_shards"]))
    ]


def read_shard(
    cluster: Cluster,
    shard: Shard,
    query: Mapping[str, Any],
    after: int = _NO_PLACE,
    answering: QueryOptions = EXACT,
) -> Iterator[Page]:
    """Yield the documents of a shard that a query matches, page by page.

    :param after: only those that were written behind this place.
    :raises StoreError: when the shard cannot be read, or does not keep the source of a document.
    """
    with Session(cluster, shard.name, answering, shard=shard.number) as session:
        session.pin()
        while True:
            body = {
                "size": PAGE,
                "query": dict(query),
                "sort": [{"_seq_no": "asc"}],
                "search_after": [after],
                "track_total_hits": False,
            }
            hits = session.search(body)["hits"]["hits"]
            if hits:
                after = hits[-1]["sort"][0]
                yield Page([_source(hit, shard) for hit in hits], after)
            if len(hits) < PAGE:
                return


def _source(hit: Mapping[str, Any], shard: Shard) -> bytes:
    source = hit.get("_source")
    if not isinstance(source, dict):
        raise StoreError(
            f"{shard.name} does not keep the source of its documents, so that no event can be "
            "read from it.",
            remedy="Ship the original logs with k8sidx.",
        )
    return msgspec.json.encode(source)
