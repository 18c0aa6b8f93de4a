"""Who one is, as the request says it; proxies; AWS signatures, checked by their definition."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from k8sidx.backends.cluster.http.address import parse_location
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.connection import ConnectionSettings, checked
from k8sidx.errors import UsageError
from tests.servers.scripted import Request, ScriptedServer, reply

KEY = b64encode(b"abc:xyz").decode()


def sent(settings: ConnectionSettings, url: str = "http://%s") -> Request:
    """What a server gets."""
    with ScriptedServer(lambda _: reply(200, {})) as server:
        cluster = Cluster(parse_location(url % server.url.removeprefix("http://")), settings)
        cluster.request("POST", "/a-*/_search", params={"x": "a b,c"}, body=b'{"q":1}')
        cluster.close()
    return server.requests[0]


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"username": "ü", "password": "p:w"}, f"Basic {b64encode('ü:p:w'.encode()).decode()}"),
        ({"username": "u", "password_file": "p:w\n"}, f"Basic {b64encode(b'u:p:w').decode()}"),
        ({"api_key": KEY}, f"ApiKey {KEY}"),
        ({"api_key": "abc:xyz"}, f"ApiKey {KEY}"),
        ({"api_key_file": f"ApiKey {KEY}\n"}, f"ApiKey {KEY}"),
        ({"api_key_file": '{"id":"abc","api_key":"xyz","name":"n"}'}, f"ApiKey {KEY}"),
        ({"api_key_file": f'{{"encoded":"{KEY}"}}'}, f"ApiKey {KEY}"),
        ({"token": "AAEAAWVs"}, "Bearer AAEAAWVs"),
        ({"token_file": "Bearer eyJ.x-_\n"}, "Bearer eyJ.x-_"),
    ],
)
def test_the_header(settings: dict[str, str], header: str, tmp_path: Path) -> None:
    values: dict[str, object] = dict(settings)
    for name, text in settings.items():
        if name.endswith("_file"):
            (tmp_path / name).write_text(text)
            values[name] = tmp_path / name
    assert sent(checked(values)).headers["authorization"] == header


def test_what_a_url_holds() -> None:
    request = sent(ConnectionSettings(), "http://me:p%40w@%s".replace("%40", "%%40"))
    assert request.headers["authorization"] == f"Basic {b64encode(b'me:p@w').decode()}"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"password": "s3cr3t"}, "a password is given, but no user"),
        ({"username": "a:b", "password": "s3cr3t"}, "a user name has no colon"),
        ({"api_key": "s3cr3t\nx"}, "the API key has characters that none can have"),
        ({"api_key": '{"s3cr3t"'}, "not a response of the cluster's API for keys"),
        ({"token": "s3cr3t\u00e9"}, "the token has characters that none can have"),
        ({"token_file": "/none"}, "/none cannot be read: No such file"),
        ({"api_key_file": "/dev/null"}, "is empty; it should hold an API key"),
    ],
)
def test_what_cannot_be_is_refused_without_showing_it(settings: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        Cluster(parse_location("http://a"), checked(settings))
    assert said in str(raised.value)
    assert "s3cr3t" not in f"{raised.value}{raised.value.__cause__}"


def test_a_plain_http_proxy_gets_the_whole_url_and_its_own_credentials() -> None:
    with ScriptedServer(lambda _: reply(200, {})) as proxy:
        at = proxy.url.replace("http://", "http://me:p%20w@")
        settings = checked({"proxy": at, "token": "t"})
        cluster = Cluster(parse_location("http://search.example.com:9200/es"), settings)
        cluster.request("GET", "/_bulk")
        cluster.close()
    [request] = proxy.requests
    assert request.target == "http://search.example.com:9200/es/_bulk"
    assert request.headers["host"] == "search.example.com:9200"
    assert request.headers["proxy-authorization"] == f"Basic {b64encode(b'me:p w').decode()}"
    assert request.headers["authorization"] == "Bearer t"


def test_tls_goes_through_a_proxy_as_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment sees the host's name and nothing of the request."""
    with ScriptedServer(lambda _: reply(407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        cluster = Cluster(parse_location("https://search.example.com"), checked({"token": "t"}))
        with pytest.raises(Exception, match="cannot be reached through the proxy") as raised:
            cluster.request("GET", "/_bulk")
        cluster.close()
    assert "HTTPS_PROXY, or name the host in NO_PROXY" in str(raised.value)
    [request] = proxy.requests
    assert (request.method, request.target) == ("CONNECT", "search.example.com:443")
    assert "authorization" not in request.headers


def test_a_host_without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert sent(ConnectionSettings()).target.startswith("/a-*")


def test_a_proxy_that_is_none() -> None:
    settings = checked({"proxy": "socks5://me:s3cr3t@proxy:1080"})
    with pytest.raises(UsageError, match="no http:// or https:// URL") as raised:
        Cluster(parse_location("http://a"), settings)
    assert "s3cr3t" not in str(raised.value)


def signature(request: Request, secret: str) -> str:
    """Version 4, as AWS defines it, of a request that a server got."""
    parts = dict(
        part.strip().split("=", 1)
        for part in request.headers["authorization"].partition(" ")[2].split(",")
    )
    _, date, region, service, _ = parts["Credential"].split("/")
    split = urlsplit(request.target)
    query = sorted(
        (quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in parse_qsl(split.query)
    )
    signed = parts["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request.method,
            quote(split.path, safe="/-_.~"),
            "&".join(f"{n}={v}" for n, v in query),
            *(f"{name}:{request.headers[name]}" for name in signed),
            "",
            parts["SignedHeaders"],
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{date}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize("service", ["es", "aoss"])
@pytest.mark.usefixtures("aws")
def test_requests_are_signed_as_they_are_sent(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    request = sent(checked({"aws_service": service, "aws_region": "eu-west-1"}))
    given = request.headers["authorization"]
    assert f"/eu-west-1/{service}/aws4_request" in given
    assert given.endswith(f"Signature={signature(request, 's3cr3t')}")
    assert request.headers["x-amz-security-token"] == "session"
    assert request.headers["x-amz-content-sha256"] == hashlib.sha256(request.body).hexdigest()
    assert "x-amz-content-sha256" in given, "it is signed, too, as Serverless wants"


@pytest.mark.usefixtures("aws")
def test_the_region_stands_in_the_hosts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from k8sidx.backends.cluster.http.aws import AwsSigner

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    signer = AwsSigner("es", "", "")
    url = "https://search-audit-abc.us-gov-west-1.es.amazonaws.com/"
    assert "/us-gov-west-1/es/" in signer.headers("GET", url, None, {})["authorization"]
    assert "s3cr3t" not in repr(signer.headers("GET", url, None, {}))
    with pytest.raises(UsageError, match="region is not configured"):
        signer.headers("GET", "https://search.example.com/", None, {})


@pytest.mark.usefixtures("aws")
def test_without_aws_credentials() -> None:
    with pytest.raises(UsageError, match=r"there are no AWS credentials\. Set AWS_PROFILE"):
        sent(checked({"aws_service": "es"}))


@pytest.mark.usefixtures("aws")
def test_a_profile_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"the AWS configuration is wrong: .*nobody"):
        sent(checked({"aws_service": "es", "aws_profile": "nobody"}))


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "k8sidx.backends.cluster.http.aws", raising=False)
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(UsageError, match=r"pip install 'k8sidx\[aws\]'"):
        sent(checked({"aws_service": "es"}))
