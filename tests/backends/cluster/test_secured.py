"""Real servers with TLS, users and roles: who gets in, and what is said to who does not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.connection import ConnectionSettings, checked
from k8sidx.errors import StoreError
from tests.servers.secured import Secured

READ = {"opensearch": ["indices:data/read/search"], "elasticsearch": ["read"]}
MONITOR = {"opensearch": ["cluster:monitor/main"], "elasticsearch": ["monitor"]}


@pytest.fixture(scope="module", params=["secured_opensearch", "secured_elasticsearch"])
def secured(request: pytest.FixtureRequest) -> Secured:
    server: Secured = request.getfixturevalue(request.param)
    return server


def as_user(server: Secured, name: str, password: str) -> ConnectionSettings:
    return checked({"username": name, "password": password, "ca_cert": server.ca})


def test_the_administrator(secured: Secured, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{secured.password}\n")
    settings = {"username": secured.user, "password_file": tmp_path / "password"}
    cluster = open_cluster(secured.url, checked({**settings, "ca_cert": secured.ca}))
    assert cluster.product == secured.product
    assert cluster.request("GET", "/_cluster/health").status == 200
    cluster.close()


def test_credentials_in_the_address(secured: Secured) -> None:
    address = secured.url.replace("//", f"//{secured.user}:{secured.password}@")
    cluster = open_cluster(address, ConnectionSettings(ca_cert=secured.ca))
    assert cluster.url == secured.url
    cluster.close()


@pytest.mark.parametrize("password", [None, "wrong"])
def test_who_is_not_let_in(secured: Secured, password: str | None) -> None:
    settings = as_user(secured, secured.user, password) if password else None
    with pytest.raises(StoreError, match="does not accept the credentials") as raised:
        open_cluster(secured.url, settings or ConnectionSettings(ca_cert=secured.ca))
    assert "K8SIDX_USERNAME and K8SIDX_PASSWORD" in raised.value.remedy


def test_an_unknown_authority(secured: Secured) -> None:
    with pytest.raises(ClusterUnreachable, match="no trusted authority has signed"):
        open_cluster(secured.url)


def test_the_wrong_scheme(secured: Secured) -> None:
    address = secured.url.replace("https:", "http:")
    with pytest.raises(StoreError, match=r"https://") as raised:
        open_cluster(address)
    assert raised.value.exit_code == 3


def test_a_client_certificate(secured: Secured) -> None:
    certificate, key = secured.client
    settings: dict[str, object] = {
        "ca_cert": secured.ca,
        "client_cert": certificate,
        "client_key": key,
    }
    if secured.product == "elasticsearch":  # there it stands for the connection, not a user
        settings |= {"username": secured.user, "password": secured.password}
    cluster = open_cluster(secured.url, checked(settings))
    assert cluster.request("GET", "/_cluster/health").status == 200
    cluster.close()


def test_a_missing_permission_is_named(secured: Secured, prefix: str) -> None:
    monitor, read = MONITOR[secured.product], READ[secured.product]
    secured.add_user("reader", "reads-only-1", cluster=monitor, indices={f"{prefix}-*": read})
    cluster = open_cluster(secured.url, as_user(secured, "reader", "reads-only-1"))
    assert cluster.request("GET", f"/{prefix}-*/_search").status == 200
    answer = cluster.request("PUT", f"/{prefix}-x/_doc/1", body={"a": 1})
    error = refusal(answer, "the event")
    cluster.close()
    assert answer.status == 403
    assert "reader" in str(error)
    assert "indices:data/write" in str(error) or "indices:admin/create" in str(error)
    assert error.remedy


def test_who_may_not_even_ask_the_version(secured: Secured, prefix: str) -> None:
    read = READ[secured.product]
    secured.add_user("blind", "sees-nothing-1", indices={f"{prefix}-*": read})
    with pytest.raises(StoreError, match="cluster:monitor/") as raised:
        open_cluster(secured.url, as_user(secured, "blind", "sees-nothing-1"))
    assert "blind" in str(raised.value)


@pytest.mark.parametrize("secured", ["secured_elasticsearch"], indirect=True)
def test_a_service_accounts_token(secured: Secured) -> None:
    server = secured
    token = server.add_service_token("elastic/fleet-server")
    settings = checked({"token": token, "ca_cert": server.ca})
    cluster = Cluster(parse_location(server.url), settings)
    for _ in range(100):  # the server reads its files again by itself
        answer = cluster.request("GET", "/_security/_authenticate")
        if answer.status == 200:
            break
        time.sleep(0.1)
    cluster.close()
    assert answer.json()["username"] == "elastic/fleet-server"
