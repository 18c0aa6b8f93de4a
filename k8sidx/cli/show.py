"""``k8sidx show`` command: an event with its neighbours and findings."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.inputs import separate_inputs
from k8sidx.cli.investigation import Investigation, investigating
from k8sidx.cli.options import DebugOption, InputOption, QuietOption, TimeoutOption
from k8sidx.cli.output import write_text
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, takes_store
from k8sidx.errors import UsageError

if TYPE_CHECKING:
    from k8sidx.query.algebra import Condition


class Document(StrEnum):
    """Formats of an event."""

    YAML = "yaml"
    JSON = "json"


NAME = "show"
EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx show 0c7035fb-25e2-4a90-991c-bf577d912183\n"
    "  k8sidx show 0c7035fb-25e2-4a90-991c-bf577d912183 --around 20 -o json"
)


@ends_with_exit_code
@takes_store
def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="AUDITID|FINDING",
            help="Show the events with this auditID or event id, or of this saved finding.",
            show_default=False,
        ),
    ],
    around: Annotated[
        int,
        typer.Option(
            "--around", min=0, metavar="N", help="Show N requests of the caller on each side."
        ),
    ] = 5,
    findings: Annotated[
        bool, typer.Option("--findings/--no-findings", help="Run hunts over the events.")
    ] = True,
    managed_fields: Annotated[
        bool, typer.Option("--managed-fields", help="Include metadata.managedFields of objects.")
    ] = False,
    input_: InputOption = None,
    timeout: TimeoutOption = None,
    store: StoreChoice = AS_CONFIGURED,
    output: Annotated[
        Document, typer.Option("--output", "-o", metavar="yaml|json", help="Set the format.")
    ] = Document.YAML,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show an event in full, with its neighbours and findings."""
    from k8sidx.investigate.lookup import LIMIT, by_ids, neighbours_of, whole_events
    from k8sidx.investigate.requests import read_requests
    from k8sidx.investigate.saved import saved_findings_with
    from k8sidx.investigate.scope import Period
    from k8sidx.show.render.escape import json_text
    from k8sidx.show.render.lookup import event_document
    from k8sidx.show.render.yaml import yaml_text

    texts, inputs = separate_inputs(words, input_ or [])
    if len(texts) != 1:
        raise UsageError(f"expected one id, got {len(texts)}.")
    with investigating(store, inputs, (None, None), timeout, quiet=quiet) as investigation:
        engine = investigation.engine
        saved = () if inputs else saved_findings_with(investigation.store, texts[0])
        ids = [texts[0], *(i for record in saved for i in record.evidence_of(texts[0]))]
        where = by_ids(ids)
        requests = read_requests(engine, where, Period(), limit=LIMIT)
        if not requests.rows and not saved:
            investigation.print_scope()
            raise UsageError(
                f"no event and no saved finding has the id {texts[0]!r}.",
                remedy="Findings have ids after k8sidx hunt --save; k8sidx search finds events.",
            )
        near = neighbours_of(engine, requests.rows[0], count=around) if requests.rows else None
        hunted = _hunted(investigation, where) if findings and requests.rows else []
        data = event_document(whole_events(engine, where), requests.rows, near, [*saved], hunted)
        write_text(yaml_text(data) if output is Document.YAML else json_text(data) + "\n")
        investigation.print_unread(requests.events, requests.read)
        investigation.print_scope()


def _hunted(investigation: Investigation, where: Condition) -> list[Any]:
    from k8sidx.cli.selection import Selection, selected_hunts
    from k8sidx.investigate.judged import judged
    from k8sidx.investigate.scope import Period

    hunts = selected_hunts(Selection(everything=True))
    result = judged(investigation.engine, where, Period(), hunts)
    investigation.print_judged(result)
    return [*result.findings]
