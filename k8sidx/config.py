"""Configuration file ``k8sidx.toml``.

It is searched for in the working directory, then in the user's configuration folder; the
first one found is used alone. The command line and the environment override it.
"""

from __future__ import annotations

import ipaddress
import shlex
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from k8sidx.backends.connection import ConnectionSettings
from k8sidx.config_file import FILE_NAME, ConfigurationFile, Name, find_file, nearest
from k8sidx.errors import UsageError

PATHS = frozenset(
    name
    for name, field in ConnectionSettings.model_fields.items()
    if field.annotation == Path | None
)
"""Connection settings that are paths."""


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


class QuerySettings(BaseModel):
    """Settings of queries.

    :param folder: folder of the user's saved queries, relative to the file's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    folder: str = ""


class ImpersonatorSettings(BaseModel):
    """A trusted proxy that impersonates its users.

    :param account: its user name; ``*`` and ``?`` match any text and one character.
    :param networks: addresses that it runs at; the private ones where none are given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    account: str = Field(min_length=1)
    networks: Annotated[list[str], BeforeValidator(_several)] = Field(default_factory=list)

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: list[str]) -> list[str]:
        for network in networks:
            ipaddress.ip_network(network, strict=False)
        return networks


class NotifySettings(BaseModel):
    """A target of notifications.

    :param url: see docs/notifications.md; it may be in ``url_file`` instead, if it is a secret.
    :param secret_file: file with the key, token or password.
    :param level: lowest level of the findings to send.
    :param clusters: names or patterns of clusters; all if empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    url: str = ""
    url_file: str = ""
    secret_file: str = ""
    level: Literal["informational", "low", "medium", "high", "critical"] = "medium"
    clusters: Annotated[list[str], BeforeValidator(_several)] = Field(default_factory=list)


class Configuration(BaseModel):
    """Settings of a configuration file.

    :param store: path or URL of the store; a path is relative to the file's folder. A list
        of a cluster's nodes in the file is joined by commas here.
    :param index: for a cluster: prefix of the indices, or a pattern of existing ones.
    :param cluster: name stored with events whose envelope does not name a cluster.
    :param tz: time zone of times that name none, as in the IANA database.
    :param lists: files with entries for the lists used by hunts, keyed by the list's name;
        paths are relative to the file's folder.
    :param known_good: allow-list files (:mod:`k8sidx.hunt.allowlist`).
    :param trusted_impersonators: proxies that impersonate their users, by a name of the user's
        choice; they add to the shipped ones (docs/rules.md).
    :param address_databases: files with the places of source addresses (MMDB), for shipping;
        paths are relative to the file's folder.
    :param notify: targets of notifications by a name of the user's choice; paths are relative
        to the file's folder.
    :param query: settings of queries.
    :param defaults: values of options, validated by the command line (k8sidx.cli.defaults).
    :param source: the file it was read from; ``None`` without one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    store: str = ""
    index: str = ""
    cluster: str = ""
    tz: str = ""
    lists: dict[str, Annotated[list[str], BeforeValidator(_several)]] = Field(default_factory=dict)
    known_good: Annotated[list[str], BeforeValidator(_several)] = Field(default_factory=list)
    trusted_impersonators: dict[str, ImpersonatorSettings] = Field(default_factory=dict)
    address_databases: Annotated[list[str], BeforeValidator(_several)] = Field(default_factory=list)
    notify: dict[str, NotifySettings] = Field(default_factory=dict)
    query: QuerySettings = QuerySettings()
    defaults: dict[str, Any] = Field(default_factory=dict)
    connection: ConnectionSettings = ConnectionSettings()
    source: Path | None = None


def load_configuration(folders: Iterable[Path], profile: str = "") -> Configuration:
    """Read the first ``k8sidx.toml`` in the folders; without one, return the defaults.

    :param profile: name of the ``[profile.NAME]`` whose settings replace those of the file.
    :raises UsageError: when it cannot be read, is not valid TOML, has an unknown setting or no
        such profile.
    """
    if (file := find_file(folders)) is not None:
        return _read(file, profile)
    if profile:
        raise UsageError(
            f"there is no profile {profile!r}, since there is no {FILE_NAME}.",
            remedy=f"Write [profile.{profile}] in {FILE_NAME}.",
        )
    return Configuration()


def _read(file: ConfigurationFile, profile: str) -> Configuration:
    if profile:
        file.profile(profile)
    configurations = {name: _checked(file, name) for name in file.profiles}
    base = _checked(file)
    return configurations[profile] if profile else base


def _checked(file: ConfigurationFile, profile: str = "") -> Configuration:
    """Return the configuration of the settings of a file.

    :param profile: its settings replace those with the same name.
    :raises UsageError: when a setting is unknown or not valid.
    """
    path, above = file.path, (("profile", profile),) if profile else ()
    values = {name: value for name, value in file.tables.items() if name != "profile"}
    values |= file.profiles[profile] if profile else {}
    _refuse_unknown(values, Configuration, file, above)
    connection = values.get("connection")
    if isinstance(connection, dict):
        _refuse_unknown(connection, ConnectionSettings, file, above, "connection")
        values["connection"] = _with_folder(connection, path.parent)
    if isinstance(queries := values.get("query"), dict):
        _refuse_unknown(queries, QuerySettings, file, above, "query")
    if isinstance(values.get("store"), list):
        values["store"] = ",".join(map(str, values["store"]))
    try:
        configuration = Configuration(**values, source=path)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        names = tuple(str(part) for part in first["loc"])
        # Not "from error": the invalid value may be a secret.
        raise UsageError(
            f"{'.'.join(names)}: {first['msg']}.", where=file.where(*_places(above, names))
        ) from None
    if file.mode & stat.S_IROTH and _holds_secret(configuration):
        raise UsageError(
            "the file contains a secret but is world-readable.",
            remedy=f"Run: chmod 600 {shlex.quote(str(path))}",
            where=file.where(),
        )
    return configuration.model_copy(
        update={
            "store": _from(path.parent, configuration.store),
            "lists": {
                name: [_from(path.parent, file) for file in files]
                for name, files in configuration.lists.items()
            },
            "known_good": [_from(path.parent, file) for file in configuration.known_good],
            "address_databases": [
                _from(path.parent, file) for file in configuration.address_databases
            ],
            "query": QuerySettings(folder=_from(path.parent, configuration.query.folder)),
            "notify": {
                name: target.model_copy(
                    update={
                        "url_file": _from(path.parent, target.url_file),
                        "secret_file": _from(path.parent, target.secret_file),
                    }
                )
                for name, target in configuration.notify.items()
            },
        }
    )


def _refuse_unknown(
    values: Mapping[str, Any],
    model: type[BaseModel],
    file: ConfigurationFile,
    above: tuple[Name, ...],
    *table: str,
) -> None:
    known = [name for name in model.model_fields if name != "source"]
    for key in values:
        if key not in known:
            where = file.where(*_places(above, (*table, key)))
            raise UsageError(f"unknown setting {key!r}.", remedy=nearest(key, known), where=where)


def _places(above: tuple[Name, ...], names: Name) -> list[Name]:
    """Return where a setting may be, the profile first; a part of a list is where the list is."""
    return [
        (*table, *names[:length]) for length in range(len(names), 0, -1) for table in (*above, ())
    ]


def _with_folder(connection: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Resolve relative paths against the file's folder."""
    return {
        name: str(folder / Path(value).expanduser())
        if name in PATHS and isinstance(value, str)
        else value
        for name, value in connection.items()
    }


def _holds_secret(configuration: Configuration) -> bool:
    settings = configuration.connection
    if any(getattr(settings, name) is not None for name in ("password", "api_key", "token")):
        return True
    if any(target.url.startswith("https:") for target in configuration.notify.values()):
        return True  # whoever knows the address of a webhook may use it
    urls = [configuration.store, settings.proxy.get_secret_value() if settings.proxy else ""]
    return any("@" in url for url in urls if "://" in url)


def _from(folder: Path, store: str) -> str:
    if not store or "://" in store:
        return store
    return str(folder / Path(store).expanduser())
