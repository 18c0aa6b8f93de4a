"""``k8sidx setup`` command: index template, mapping and lifecycle policy of a cluster."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption, OutputOption, QuietOption, configuration
from k8sidx.cli.output import effective_format, print_message, write_sheet, write_text
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, cluster_options, open_chosen, takes_store
from k8sidx.errors import StoreError, UsageError
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.backends.setup import SetupPlan, SetupRequest
    from k8sidx.backends.store import Renewed

NAME = "setup"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx setup --store https://search.example.com:9200 --dry-run\n"
    "  k8sidx setup --store https://search.example.com:9200 --retention 90d"
)
_REPORTED_EVENTS = 100_000
"""Progress is printed after so many events."""
_AGE = re.compile(r"[1-9][0-9]{0,5}[dh]")


@ends_with_exit_code
@takes_store
def command(
    store: StoreChoice = AS_CONFIGURED,
    retention: Annotated[
        str | None,
        typer.Option(
            "--retention",
            metavar="AGE",
            help="Delete indices older than this, for example 90d. [default: unchanged, or never]",
            show_default=False,
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            "--replicas",
            min=0,
            metavar="N",
            help="Set the number of replicas. [default: unchanged, or 1 with a second node]",
            show_default=False,
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(
            "--shards",
            min=1,
            max=1024,
            metavar="N",
            help="Set the number of primary shards. [default: unchanged, or 1]",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the requests instead of sending them.")
    ] = False,
    redact_existing: Annotated[
        bool,
        typer.Option(
            "--redact-existing", help="Redact stored events by this version's rules instead."
        ),
    ] = False,
    monitors: Annotated[
        Path | None,
        typer.Option(
            "--monitors",
            metavar="DIR",
            help="Write monitors and rules about new findings into this folder instead.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Create a cluster's templates, mapping and lifecycle policy."""
    if retention is not None and not _AGE.fullmatch(retention):
        raise UsageError(
            f"--retention {retention} is not a valid age.", remedy="For example, use 90d."
        )
    if redact_existing:
        if dry_run or retention is not None or replicas is not None or shards is not None:
            raise UsageError(
                "--redact-existing does nothing but redact stored events.",
                remedy="Run it without other options. List them first: k8sidx doctor --secrets",
            )
        _redact_existing(store, effective_format(output), quiet=quiet)
        return
    if monitors is not None:
        _write_monitors(store, monitors, quiet=quiet)
        return
    opened = open_chosen(store, create=True)
    plan = opened.plan_setup(shards=shards, replicas=replicas, retention=retention or "")
    refused = 0
    if dry_run:
        _show(plan, as_json=output is Output.JSON)
    else:
        refused = _report(list(opened.carry_out(plan)), effective_format(output))
    for note in plan.notes:
        print_message(note, quiet=quiet)
    if not plan.requests:
        print_message("Nothing to do: the cluster is set up.", quiet=quiet)
    if refused:
        raise StoreError(
            f"the cluster refused {refused} of {len(plan.requests)} requests.",
            remedy="Grant this user the missing permissions, or have an administrator run setup.",
        )


def _write_monitors(store: StoreChoice, folder: Path, *, quiet: bool) -> None:
    """Write the files of OpenSearch's monitors and Kibana's rules."""
    from k8sidx.backends.open import finding_monitors

    for name, content in finding_monitors(cluster_options(store, configuration()).index):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        print_message(f"wrote {path}", quiet=quiet)
    print_message(
        "Create them: curl --json @FILE OPENSEARCH/_plugins/_alerting/monitors, or curl --json "
        "@FILE -H 'kbn-xsrf: 1' KIBANA/api/alerting/rule; then add the action that tells people.",
        quiet=quiet,
    )


def _redact_existing(store: StoreChoice, output: Output, *, quiet: bool) -> None:
    """Redact stored events and write the counts.

    :raises StoreError: when the store cannot be read or written.
    """
    from k8sidx.show.render.sheet import Sheet

    reported = 0

    def on_progress(renewed: Renewed) -> None:
        nonlocal reported
        if renewed.events - reported >= _REPORTED_EVENTS:
            reported = renewed.events
            print_message(f"{renewed.events:,} events read", quiet=quiet)

    renewed = open_chosen(store).redact_existing(on_progress)
    columns = ("events", "changed", "values", "duplicates")
    row = tuple(getattr(renewed, name) for name in columns)
    write_sheet(Sheet(columns, [row], "k8sidx setup --redact-existing"), output)
    print_message(
        f"{renewed.values:,} values replaced; {renewed.changed:,} of {renewed.events:,} events "
        "stored again.",
        quiet=quiet,
    )


def _show(plan: SetupPlan, *, as_json: bool) -> None:
    """Print the requests in the format of both vendors' consoles."""
    if as_json:
        listed = [request._asdict() for request in plan.requests]
        write_text(json.dumps(listed, indent=2) + "\n")
        return
    for request in plan.requests:
        body = f"\n{json.dumps(request.body, indent=2)}" if request.body is not None else ""
        write_text(f"{request.method} {request.path}{body}\n\n")


def _report(done: list[tuple[SetupRequest, StoreError | None]], output: Output) -> int:
    """Show the outcome of each request and return the number refused."""
    from k8sidx.show.render.sheet import Sheet

    rows = [
        (
            request.about,
            f"{request.method} {request.path}",
            "refused" if refused else "done",
            str(refused) if refused else "",
        )
        for request, refused in done
    ]
    if rows:
        write_sheet(Sheet(("what", "request", "result", "why"), rows, "k8sidx setup"), output)
    return sum(refused is not None for _, refused in done)
