"""A cluster: requests to OpenSearch or Elasticsearch, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

import orjson
import urllib3

from k8sidx.cluster.location import Location, parse_location
from k8sidx.cluster.settings import ConnectionSettings
from k8sidx.errors import StoreError

Product = Literal["opensearch", "elasticsearch"]


class ClusterUnreachable(StoreError):
    """No answer came: what the cluster did with the request is unknown."""


class Answer(NamedTuple):
    """What a cluster answered, whatever its status.

    :param headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body.

        :raises StoreError: when it is no JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise StoreError("the cluster's answer is no JSON.") from error


@dataclass(slots=True)
class Cluster:
    """One cluster. Requests may be made from several threads at once.

    :ivar product: told by the cluster when it was opened.
    :ivar version: such as ``(3, 8, 0)``.
    """

    url: str
    product: Product = "opensearch"
    version: tuple[int, ...] = ()
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=8))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """One request, without retries; an HTTP error status is an answer like any other.

        :param path: begins with ``/``; names in it are already percent-encoded.
        :param body: JSON of a mapping, or bytes as they are.
        :param timeout: seconds, for this request.
        :raises ClusterUnreachable: when no whole answer came.
        """
        content = orjson.dumps(body) if isinstance(body, Mapping) else body
        sent = {"content-type": "application/json", **(headers or {})}
        try:
            answer = self._pool.request(
                method, f"{self.url}{path}?{urlencode(params)}" if params else self.url + path,
                body=content, headers=sent, timeout=timeout or 60.0, retries=False,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            raise ClusterUnreachable(f"{self.url} does not answer: {error}") from error
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, lowered, answer.data)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def open_cluster(location: str | Location, settings: ConnectionSettings | None = None) -> Cluster:
    """Connect, and learn which product and version it is.

    :raises ClusterUnreachable: when nothing answers there.
    """
    located = parse_location(location) if isinstance(location, str) else location
    cluster = Cluster(str(located.nodes[0]))
    answer = cluster.request("GET", "/_nodes?filter_path=nodes.*.version")
    elastic = "x-elastic-product" in answer.headers
    cluster.product = "elasticsearch" if elastic else "opensearch"
    node = next(iter(answer.json()["nodes"].values()))
    cluster.version = tuple(int(part) for part in node["version"].split("-")[0].split("."))
    return cluster
