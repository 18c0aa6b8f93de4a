"""Detection of the product, its version and its kind of deployment.

OpenSearch says so in the body of ``GET /``; Elasticsearch by the header
``X-Elastic-Product``, which every answer since 7.14 carries. Amazon OpenSearch Serverless
has no ``GET /``; it is known by its ``server`` header, or by configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.response import Answer
from k8sidx.errors import StoreError

if TYPE_CHECKING:
    from k8sidx.backends.cluster.http.client import Cluster, Flavor, Product

SUPPORTED = "k8sidx works with OpenSearch 2 and 3, and Elasticsearch 8 and 9."
_OLDEST = {"opensearch": 2, "elasticsearch": 8}
_NAMES = {"opensearch": "OpenSearch", "elasticsearch": "Elasticsearch"}


class Recognized(NamedTuple):
    """Product and version of a cluster.

    :param version: empty for services without versions.
    """

    product: Product
    version: tuple[int, ...]
    flavor: Flavor


def recognize(cluster: Cluster) -> Recognized:
    """Detect product and version of a cluster.

    :raises ClusterUnreachable: when there is no response.
    :raises StoreError: when it denies access, is too old, or is another product.
    """
    if cluster.settings.aws_service == "aoss":
        return _amazon_serverless(cluster)
    answer = cluster.request("GET", "/")
    if answer.headers.get("server") == "aoss-amazon":
        return _amazon_serverless(cluster)
    elastic = answer.headers.get("x-elastic-product") == "Elasticsearch"
    about = _version(answer)
    if answer.status in (401, 403) or (answer.status >= 300 and not elastic and not about):
        raise _instead(cluster, answer)
    if elastic:
        if about.get("build_flavor") == "serverless":
            return Recognized("elasticsearch", (), "elastic-serverless")
        version = _numbers(about.get("number")) or _version_of_a_node(cluster)
        return _supported(Recognized("elasticsearch", version, "server"))
    if about.get("distribution") == "opensearch":
        version = _numbers(about.get("number"))
        if version[:1] == (7,):
            # A compatibility setting makes OpenSearch report version 7.10.
            version = _version_of_a_node(cluster)
        return _supported(Recognized("opensearch", version, "server"))
    if _numbers(about.get("number")):
        return _supported(Recognized("elasticsearch", _numbers(about["number"]), "server"))
    raise _instead(cluster, answer)


def _amazon_serverless(cluster: Cluster) -> Recognized:
    """Detect a collection; one request checks the access."""
    answer = cluster.request("GET", "/_cat/indices?format=json&h=index")
    if answer.status != 200:
        raise _instead(cluster, answer)
    return Recognized("opensearch", (), "amazon-serverless")


def _version_of_a_node(cluster: Cluster) -> tuple[int, ...]:
    answer = cluster.request("GET", "/_nodes/_local?filter_path=nodes.*.version")
    if answer.status != 200:
        raise _instead(cluster, answer)
    nodes = answer.json().get("nodes", {})
    return next((_numbers(node.get("version")) for node in nodes.values()), ())


def _supported(recognized: Recognized) -> Recognized:
    if recognized.version[:1] < (_OLDEST[recognized.product],):
        version = ".".join(map(str, recognized.version)) or "of an unknown version"
        raise StoreError(
            f"{_NAMES[recognized.product]} {version} is not supported.", remedy=SUPPORTED
        )
    return recognized


def _instead(cluster: Cluster, answer: Answer) -> StoreError:
    """Return an error that names what seems to be at the address instead."""
    kind = answer.headers.get("content-type", "")
    for header, name, instead in (
        ("kbn-name", "Kibana", "Elasticsearch"),
        ("osd-name", "OpenSearch Dashboards", "OpenSearch"),
    ):
        if header in answer.headers:
            return StoreError(
                f"{cluster.url} is {name}, not a cluster.",
                remedy=f"Give the address of {instead} itself, mostly port 9200.",
            )
    if answer.status in (401, 403):
        return refusal(answer, cluster.url)
    if b"plain HTTP request was sent to HTTPS port" in answer.body:
        return StoreError(f"{cluster.url} requires TLS.", remedy="Write the address with https://")
    if "html" in kind or answer.body.lstrip()[:1] == b"<":
        return StoreError(
            f"{cluster.url} answers with a web page (status {answer.status}), as no cluster does.",
            remedy="Is it a proxy's login page, or a dashboard? Give the cluster's own address.",
        )
    if answer.status >= 500:
        return refusal(answer, cluster.url)
    return StoreError(
        f"what answers at {cluster.url} (status {answer.status}) is neither OpenSearch nor "
        "Elasticsearch.",
        remedy="Give the address of the cluster, mostly port 9200.",
    )


def _version(answer: Answer) -> dict[str, Any]:
    """Return ``version`` of the response to ``GET /``, or an empty mapping."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    version = body.get("version") if isinstance(body, dict) else None
    return version if isinstance(version, dict) else {}


def _numbers(text: object) -> tuple[int, ...]:
    """Parse ``9.5.3-SNAPSHOT`` to ``(9, 5, 3)``; empty when it is not a version."""
    parts = str(text or "").split("-")[0].split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
