"""Emulators of clouds for the tests of their sources: one of each, started when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.emulators import (
    AZURE_ACCOUNT,
    AZURE_KEY,
    NoEmulator,
    azurite_service,
    kafka,
)
from tests.servers.fixtures import or_skip
from tests.shipping.sources.remote.shipper import Shipper


@pytest.fixture
def shipper(tmp_path: Path) -> Shipper:
    """Runs of ship into a store of the test's own."""
    return Shipper(tmp_path)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """AWS: the address of moto's server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of AWS's tools, on moto."""
    for name, value in {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return moto


def _service(name: str, folder: Path) -> Iterator[str]:
    try:
        with azurite_service(name, folder) as address:
            yield address
    except NoEmulator as error:
        or_skip(error)


@pytest.fixture(scope="session")
def azurite_blob(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azure Blob Storage: the address of Azurite's account."""
    yield from _service("blob", tmp_path_factory.mktemp("azurite"))


@pytest.fixture(scope="session")
def azurite_queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azure Queue Storage: the address of Azurite's account."""
    yield from _service("queue", tmp_path_factory.mktemp("azurite"))


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Kafka: the address of a broker."""
    try:
        with kafka(tmp_path_factory.mktemp("kafka")) as address:
            yield address
    except NoEmulator as error:
        or_skip(error)


@pytest.fixture
def azure(azurite_blob: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of Azure's tools, on Azurite."""
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", azurite_blob)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
    return AZURE_ACCOUNT


class Bucket:
    """A bucket or container of its own, by whichever store.

    :ivar url: its address.
    """

    def __init__(self, url: str, put: Callable[[str, bytes], Any], delete: Callable[[str], Any]):
        self.url = url
        self.put = put
        self.delete = delete


NO_GCS = pytest.mark.skip(
    reason="fake-gcs-server answers 400 to uploads by the XML API, which obstore uses"
)


@pytest.fixture(params=["s3", pytest.param("gs", marks=NO_GCS), "az"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    """An empty bucket of each store, in turn."""
    import obstore

    from k8sidx.shipping.sources.remote.address import parse_address
    from k8sidx.shipping.sources.remote.object_store import open_store

    name = f"logs-{tmp_path.name.replace('_', '-').lower()[-40:]}".strip("-")
    if request.param == "s3":
        import boto3

        request.getfixturevalue("aws")
        boto3.client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        url = f"s3://{name}"
    else:
        url = f"az://{request.getfixturevalue('azure')}/{name}"
        create_container(request.getfixturevalue("azurite_blob"), name)
    store = open_store(parse_address(url))._store
    return Bucket(
        url,
        lambda key, body: obstore.put(store, key, body),
        lambda key: obstore.delete(store, key),
    )


def create_container(address: str, name: str) -> None:
    """Create a container, unless it exists, signed as Azure Storage documents (Shared Key)."""
    import base64
    import hashlib
    import hmac
    from email.utils import formatdate

    import urllib3

    date = formatdate(usegmt=True)
    resource = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}\nrestype:container"
    headers = f"x-ms-date:{date}\nx-ms-version:2021-08-06\n"
    text = "PUT" + "\n" * 12 + headers + resource
    digest = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
    response = urllib3.request(
        "PUT",
        f"{address}/{name}?restype=container",
        headers={
            "x-ms-date": date,
            "x-ms-version": "2021-08-06",
            "Content-Length": "0",
            "Authorization": f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}",
        },
    )
    assert response.status in (201, 409), response.data
