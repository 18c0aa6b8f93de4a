"""Changes of a cluster's indices: documents behind the places that a checkpoint has of each shard.

A shard numbers its writes (``_seq_no``), so that its local checkpoint, up to which all of them are
done, is a place in it. Nothing of an event is needed for that, neither a time of its own nor one of
a shipper's clock. Searches find what was written once the index is refreshed.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from k8sidx.backends.changes import STEP, Changes, Checkpoint, spans_of_steps
from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import expect_success, retrying_request
from k8sidx.backends.cluster.schema.detect import choose_profile
from k8sidx.backends.protocol import EXACT
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.events.fields.names import TIMESTAMP

_MILLISECONDS = int(STEP.total_seconds()) * 1_000
_WANTED = (
    "indices.*.uuid,indices.*.shards.*.routing.state,indices.*.shards.*.seq_no.local_checkpoint"
)
_NOTHING = -1
"""The local checkpoint of a shard without a write."""


class _Shard(NamedTuple):
    """A shard of an index.

    :param uuid: of the index.
    :param done: number of the write up to which all copies have every one.
    """

    name: str
    uuid: str
    number: str
    done: int


def changes(cluster: Cluster, pattern: str, after: Checkpoint | None) -> Changes:
    """Return the changes of indices; see :meth:`k8sidx.backends.store.Store.changes`.

    An index that the checkpoint does not have is new as a whole.
    """
    shards = _shards(cluster, pattern)
    known: Any = (after or {}).get("indices", {})
    news = [
        (shard, before)
        for shard in shards
        if (before := known.get(shard.uuid, {}).get(shard.number, _NOTHING)) < shard.done
    ]
    now: dict[str, dict[str, int]] = {}
    for shard in shards:
        now.setdefault(shard.uuid, {})[shard.number] = shard.done
    checkpoint: Checkpoint = {"indices": now}
    if not news:
        return Changes(checkpoint)
    path = f"/{quote(pattern, safe='*,-')}/_refresh?ignore_unavailable=true"
    expect_success(retrying_request(cluster, "POST", path), "POST", path)
    time = choose_profile(cluster, pattern).paths(resolve(TIMESTAMP)).histogram
    if not time:
        raise UnsupportedQuery("these documents have no time by which changes could be found.")
    steps: set[int] = set()
    untimed = False
    for shard, before in news:
        of_shard, some_untimed = _steps(cluster, shard, before, time)
        steps |= of_shard
        untimed = untimed or some_untimed
    return Changes(checkpoint, spans_of_steps(steps), untimed)


def _shards(cluster: Cluster, pattern: str) -> list[_Shard]:
    path = (
        f"/{quote(pattern, safe='*,-')}/_stats/docs?level=shards&filter_path={_WANTED}"
        "&ignore_unavailable=true"
    )
    stats = expect_success(retrying_request(cluster, "GET", path), "GET", path)
    shards = []
    for name, index in sorted(stats.get("indices", {}).items()):
        for number, copies in sorted(index.get("shards", {}).items()):
            done = [
                int(copy["seq_no"]["local_checkpoint"]) for copy in copies if copy.get("seq_no")
            ]
            shards.append(_Shard(name, str(index["uuid"]), number, min(done, default=_NOTHING)))
    return shards


def _steps(cluster: Cluster, shard: _Shard, before: int, time: str) -> tuple[set[int], bool]:
    """Return the steps in which a shard has new documents, and whether some have no time."""
    steps = {
        "date_histogram": {
            "field": time,
            "fixed_interval": f"{_MILLISECONDS}ms",
            "min_doc_count": 1,
        }
    }
    body: dict[str, Any] = {
        "size": 0,
        "query": {"range": {"_seq_no": {"gt": before, "lte": shard.done}}},
        "aggs": {"steps": steps, "untimed": {"missing": {"field": time}}},
    }
    with Session(cluster, shard.name, EXACT, shard=int(shard.number)) as session:
        session.pin()
        aggregations = session.search(body)["aggregations"]
    numbers = {int(bucket["key"]) // _MILLISECONDS for bucket in aggregations["steps"]["buckets"]}
    return numbers, bool(aggregations["untimed"]["doc_count"])
