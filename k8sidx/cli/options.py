"""Options that several commands share, and what they mean together with the configuration."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
ApproximateOption = Annotated[
    bool,
    typer.Option(
        "--approximate",
        help="In a cluster: estimates will do for distinct values, percentiles and top-N.",
    ),
]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="SPAN",
        help="How long a query may take, such as 30s or 5m; then it is stopped.",
        show_default=False,
    ),
]
LEVELS_SAID = ", ".join(Level)


def configuration() -> Configuration:
    """The configuration in effect here.

    :raises UsageError: when its file is wrong.
    """
    from k8sidx.config import load_configuration

    return load_configuration(configuration_folders())


def configuration_folders() -> tuple[Path, ...]:
    """Where configuration files are looked for, the first one found wins."""
    return Path.cwd(), Path(typer.get_app_dir("k8sidx"))
