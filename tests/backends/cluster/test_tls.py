"""TLS against servers that do it wrong, and files that are none."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster, ClusterUnreachable
from k8sidx.backends.cluster.http.open import open_cluster
from k8sidx.backends.cluster.http.tls import tls_context
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.errors import UsageError
from tests.servers.certificates import write_certificates
from tests.servers.scripted import Request, ScriptedServer, reply


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    write_certificates(folder, ("node", "client"))
    (folder / "other").mkdir()
    write_certificates(folder / "other", ("client",))
    both = (folder / "client.pem").read_bytes() + (folder / "client-key.pem").read_bytes()
    (folder / "one-file.crt").write_bytes(both)
    (folder / "beside.crt").write_bytes((folder / "client.pem").read_bytes())
    (folder / "beside.key").write_bytes((folder / "client-key.pem").read_bytes())
    (folder / "alone.crt").write_bytes((folder / "client.pem").read_bytes())
    (folder / "text.pem").write_text("no certificate")
    return folder


def hello(request: Request) -> bytes:
    return reply(200, {"version": {"distribution": "opensearch", "number": "3.8.0"}})


def server_context(files: Path, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "node.pem", files / "node-key.pem")
    if wants_client:
        context.load_verify_locations(files / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_a_trusted_server(files: Path) -> None:
    with ScriptedServer(hello, server_context(files)) as server:
        cluster = open_cluster(server.url, ConnectionSettings(ca_cert=files / "ca.pem"))
        cluster.close()
    assert cluster.version == (3, 8, 0)


@pytest.mark.parametrize("trusted", [None, "other/ca.pem"])
def test_a_server_that_nobody_vouches_for(files: Path, trusted: str | None) -> None:
    settings = ConnectionSettings(ca_cert=files / trusted if trusted else None)
    with (
        ScriptedServer(hello, server_context(files)) as server,
        pytest.raises(ClusterUnreachable, match="no trusted authority has signed") as raised,
    ):
        open_cluster(server.url, settings)
    assert raised.value.remedy == "Give its authority's certificate: --ca-cert FILE."
    assert server.requests == []


def test_verification_can_be_switched_off(files: Path) -> None:
    with ScriptedServer(hello, server_context(files)) as server:
        open_cluster(server.url, ConnectionSettings(verify_certs=False)).close()


def test_a_certificate_for_another_host(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    lookup = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: lookup("127.0.0.1", *rest, **more)
    )
    with (
        ScriptedServer(hello, server_context(files)) as server,
        pytest.raises(ClusterUnreachable, match="a certificate for another host") as raised,
    ):
        settings = ConnectionSettings(ca_cert=files / "ca.pem")
        open_cluster(f"https://search.example.com:{server.port}", settings)
    assert "search.example.com" in str(raised.value)


@pytest.mark.parametrize("certificate", ["one-file.crt", "beside.crt", "client.pem"])
def test_a_client_certificate(files: Path, certificate: str) -> None:
    settings = ConnectionSettings(ca_cert=files / "ca.pem", client_cert=files / certificate)
    with ScriptedServer(hello, server_context(files, wants_client=True)) as server:
        open_cluster(server.url, settings).close()


def test_a_server_that_wants_a_certificate(files: Path) -> None:
    with (
        ScriptedServer(hello, server_context(files, wants_client=True)) as server,
        pytest.raises(ClusterUnreachable) as raised,
    ):
        open_cluster(server.url, ConnectionSettings(ca_cert=files / "ca.pem"))
    assert "--client-cert" in str(raised.value)


def test_https_where_plain_http_is_spoken(every_cluster: Cluster) -> None:
    address = every_cluster.url.replace("http:", "https:")
    with pytest.raises(ClusterUnreachable, match=r"does not speak TLS\. Write .* http://"):
        open_cluster(address)


def test_a_server_that_hangs_up_on_tls() -> None:
    with (
        ScriptedServer(lambda _: reply(400)) as server,
        pytest.raises(ClusterUnreachable, match="while TLS is agreed on") as raised,
    ):
        open_cluster(server.url.replace("http:", "https:"))
    assert raised.value.remedy.startswith("If it speaks plain HTTP, write http://")


def test_http_where_tls_is_spoken(files: Path) -> None:
    with (
        ScriptedServer(hello, server_context(files)) as server,
        pytest.raises(ClusterUnreachable) as raised,
    ):
        open_cluster(server.url.replace("https:", "http:"))
    assert f"If it speaks TLS, write https://127.0.0.1:{server.port}" in raised.value.remedy


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ca_cert": "none.pem"}, "none.pem cannot be read: No such file"),
        ({"ca_cert": "text.pem"}, "text.pem holds no certificates in PEM form"),
        ({"client_cert": "none.pem"}, "none.pem cannot be read: No such file"),
        ({"client_cert": "text.pem"}, "no certificate and key in"),
        ({"client_cert": "alone.crt"}, "without a passphrase"),
        (
            {"client_cert": "client.pem", "client_key": "other/client-key.pem"},
            "The key is not the certificate's",
        ),
        ({"client_key": "client-key.pem"}, "is the key of no certificate"),
    ],
)
def test_files_that_are_none(files: Path, settings: dict[str, str], said: str) -> None:
    paths = {name: files / path for name, path in settings.items()}
    with pytest.raises(UsageError) as raised:
        tls_context(ConnectionSettings(**paths))  # type: ignore[arg-type]
    assert said in str(raised.value)
    assert raised.value.exit_code == 2
