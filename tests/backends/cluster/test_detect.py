"""What is at an address, and what is said when it is no cluster that k8sidx works with."""

from __future__ import annotations

from typing import Any

import pytest

from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.errors import StoreError
from tests.servers.scripted import Request, ScriptedServer, reply

ELASTIC = {"x_elastic_product": "Elasticsearch"}
SUPPORTED = "OpenSearch 2 and 3, and Elasticsearch 8 and 9"


def root(number: str, **version: Any) -> dict[str, Any]:
    return {"name": "n", "version": {"number": number, **version}}


@pytest.mark.parametrize(
    ("answer", "product", "version", "flavor"),
    [
        (reply(200, root("3.8.0", distribution="opensearch")), "opensearch", (3, 8, 0), "server"),
        (
            reply(200, root("9.5.3", build_flavor="default"), **ELASTIC),
            "elasticsearch",
            (9, 5, 3),
            "server",
        ),
        (reply(200, root("9.6.0-SNAPSHOT"), **ELASTIC), "elasticsearch", (9, 6, 0), "server"),
        (
            reply(200, root("8.11.0", build_flavor="serverless"), **ELASTIC),
            "elasticsearch",
            (),
            "elastic-serverless",
        ),
    ],
)
def test_what_it_says_of_itself(
    answer: bytes, product: str, version: tuple[int, ...], flavor: str
) -> None:
    with ScriptedServer(lambda _: answer) as server:
        cluster = open_cluster(server.url)
        cluster.close()
    assert (cluster.product, cluster.version, cluster.flavor) == (product, version, flavor)
    assert [request.target for request in server.requests] == ["/"]


def test_opensearch_that_claims_to_be_7_10_is_asked_again() -> None:
    def script(request: Request) -> bytes:
        if request.target == "/":
            return reply(200, root("7.10.2", distribution="opensearch"))
        return reply(200, {"nodes": {"a": {"version": "2.19.0"}}})

    with ScriptedServer(script) as server:
        cluster = open_cluster(server.url)
        cluster.close()
    assert (cluster.product, cluster.version) == ("opensearch", (2, 19, 0))


def test_amazon_serverless_is_known_by_its_header_or_the_setting() -> None:
    def script(request: Request) -> bytes:
        if request.target == "/":
            return reply(404, server="aoss-amazon")
        return reply(200, [], server="aoss-amazon")

    with ScriptedServer(script) as server:
        cluster = open_cluster(server.url)
        cluster.close()
    assert (cluster.product, cluster.flavor) == ("opensearch", "amazon-serverless")
    assert [request.target for request in server.requests] == [
        "/",
        "/_cat/indices?format=json&h=index",
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(200, root("7.10.2", build_flavor="oss")), "Elasticsearch 7.10.2 is not supported"),
        (reply(200, root("7.17.29"), **ELASTIC), "Elasticsearch 7.17.29 is not supported"),
        (reply(200, root("6.8.0")), "Elasticsearch 6.8.0 is not supported"),
        (reply(200, root("1.3.20", distribution="opensearch")), "OpenSearch 1.3.20 is not"),
    ],
)
def test_what_is_too_old(answer: bytes, said: str) -> None:
    with ScriptedServer(lambda _: answer) as server, pytest.raises(StoreError) as raised:
        open_cluster(server.url)
    assert said in str(raised.value)
    assert SUPPORTED in raised.value.remedy
    assert raised.value.exit_code == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            reply(200, b"<!doctype html><title>Login</title>", content_type="text/html"),
            "answers with a web page (status 200), as no cluster does",
        ),
        (
            reply(302, b"", kbn_name="kibana", location="/app/home"),
            "is Kibana, not a cluster. Give the address of Elasticsearch itself, mostly port 9200",
        ),
        (reply(302, b"", osd_name="osd", location="/app/home"), "is OpenSearch Dashboards, not"),
        (
            reply(400, b"<html>The plain HTTP request was sent to HTTPS port</html>"),
            "requires TLS. Write the address with https://",
        ),
        (reply(200, {"hello": "world"}), "is neither OpenSearch nor Elasticsearch"),
        (reply(200, []), "is neither OpenSearch nor Elasticsearch"),
        (reply(200, {"version": {"number": "1.x"}}), "is neither OpenSearch nor Elasticsearch"),
        (reply(404, b"404 page not found"), "(status 404) is neither OpenSearch nor Elastic"),
        (reply(503, b"no healthy upstream"), "unavailable behind its proxy (status 503)"),
        (
            reply(401, b"Unauthorized", www_authenticate="Basic"),
            "does not accept the credentials: Unauthorized. Set K8SIDX_USERNAME",
        ),
        (
            reply(403, {"Message": "User: anonymous is not authorized to perform: es:ESHttpGet"}),
            "User: anonymous is not authorized to perform: es:ESHttpGet",
        ),
    ],
)
def test_what_is_something_else(answer: bytes, said: str) -> None:
    with ScriptedServer(lambda _: answer) as server, pytest.raises(StoreError) as raised:
        open_cluster(server.url)
    assert said in str(raised.value)
    assert raised.value.exit_code == 3


def test_serverless_that_does_not_let_us_in_says_so() -> None:
    refused = reply(403, {"message": "User is not authorized", "status": 403}, server="aoss-amazon")
    with (
        ScriptedServer(lambda _: refused) as server,
        pytest.raises(StoreError, match="User is not authorized") as raised,
    ):
        open_cluster(server.url)
    assert raised.value.exit_code == 3
