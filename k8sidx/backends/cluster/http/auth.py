"""Authentication of requests: the ``authorization`` header, or a signature."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import orjson
from pydantic import SecretStr

from k8sidx.backends.cluster.http.address import Location
from k8sidx.backends.cluster.http.secret import SecretText, Signer
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.errors import UsageError

_PRINTABLE = re.compile(r"[!-~]+")


class Header:
    """Adds the same header to every request, or none."""

    def __init__(self, value: str = "") -> None:
        self._headers = {"authorization": SecretText(value)} if value else {}

    def headers(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        return self._headers


def signer(location: Location, settings: ConnectionSettings) -> Signer:
    """Return the signer for the credentials in the settings, or else in the location.

    :raises UsageError: when a file of them cannot be read, or its content is not valid.
    """
    if location.username:
        return _basic(location.username, location.password)
    if settings.aws_service:
        from k8sidx.backends.cluster.http.aws import AwsSigner

        return AwsSigner(settings.aws_service, settings.aws_region, settings.aws_profile)
    if settings.api_key or settings.api_key_file:
        key = _read(settings.api_key, settings.api_key_file, "API key")
        return Header(f"ApiKey {_encoded_key(key)}")
    if settings.token or settings.token_file:
        token = _read(settings.token, settings.token_file, "token")
        return Header(f"Bearer {_plain(token, 'token')}")
    if settings.username:
        password = SecretStr(_read(settings.password, settings.password_file, "password"))
        return _basic(settings.username, password)
    if settings.password or settings.password_file:
        raise UsageError("a password is given, but no user.", remedy="Set K8SIDX_USERNAME.")
    return Header()


def _basic(username: str, password: SecretStr | None) -> Header:
    if ":" in username:
        raise UsageError(f"a user name has no colon: {username!r}.")
    secret = password.get_secret_value() if password else ""
    return Header(f"Basic {b64encode(f'{username}:{secret}'.encode()).decode()}")


def _read(value: SecretStr | None, file: Path | None, what: str) -> str:
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return ""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{file} holds no {what}: it is no text.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    # Editors end a file with a line break that is not part of the secret.
    text = text.rstrip("\r\n")
    if not text:
        article = "an" if what[0] in "Aa" else "a"
        raise UsageError(f"{file} is empty; it should hold {article} {what}.")
    return text


def _encoded_key(text: str) -> str:
    """Return an API key as used in the header, from any form in which clusters return it."""
    text = text.strip()
    if text.startswith("{"):
        try:
            created = orjson.loads(text)
            text = created.get("encoded") or f"{created['id']}:{created['api_key']}"
        except (orjson.JSONDecodeError, KeyError):
            raise UsageError(
                "the API key is not a response of the cluster's API for keys."
            ) from None
    text = text.removeprefix("ApiKey ").strip()
    return b64encode(text.encode()).decode() if ":" in text else _plain(text, "API key")


def _plain(text: str, what: str) -> str:
    text = text.strip().removeprefix("Bearer ").strip()
    if not _PRINTABLE.fullmatch(text):
        raise UsageError(f"the {what} has characters that none can have.")
    return text
