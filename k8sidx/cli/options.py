"""Options that several commands share, and what they mean together with the configuration."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.configuration import Configuration

DEFAULT_STORE = "./k8sidx-store"


class Output(StrEnum):
    """How a command writes its data."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "md"
    HTML = "html"


class Level(StrEnum):
    """Sigma's levels, the least urgent first."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="K8SIDX_STORE",
        metavar="STORE",
        help=f"Where the events live: a folder, made when missing. [default: {DEFAULT_STORE}]",
        show_default=False,
    ),
]
OutputOption = Annotated[
    Output | None,
    typer.Option(
        "--output",
        "-o",
        metavar="table|csv|json|md|html",
        help="How to write the data. [default: table on a terminal, csv when piped]",
        show_default=False,
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, warnings or summaries on stderr.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only events from this time on: ISO-8601, or how long ago (24h, 7d).",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Only events before this time."),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="SPAN",
        help="How far back before --since a hunt for the new looks for the known, such as 30d.",
    ),
]
LEVELS_SAID = ", ".join(Level)


def configuration() -> Configuration:
    """The configuration in effect here.

    :raises UsageError: when its file is wrong.
    """
    from k8sidx.configuration import load_configuration

    return load_configuration(configuration_folders())


def configuration_folders() -> tuple[Path, ...]:
    """Where configuration files are looked for, the first one found wins."""
    return Path.cwd(), Path(typer.get_app_dir("k8sidx"))


def store_location(given: str | None) -> str:
    """The store that the command line, the environment or the configuration names.

    :raises UsageError: when it is no path; this version has embedded stores only.
    """
    location = given or configuration().store or DEFAULT_STORE
    scheme, separator, _ = location.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        raise UsageError(
            "cluster stores are not in this version.",
            remedy="Give --store the path of a folder.",
        )
    if separator:
        raise UsageError(
            f"a store is a folder; {scheme}:// is none.",
            remedy="Give --store the path of a folder.",
        )
    return location
