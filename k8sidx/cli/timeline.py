"""``k8sidx timeline`` command: events and findings in one list."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs
from k8sidx.cli.investigation import Investigation, investigating
from k8sidx.cli.options import (
    DebugOption,
    InputOption,
    QuietOption,
    SinceOption,
    TimeoutOption,
    UntilOption,
)
from k8sidx.cli.output import write_text
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output

if TYPE_CHECKING:
    from k8sidx.hunt.result import Finding
    from k8sidx.investigate.selectors import ObjectReference
    from k8sidx.query.algebra import Condition


class TimelineOutput(StrEnum):
    """Output formats of a timeline."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "md"
    HTML = "html"
    TIMESKETCH = "timesketch"


NAME = "timeline"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx timeline --actor erin\n"
    "  k8sidx timeline --ip 192.0.2.10 --since 2026-11-23T21:00 -o timesketch\n"
    "  k8sidx timeline --object default/pod/node-debugger-node-1-qjp2f --no-findings -o csv"
)


@ends_with_exit_code
@takes_store
def command(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Read these files, too.", show_default=False),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor",
            metavar="USER",
            help="Select the requests of a user, and of those acting as it.",
            show_default=False,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--ip",
            metavar="ADDRESS",
            help="Select the requests from an address or network.",
            show_default=False,
        ),
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            "--credential",
            metavar="ID",
            help="Select the requests with a credential id or access key.",
            show_default=False,
        ),
    ] = None,
    object_: Annotated[
        str | None,
        typer.Option(
            "--object",
            metavar="NAMESPACE/KIND/NAME",
            help="Select the requests about an object.",
            show_default=False,
        ),
    ] = None,
    finding: Annotated[
        str | None,
        typer.Option(
            "--finding",
            metavar="ID",
            help="Select the evidence of a saved finding, and its caller around it.",
            show_default=False,
        ),
    ] = None,
    findings: Annotated[
        bool,
        typer.Option("--findings/--no-findings", help="Run hunts over the selected events."),
    ] = True,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Read the latest N events.")
    ] = 10_000,
    since: SinceOption = None,
    until: UntilOption = None,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: Annotated[
        TimelineOutput | None,
        typer.Option(
            "--output",
            "-o",
            metavar="|".join(TimelineOutput),
            help="Set the output format. [default: table on a terminal, csv when piped]",
            show_default=False,
        ),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show what an actor, address, token or object did, with findings."""
    from k8sidx.investigate.requests import read_requests
    from k8sidx.investigate.selectors import (
        by_actor,
        by_address,
        by_credential,
        by_object,
        parse_object,
    )
    from k8sidx.investigate.sessions import sessions_of
    from k8sidx.query.algebra import And
    from k8sidx.show.render.timeline import timeline_view, timesketch_lines

    words, inputs = separate_inputs(files or [], input_ or [])
    if words:
        raise UsageError(
            f"unexpected argument {words[0]!r}.", remedy="Only files after --input are arguments."
        )
    reference = parse_object(object_) if object_ else None
    conditions: list[Condition] = []
    if actor:
        conditions.append(by_actor(actor))
    if address:
        conditions.append(by_address(address))
    if credential:
        conditions.append(by_credential(credential))
    if reference:
        conditions.append(by_object(reference))
    if not conditions and not finding:
        raise UsageError(
            "nothing is selected.",
            remedy="Give --actor, --ip, --credential, --object or --finding.",
        )
    with investigating(store, inputs, (since, until), timeout, quiet=quiet) as investigation:
        if finding:
            conditions.append(_of_finding(investigation, finding))
        where = And(tuple(conditions))
        requests = read_requests(investigation.engine, where, investigation.period, limit=limit)
        if not requests.rows:
            _refuse_unknown(investigation, actor, reference)
        about = _findings(investigation, where, limit) if findings and requests.rows else ()
        sessions = sessions_of(requests.rows, about)
        if output is TimelineOutput.TIMESKETCH:
            write_text(timesketch_lines(sessions))
            investigation.print_scope()
        else:
            shown = Output(output.value) if output else None
            investigation.show(timeline_view(sessions, investigation.scope), shown)
        if not requests.rows:
            investigation.notice("no event is selected: nothing was requested so in this period.")
        investigation.print_unread(requests.events, requests.read)
        if not findings:
            investigation.notice("no hunt was run (--no-findings).")


def _of_finding(investigation: Investigation, identifier: str) -> Condition:
    from k8sidx.investigate.saved import around, saved_finding

    return around(saved_finding(investigation.store, identifier))


def _refuse_unknown(
    investigation: Investigation, actor: str | None, reference: ObjectReference | None
) -> None:
    """Raise for a name that occurs in no event of the period."""
    from k8sidx.investigate.nearest import unknown_actor, unknown_object
    from k8sidx.investigate.requests import count_events
    from k8sidx.investigate.selectors import by_actor, by_object

    engine, period = investigation.engine, investigation.period
    if actor and not count_events(engine, by_actor(actor), period):
        raise unknown_actor(engine, period, actor)
    if reference and not count_events(engine, by_object(reference), period):
        raise unknown_object(engine, period, reference)


def _findings(investigation: Investigation, where: Condition, limit: int) -> tuple[Finding, ...]:
    """Return the findings about the selected events."""
    from k8sidx.cli.selection import Selection, selected_hunts
    from k8sidx.investigate.judged import judged

    result = judged(
        investigation.engine,
        where,
        investigation.period,
        selected_hunts(Selection(everything=True)),
        limit=limit,
    )
    investigation.print_judged(result)
    return result.findings
