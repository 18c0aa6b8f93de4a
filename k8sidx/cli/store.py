"""Store options, the same on every command that needs a store."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from k8sidx.cli.options import INDEX, PROFILE, STORE, ZONE, configuration, use

if TYPE_CHECKING:
    from k8sidx.backends.connection import ClusterOptions, ConnectionSettings
    from k8sidx.backends.store import Store
    from k8sidx.config import Configuration

DEFAULT_STORE = "./k8sidx-store"


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """Store options of the command line; each field is an option."""

    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            envvar=STORE,
            metavar="STORE",
            help="Use this store: a folder, created if missing, or a cluster's http(s):// URL. "
            f"[default: {DEFAULT_STORE}]",
            show_default=False,
        ),
    ] = None
    index: Annotated[
        str | None,
        typer.Option(
            "--index",
            envvar=INDEX,
            metavar="INDEX",
            help="Clusters only: use this index prefix, or an existing index or pattern. "
            "[default: k8s-audit]",
            show_default=False,
        ),
    ] = None
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            metavar="FILE",
            help="Clusters only: read the API key from this file.",
            show_default=False,
        ),
    ] = None
    ca_cert: Annotated[
        Path | None,
        typer.Option(
            "--ca-cert",
            metavar="FILE",
            help="Clusters only: trust these CA certificates (PEM) instead of the system's.",
            show_default=False,
        ),
    ] = None
    client_cert: Annotated[
        Path | None,
        typer.Option(
            "--client-cert",
            metavar="FILE",
            help="Clusters only: present this certificate (PEM), with its key or a .key file.",
            show_default=False,
        ),
    ] = None


ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        envvar=PROFILE,
        metavar="NAME",
        help="Use the settings of [profile.NAME] in k8sidx.toml.",
        show_default=False,
    ),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--tz",
        envvar=ZONE,
        metavar="ZONE",
        help="Read times without a zone in this one, for example Europe/Berlin. [default: UTC]",
        show_default=False,
    ),
]
AS_CONFIGURED = StoreChoice()
OPTIONS = tuple(field.name for field in fields(StoreChoice))


def takes_store(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :class:`StoreChoice` in place of its ``store`` parameter."""
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name == "store":
            parameters += _parameters(parameter.kind, has_times="since" in signature.parameters)
        else:
            parameters.append(parameter)

    @functools.wraps(command)
    def with_choice(**given: Any) -> None:
        use(given.pop("profile", None), given.pop("tz", None))
        choice = StoreChoice(**{name: given.pop(name, None) for name in OPTIONS})
        command(**given, store=choice)

    with_choice.__dict__["__signature__"] = signature.replace(parameters=parameters)
    with_choice.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_choice


def open_chosen(choice: StoreChoice, *, create: bool = False) -> Store:
    """Open the store named by the command line, the environment or the configuration.

    :param create: accept a missing embedded store; the first writer creates it.
    :raises UsageError: when their settings are invalid or contradictory.
    :raises StoreError: when the embedded store does not exist.
    """
    from k8sidx.backends.open import open_store

    configured = configuration()
    location = store_location(choice, configured)
    return open_store(location, create=create, cluster=lambda: cluster_options(choice, configured))


def cluster_options(choice: StoreChoice, configured: Configuration) -> ClusterOptions:
    """Return the options of a store that is a cluster.

    :raises UsageError: when their settings are invalid or contradictory.
    """
    from k8sidx.backends.connection import ClusterOptions

    index = choice.index or configured.index
    return ClusterOptions(index, connection_settings(choice, configured))


def store_location(choice: StoreChoice, configured: Configuration | None = None) -> str:
    """Return the path or URL of the store.

    :raises UsageError: when it is the URL of something else.
    """
    from k8sidx.backends.open import check_location

    location = choice.store or (configured or configuration()).store or DEFAULT_STORE
    check_location(location)
    return location


def shown_location(choice: StoreChoice) -> str:
    """Return the location of the store without credentials, for display and ``--store``.

    :raises UsageError: when it is the URL of something else.
    """
    from k8sidx.backends.open import public_location

    return public_location(store_location(choice))


def connection_settings(choice: StoreChoice, configured: Configuration) -> ConnectionSettings:
    """Merge the connection settings of the command line, the environment and the file.

    :raises UsageError: when they are invalid or contradictory.
    """
    from k8sidx.backends.connection import from_environment, merged

    given = {
        name: value
        for name in ("api_key_file", "ca_cert", "client_cert")
        if (value := getattr(choice, name)) is not None
    }
    file = configured.connection
    filed = {name: getattr(file, name) for name in file.model_fields_set}
    return merged(
        [
            ("the command line", given),
            ("the environment", from_environment(os.environ)),
            (str(configured.source), filed),
        ]
    )


def _parameters(kind: Any, *, has_times: bool) -> list[inspect.Parameter]:
    annotations = inspect.get_annotations(StoreChoice, eval_str=True)
    options = {name: annotations[name] for name in OPTIONS} | {"profile": ProfileOption}
    if has_times:
        options["tz"] = ZoneOption
    return [
        inspect.Parameter(name, kind, default=None, annotation=annotation)
        for name, annotation in options.items()
    ]
