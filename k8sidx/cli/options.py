"""Options shared by several commands, and the configuration in effect."""

from __future__ import annotations

import os
from contextvars import ContextVar
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.output import LogFormat
from k8sidx.cli.start import configuration_folders
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.config import Configuration


class Level(StrEnum):
    """Sigma's levels, the least urgent first."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


OUTPUTS = "|".join(Output)
OutputOption = Annotated[
    Output | None,
    typer.Option(
        "--output",
        "-o",
        metavar=OUTPUTS,
        help="Set the output format. [default: table on a terminal, csv when piped]",
        show_default=False,
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Suppress progress, warnings and summaries on stderr.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Include events from this time on (ISO-8601, yesterday, or an age: 24h).",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Include only events before this time."),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="SPAN",
        help="Length of the comparison period before --since, for example 30d.",
    ),
]
ApproximateOption = Annotated[
    bool,
    typer.Option(
        "--approximate",
        help="Clusters only: allow approximate distinct counts, percentiles and top-N.",
    ),
]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="SPAN",
        help="Cancel a query that takes longer than this, for example 30s or 5m.",
        show_default=False,
    ),
]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="Read this file instead of the store and keep nothing (repeatable).",
        show_default=False,
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Only hunts with this ATT&CK tag, for example t1609 (repeatable).",
        show_default=False,
    ),
]
LEVEL_NAMES = ", ".join(Level)
LevelOption = Annotated[
    Level | None,
    typer.Option(
        "--level",
        metavar="LEVEL",
        help=f"Only hunts of this level or above: {LEVEL_NAMES}.",
        show_default=False,
    ),
]
NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAMESPACE",
        help="Set the namespace of the object.",
        show_default=False,
    ),
]
AddressDatabaseOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--address-database",
        metavar="FILE",
        help="Store places of source addresses from this MMDB file (repeatable).",
        show_default=False,
    ),
]
SPOOL_SIZE = "1GiB"
SpoolOption = Annotated[
    Path | None,
    typer.Option(
        "--spool",
        metavar="DIR",
        help="Keep here what could not be delivered, and deliver it first at the next start. "
        "[default: beside the state file]",
        show_default=False,
    ),
]
SpoolSizeOption = Annotated[
    str,
    typer.Option("--spool-size", metavar="SIZE", help="Keep at most so many bytes in the spool."),
]
ClusterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cluster",
        metavar="NAME",
        help="Include only events of this cluster; * matches any text (repeatable).",
        show_default=False,
    ),
]
MaxAgeOption = Annotated[
    str | None,
    typer.Option(
        "--max-age",
        metavar="SPAN",
        help="Exit with 4 if the newest event is older than this, for example 1h.",
        show_default=False,
    ),
]
LogFormatOption = Annotated[
    LogFormat,
    typer.Option("--log-format", help="Write messages on stderr as text or as JSON lines."),
]
MetricsOption = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="HOST:PORT",
        help="Serve /metrics (Prometheus), /healthz and /readyz on this address.",
        show_default=False,
    ),
]
KnownGoodOption = Annotated[
    list[str] | None,
    typer.Option(
        "--known-good",
        metavar="FILE",
        help="Suppress findings listed in this allow-list file (docs/rules.md).",
        show_default=False,
    ),
]


STORE = "K8SIDX_STORE"
INDEX = "K8SIDX_INDEX"
PROFILE = "K8SIDX_PROFILE"
ZONE = "K8SIDX_TZ"
_profile: ContextVar[str | None] = ContextVar("profile", default=None)
_zone: ContextVar[str | None] = ContextVar("zone", default=None)


def use(profile: str | None, zone: str | None) -> None:
    """Set the profile and the time zone of the command that runs; ``None`` for the default."""
    _profile.set(profile)
    _zone.set(zone)


def configuration() -> Configuration:
    """Return the configuration in effect in the working directory.

    :raises UsageError: when its file is invalid, or has no such profile.
    """
    from k8sidx.config import load_configuration

    profile = _profile.get() or os.environ.get(PROFILE, "")
    return load_configuration(configuration_folders(), profile)


def time_zone() -> tzinfo:
    """Return the zone of times that name none.

    :raises UsageError: when the one that is set does not exist.
    """
    from k8sidx.query.durations import parse_zone

    return parse_zone(_zone.get() or os.environ.get(ZONE) or configuration().tz or "UTC")
