"""Object stores: listing by prefix and reading of objects in S3, GCS and Azure Blob Storage.

All three are read through obstore, the Python binding of Apache Arrow's object_store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from k8sidx.errors import SourceError, SourceUnavailable
from k8sidx.shipping.sources.remote.address import Address

_BLOCK_BYTES = 1024 * 1024
_CREDENTIALS = (
    "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId",
    "SignatureDoesNotMatch", "AuthenticationFailed", "Unauthenticated", "Unauthorized",
    "NoAuthenticationInformation", "InvalidAuthenticationInfo", "401 ", "invalid_grant",
)  # fmt: skip
_DENIED = ("AccessDenied", "AuthorizationPermissionMismatch", "AuthorizationFailure", "403 ")
_MISSING_PLACE = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "404 ")
_NOWHERE = ("finds no credentials", "169.254.169.254", "metadata.google.internal")
"""In errors of providers that looked everywhere, the last place being the machine's own service."""
_NO_CREDENTIALS = ("metadata", "credential", "CredentialProvider")


class StoredObject(NamedTuple):
    """An object as a listing has it.

    :param key: its name in the bucket or container.
    :param version: changes with its content: its entity tag.
    """

    key: str
    version: str
    size: int
    modified: datetime


class ObjectGone(Exception):
    """An object does not exist (any more)."""


class ObjectDenied(Exception):
    """An object exists, and may not be read; the message has the reason."""


class ObjectStore:
    """One bucket or container.

    :param url: address of the bucket, without a slash at its end.
    """

    def __init__(self, url: str, store: Any) -> None:
        self.url = url
        self._store = store

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose key starts with some characters.

        :raises SourceError: when the bucket cannot be listed.
        :raises SourceUnavailable: when it may be later.
        """
        folder = prefix.rpartition("/")[0]
        try:
            for entries in obstore.list(self._store, prefix=folder or None):
                for entry in entries:
                    if entry["path"].startswith(prefix):
                        version = (entry["e_tag"] or entry["last_modified"].isoformat()).strip('"')
                        yield StoredObject(
                            entry["path"], version, entry["size"], entry["last_modified"]
                        )
        except (BaseError, OSError, ValueError) as error:
            raise self._error(error) from error

    def open(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Return the bytes of an object from a position on.

        :raises ObjectGone: when it does not exist.
        :raises ObjectDenied: when it may not be read.
        :raises SourceError: when the store cannot be read, as :meth:`list`.
        """
        options: Any = {"range": {"offset": start}} if start else {}
        try:
            result = obstore.get(self._store, key, options=options)
        except FileNotFoundError as error:
            if _contains(str(error), _MISSING_PLACE[:2]):
                raise self._error(error) from error
            raise ObjectGone(key) from error
        except (BaseError, OSError, ValueError) as error:
            if _contains(str(error), _DENIED) and not _contains(str(error), _CREDENTIALS):
                raise ObjectDenied(_first_line(error)) from error
            raise self._error(error) from error
        return self._blocks(result)

    def range(self, key: str, start: int, length: int) -> bytes:
        """Return some bytes of an object; empty when it does not have them."""
        try:
            return bytes(obstore.get_range(self._store, key, start=start, length=length))
        except (BaseError, OSError, ValueError):
            return b""

    def _blocks(self, result: Any) -> Iterator[bytes]:
        try:
            for block in result.stream(min_chunk_size=_BLOCK_BYTES):
                yield bytes(block)
        except (BaseError, OSError, ValueError) as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> SourceError:
        """Return the error for a user, by what the provider answered."""
        text, reason = str(error), _first_line(error)
        if _contains(text, _NOWHERE):
            return SourceError(
                f"there are no credentials for {self.url}.",
                remedy="Give them as the provider's own tools expect them; see docs/clouds.md.",
            )
        if _contains(text, _CREDENTIALS):
            return SourceError(
                f"{self.url} does not accept the credentials: {reason}.",
                remedy="Renew them, and run the command again: it resumes where it stopped.",
            )
        if _contains(text, _DENIED):
            return SourceError(
                f"{self.url} denies access: {reason}.",
                remedy="Allow listing and reading; docs/clouds.md has the permissions.",
            )
        if _contains(text, _MISSING_PLACE):
            return SourceError(f"{self.url} does not exist.", remedy="Check the address.")
        if _contains(text, _NO_CREDENTIALS):
            return SourceError(
                f"there are no credentials for {self.url}: {reason}.",
                remedy="Give them as the provider's own tools expect them; see docs/clouds.md.",
            )
        return SourceUnavailable(f"{self.url} cannot be read: {reason}.", remedy="Try again.")


def open_store(address: Address) -> ObjectStore:
    """Return the bucket or container of an address; nothing is requested yet.

    :raises UsageError: when the address or the environment is not complete.
    """
    if address.scheme == "gs":
        return gcs_store(address.host)
    if address.scheme == "az":
        return azure_store(address.host, address.path.partition("/")[0])
    return s3_store(address.host, address.options.get("region"))


def s3_store(bucket: str, region: str | None = None) -> ObjectStore:
    """Return a bucket of S3, with the credentials and the region that boto3 finds."""
    from k8sidx.shipping.sources.remote.aws import Boto3CredentialProvider, session

    aws = session(region)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    more: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    store = S3Store(
        bucket,
        region=aws.region_name or "us-east-1",
        credential_provider=Boto3CredentialProvider(aws),
        client_options={"allow_http": _is_plain(endpoint)},
        **more,
    )
    return ObjectStore(f"s3://{bucket}", store)


def gcs_store(bucket: str) -> ObjectStore:
    """Return a bucket of GCS; Google's variable for emulators is respected."""
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    more: dict[str, Any] = {}
    if emulator:
        base = emulator if "://" in emulator else f"http://{emulator}"
        more["service_account_key"] = (
            f'{{"gcs_base_url": "{base}", "disable_oauth": true, "client_email": "",'
            ' "private_key": "", "private_key_id": ""}'
        )
    store = GCSStore(bucket, client_options={"allow_http": _is_plain(emulator)}, **more)
    return ObjectStore(f"gs://{bucket}", store)


def azure_store(account: str, container: str) -> ObjectStore:
    """Return a container of Azure Blob Storage."""
    endpoint = os.environ.get("AZURE_STORAGE_ENDPOINT")
    more: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    store = AzureStore(
        container,
        account_name=account,
        client_options={"allow_http": _is_plain(endpoint)},
        **more,
    )
    return ObjectStore(f"az://{account}/{container}", store)


def _is_plain(endpoint: str | None) -> bool:
    return endpoint is not None and not endpoint.startswith("https://")


def _contains(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _first_line(error: Exception) -> str:
    """Return what an error of the library states, without its debugging output."""
    return " ".join(str(error).split("\n\nDebug source")[0].split())[:400].rstrip(".")
