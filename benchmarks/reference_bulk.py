"""References for shipping to a cluster.

``render``     the documents that k8sidx ships, as bulk bodies in a file
``post``       such bodies over keep-alive connections: the limit of any client
``streaming``  opensearch-py's streaming_bulk with orjson, raw events as they are

    python benchmarks/reference_bulk.py render LOG BODIES PREFIX
    python benchmarks/reference_bulk.py post BODIES URL
    python benchmarks/reference_bulk.py streaming LOG URL INDEX
"""

from __future__ import annotations

import http.client
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONNECTIONS = 2


def render(log: str, bodies: str, prefix: str) -> None:
    """Bodies of about 2 MB, each after a line with its length."""
    from k8sidx.backends.cluster.sink import BatchSpec
    from k8sidx.events.records import Chunk
    from k8sidx.shipping.sources.files.chunks import read_chunks
    from k8sidx.shipping.sources.files.inputs import expand
    from k8sidx.shipping.worker import Worker, WorkerSettings

    worker = Worker(WorkerSettings(BatchSpec(prefix)))
    with Path(bodies).open("wb") as file:
        for number, chunk in enumerate(read_chunks(expand([log])[0], 1024 * 1024)):
            assert isinstance(chunk, Chunk)
            for batch in worker.take(number, chunk).batches:
                _write(file, batch.documents)
        for batch in worker.finish().batches:
            _write(file, batch.documents)


def _write(file: Any, documents: list[bytes]) -> None:
    body = b"".join(documents)
    file.write(b"%d %d\n" % (len(body), len(documents)) + body)


def post(bodies: str, url: str) -> None:
    """Post the bodies; every document must be created."""
    waiting: queue.Queue[tuple[bytes, int] | None] = queue.Queue(2)
    host = urlsplit(url).netloc
    failed: list[bytes] = []

    def work() -> None:
        connection = http.client.HTTPConnection(host)
        while (one := waiting.get()) is not None:
            body, count = one
            connection.request(
                "POST", "/_bulk?filter_path=errors,items.*.status", body,
                {"content-type": "application/x-ndjson"},
            )  # fmt: skip
            answer = connection.getresponse().read()
            if answer.count(b'"status":201') != count:
                failed.append(answer)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    with Path(bodies).open("rb") as file:
        while line := file.readline():
            length, count = map(int, line.split())
            waiting.put((file.read(length), count))
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{len(failed)} bodies not taken: {failed[0][:300]!r}")


def streaming(log: str, url: str, index: str) -> None:
    """As a script would do it: decode each line, hand it to the helper."""
    import orjson
    from isal import igzip
    from opensearchpy import OpenSearch
    from opensearchpy.helpers import streaming_bulk
    from opensearchpy.serializer import JSONSerializer

    class Orjson(JSONSerializer):
        def dumps(self, data: Any) -> Any:
            return data if isinstance(data, str) else orjson.dumps(data).decode()

        def loads(self, s: Any) -> Any:
            return orjson.loads(s)

    def actions() -> Iterator[dict[str, Any]]:
        with igzip.open(log, "rb") as file:  # type: ignore[no-untyped-call]
            for line in file:
                yield {"_op_type": "create", "_index": index, "_source": orjson.loads(line)}

    client = OpenSearch(url, serializer=Orjson(), timeout=60)
    stored = sum(ok for ok, _ in streaming_bulk(client, actions(), chunk_size=500))
    print(stored)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "render":
        render(*arguments)
    elif what == "post":
        post(*arguments)
    else:
        streaming(*arguments)
