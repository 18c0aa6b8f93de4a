"""``k8sidx findings`` commands: list, show, ack, close, reopen, silence, note, risk."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption, Level, OutputOption, QuietOption
from k8sidx.cli.output import effective_format, print_document, print_message
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, takes_store
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import load_format

if TYPE_CHECKING:
    from k8sidx.backends.finding_state import Action

USER = "K8SIDX_USER"


class StateFilter(StrEnum):
    """States to list."""

    LIVE = "live"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    REOPENED = "reopened"
    CLOSED = "closed"
    SILENCED = "silenced"
    ALL = "all"


NAME = "findings"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx hunt --all --save\n"
    "  k8sidx findings list --level high\n"
    "  k8sidx findings risk"
)
LIST_EXAMPLE = "\b\nExample:\n  k8sidx findings list\n  k8sidx findings list --state all -o json"
SHOW_EXAMPLE = "\b\nExample:\n  k8sidx findings show ID"
ACK_EXAMPLE = "\b\nExample:\n  k8sidx findings ack ID --note 'I am looking at it'"
CLOSE_EXAMPLE = "\b\nExample:\n  k8sidx findings close ID --note 'planned maintenance'"
REOPEN_EXAMPLE = "\b\nExample:\n  k8sidx findings reopen ID --note 'it was not planned'"
SILENCE_EXAMPLE = "\b\nExample:\n  k8sidx findings silence ID --for 7d --note 'migration'"
NOTE_EXAMPLE = "\b\nExample:\n  k8sidx findings note ID 'the owner is on holiday'"
RISK_EXAMPLE = "\b\nExample:\n  k8sidx findings risk\n  k8sidx findings risk --of actor -o json"

group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@group.callback(epilog=EXAMPLE)
def command() -> None:
    """List saved findings, decide about them, rank risks."""


Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID", help="Name findings by id, or by the beginning of one.", show_default=False
    ),
]
NoteOption = Annotated[str, typer.Option("--note", metavar="TEXT", help="Add a reason.")]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        envvar=USER,
        metavar="NAME",
        help="Set who decides. [default: the user of this machine]",
        show_default=False,
    ),
]


@group.command("list", epilog=LIST_EXAMPLE)
@ends_with_exit_code
@takes_store
def list_command(
    state: Annotated[
        StateFilter,
        typer.Option(
            "--state",
            metavar="|".join(StateFilter),
            help="List findings in this state; live ones need attention.",
        ),
    ] = StateFilter.LIVE,
    level: Annotated[
        Level | None,
        typer.Option("--level", metavar="LEVEL", help="List findings of this level or above."),
    ] = None,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """List saved findings with their states."""
    from k8sidx.hunt.findings.lifecycle import LIVE, live_findings
    from k8sidx.hunt.findings.risk import states_counted
    from k8sidx.hunt.level import urgency
    from k8sidx.show.render.findings import findings_view

    findings = live_findings(open_chosen(store), datetime.now(UTC))
    states = LIVE if state is StateFilter.LIVE else {state.value}
    shown = [item for item in findings if state is StateFilter.ALL or item.state in states]
    if level:
        shown = [item for item in shown if urgency(item.finding.level) >= urgency(level)]
    print_document(load_format(effective_format(output)).view(findings_view(shown)))
    counts = ", ".join(f"{number:,} {name}" for name, number in states_counted(findings).items())
    print_message(
        f"{len(shown):,} of {len(findings):,} saved findings are shown ({counts or 'none'}).",
        quiet=quiet,
    )
    if not findings:
        print_message("findings are saved by: k8sidx hunt --all --save", quiet=quiet)


@group.command("show", epilog=SHOW_EXAMPLE)
@ends_with_exit_code
@takes_store
def show(
    ids: Ids,
    store: StoreChoice = AS_CONFIGURED,
    output: Annotated[
        Literal["yaml", "json"],
        typer.Option("--output", "-o", metavar="yaml|json", help="Set the format."),
    ] = "yaml",
    debug: DebugOption = False,
) -> None:
    """Show findings with their history and what to look at next."""
    from k8sidx.cli.output import write_text
    from k8sidx.hunt.findings.lifecycle import live_findings, selected
    from k8sidx.show.render.escape import json_text
    from k8sidx.show.render.findings import details_document
    from k8sidx.show.render.yaml import yaml_text

    chosen = selected(live_findings(open_chosen(store), datetime.now(UTC)), ids)
    documents = [details_document(item) for item in chosen]
    if output == "json":
        write_text(json_text(documents) + "\n")
    else:
        write_text("---\n".join(yaml_text(document) for document in documents))


@group.command("ack", epilog=ACK_EXAMPLE)
@ends_with_exit_code
@takes_store
def acknowledge(
    ids: Ids,
    note: NoteOption = "",
    by: ByOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Acknowledge findings: somebody is looking at them."""
    _decide(ids, "acknowledge", note, by, store, quiet=quiet)


@group.command("close", epilog=CLOSE_EXAMPLE)
@ends_with_exit_code
@takes_store
def close(
    ids: Ids,
    note: NoteOption,
    by: ByOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Close findings, with the reason; later requests reopen them."""
    _decide(ids, "close", note, by, store, quiet=quiet)


@group.command("reopen", epilog=REOPEN_EXAMPLE)
@ends_with_exit_code
@takes_store
def reopen(
    ids: Ids,
    note: NoteOption = "",
    by: ByOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Reopen closed, acknowledged or silenced findings."""
    _decide(ids, "open", note, by, store, quiet=quiet)


@group.command("silence", epilog=SILENCE_EXAMPLE)
@ends_with_exit_code
@takes_store
def silence(
    ids: Ids,
    note: NoteOption,
    for_: Annotated[
        str,
        typer.Option("--for", metavar="SPAN", help="Set how long, for example 24h or 7d."),
    ] = "7d",
    by: ByOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Silence findings with the same hunt and key for some time."""
    _decide(ids, "silence", note, by, store, for_, quiet=quiet)


@group.command("note", epilog=NOTE_EXAMPLE)
@ends_with_exit_code
@takes_store
def note_command(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Name a finding by id, or the beginning of it.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Write this note.")],
    by: ByOption = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Add a note to a finding."""
    _decide([identifier], "note", text, by, store, quiet=quiet)


@group.command("risk", epilog=RISK_EXAMPLE)
@ends_with_exit_code
@takes_store
def risk(
    of: Annotated[
        Literal["actor", "object", "cluster"] | None,
        typer.Option(
            "--of", metavar="actor|object|cluster", help="List one kind.", show_default=False
        ),
    ] = None,
    bound: Annotated[
        float, typer.Option("--bound", min=0, metavar="RISK", help="Mark an incident from here on.")
    ] = 100.0,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Rank actors, objects and clusters by the findings about them."""
    from k8sidx.hunt.findings.lifecycle import LIVE, live_findings
    from k8sidx.hunt.findings.risk import risks_of
    from k8sidx.show.render.findings import risks_view

    now = datetime.now(UTC)
    findings = live_findings(open_chosen(store), now)
    risks = [item for item in risks_of(findings, now) if of in (None, item.kind)]
    print_document(load_format(effective_format(output)).view(risks_view(risks, bound)))
    without = sum(item.state not in LIVE for item in findings)
    incidents = sum(item.is_incident(bound) for item in risks)
    print_message(
        f"{incidents:,} incidents; from {len(findings) - without:,} findings, without {without:,} "
        "closed or silenced ones.",
        quiet=quiet,
    )


def _decide(
    ids: list[str],
    action: Action,
    note: str,
    by: str | None,
    store: StoreChoice,
    span: str = "",
    *,
    quiet: bool,
) -> None:
    from k8sidx.hunt.findings.lifecycle import decide, live_findings, selected
    from k8sidx.query.durations import parse_span

    if action in ("close", "silence", "note") and not note.strip():
        raise UsageError("a reason is missing.", remedy="Give it with --note.")
    now = datetime.now(UTC)
    until = now + parse_span(span) if span else None
    opened = open_chosen(store)
    chosen = selected(live_findings(opened, now), ids)
    decide(opened, chosen, action, by=by or _user(), now=now, note=note, until=until)
    states = {item.id: item.state for item in live_findings(opened, now)}
    for item in chosen:
        print_message(
            f"{item.id}: {states[item.id]}{f' until {until:%F %R}Z' if until else ''}",
            quiet=quiet,
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}"
