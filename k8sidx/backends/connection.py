"""Connection settings of a cluster: credentials, TLS, proxy, timeouts; and their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from k8sidx.errors import UsageError

Seconds = Annotated[float, Field(gt=0, le=86_400)]

CREDENTIALS = {
    "username": ("username", "password", "password_file"),
    "api_key": ("api_key", "api_key_file"),
    "token": ("token", "token_file"),
    "aws_service": ("aws_service",),
}
"""Kinds of credentials, of which a request has one."""


class ConnectionSettings(BaseModel):
    """Connection settings of a cluster.

    :param api_key: as the cluster returns it: encoded, or ``id:key``.
    :param token: bearer token: a service account's, JWT, OAuth2.
    :param ca_cert: PEM file of the authorities to trust instead of the system's.
    :param client_key: key of ``client_cert``, when it is in a separate file.
    :param proxy: URL of an HTTP proxy, instead of the environment's.
    :param aws_service: sign requests for Amazon OpenSearch Service or Serverless.
    :param connect_timeout: seconds until a connection is open.
    :param read_timeout: seconds until a response is complete.
    """

    # A wrong value is not repeated in the error: it may be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    ca_cert: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    verify_certs: bool = True
    proxy: SecretStr | None = None
    aws_service: Literal["", "es", "aoss"] = ""
    aws_region: str = ""
    aws_profile: str = ""
    connect_timeout: Seconds = 10.0
    read_timeout: Seconds = 60.0


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Options of a store that is a cluster.

    :param index: prefix of the indices, or a pattern of existing ones; empty for the default.
    """

    index: str = ""
    connection: ConnectionSettings = field(default_factory=ConnectionSettings)


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in the environment: ``K8SIDX_USERNAME``, ``K8SIDX_CA_CERT``, …"""
    named = {name: environment.get(f"K8SIDX_{name.upper()}", "") for name in _NAMES}
    return {name: value for name, value in named.items() if value}


def merged(sources: Sequence[tuple[str, Mapping[str, Any]]]) -> ConnectionSettings:
    """Merge settings; those of earlier sources override those of later ones.

    A source with credentials (a user, an API key, …) disables the other kinds of credentials in
    later sources, so that a key on the command line replaces a configured user.

    :param sources: the name of each in errors, and its settings.
    :raises UsageError: when a value is not valid, or one source has two kinds at once.
    """
    values: dict[str, Any] = {}
    decided = ""
    for called, settings in sources:
        ways = [way for way, names in CREDENTIALS.items() if any(n in settings for n in names)]
        if len(ways) > 1:
            raise UsageError(
                f"{called} has several kinds of credentials: {', '.join(ways)}.",
                remedy="Keep one of them.",
            )
        decided = decided or "".join(ways)
        both = sorted(name for name in settings if _rival(name) in settings)
        if both:
            raise UsageError(f"{called} has both {' and '.join(both)}.", remedy="Keep one of them.")
        others = {n for way, names in CREDENTIALS.items() if way != decided for n in names}
        rivals = {name for name in settings if _rival(name) in values}
        for name, value in settings.items():
            if name not in rivals and not (decided and name in others):
                values.setdefault(name, value)
    return checked(values)


def checked(values: Mapping[str, Any]) -> ConnectionSettings:
    """Validate settings.

    :raises UsageError: naming the first invalid one; never its value.
    """
    try:
        return ConnectionSettings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"connection setting {name}: {first['msg']}.") from None


def _rival(name: str) -> str:
    """Return the alternative to a setting: its value, or the file that contains it."""
    return name.removesuffix("_file") if name.endswith("_file") else f"{name}_file"


_NAMES = tuple(ConnectionSettings.model_fields)
