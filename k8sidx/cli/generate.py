"""``k8sidx generate`` command: synthetic audit logs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption, QuietOption
from k8sidx.cli.output import print_message
from k8sidx.cli.size import parse_size
from k8sidx.errors import UsageError

NAME = "generate"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx generate -o synthetic.log.zst --events 100000 --labels labels.json\n"
    "  k8sidx generate --events 2000 --attacks none | k8sidx ship --store synthetic -"
)
EVENTS = 100_000


class Platform(StrEnum):
    """Platforms whose own identities can be part of a log."""

    AKS = "aks"
    EKS = "eks"
    GKE = "gke"
    K3S = "k3s"
    OPENSHIFT = "openshift"
    RANCHER = "rancher"


@ends_with_exit_code
def command(
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write here, compressed if the name ends in .gz or .zst; - for stdout.",
        ),
    ] = "-",
    events: Annotated[
        int | None,
        typer.Option(
            "--events",
            metavar="N",
            min=1,
            help=f"Write this many events. [default: {EVENTS}]",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            metavar="SIZE",
            help="Write this many uncompressed bytes instead, for example 1GiB.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="S",
            help="Seed the random numbers; the same seed gives the same bytes.",
        ),
    ] = 1,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Start the log at this time (ISO-8601).")
    ] = "2026-11-23T00:00:00Z",
    span: Annotated[
        str,
        typer.Option(
            "--span", metavar="SPAN", help="Set the length of the log, for example 12h or 7d."
        ),
    ] = "1d",
    people: Annotated[
        int, typer.Option("--users", metavar="N", help="Set the number of human users.")
    ] = 6,
    platform: Annotated[
        Platform | None,
        typer.Option(
            "--platform",
            help="Add the identities of a managed platform or distribution.",
            show_default=False,
        ),
    ] = None,
    attacks: Annotated[
        str,
        typer.Option(
            "--attacks",
            metavar="all|none|ID,...",
            help="Plant attacks in the second half, one for each of these hunts.",
        ),
    ] = "all",
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE.json",
            help="Write the labels here: who did what when, and the hunts that must find it.",
            show_default=False,
        ),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Write synthetic audit logs with planted, labelled attacks."""
    from datetime import UTC, datetime

    from k8sidx.generate.log import MEAN_LINE, Log, Wanted
    from k8sidx.generate.plan import chosen
    from k8sidx.generate.write import write_lines
    from k8sidx.query.durations import parse_moment, parse_span

    if events and size:
        raise UsageError("--events and --size exclude each other.", remedy="Give one of them.")
    most = parse_size(size) if size else None
    log = Log(
        Wanted(
            events=most // MEAN_LINE if most else events or EVENTS,
            size=most,
            seed=seed,
            since=parse_moment(since, datetime.now(UTC)),
            span=parse_span(span),
            people=people,
            attacks=tuple(chosen(attacks)),
            platform=platform.value if platform else "",
        )
    )
    written, length = write_lines(log.lines(), output)
    if labels:
        _save(labels, log.labels())
    print_message(f"{written:,} events, {length:,} bytes.", quiet=quiet)


def _save(path: Path, labels: object) -> None:
    try:
        path.write_text(json.dumps(labels, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Choose a file in an existing folder.",
        ) from error
