"""``k8sidx hunts test``, ``explain`` and ``new`` commands: rules of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.exit import EXIT_FINDINGS, ends_with_exit_code
from k8sidx.cli.options import DebugOption, Level, OutputOption, QuietOption
from k8sidx.cli.output import effective_format, print_document, print_message, write_text
from k8sidx.cli.store import AS_CONFIGURED, StoreChoice, open_chosen, takes_store
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output, load_format

if TYPE_CHECKING:
    from k8sidx.backends.protocol import StoreEngine


class TestOutput(StrEnum):
    """Output formats of rule tests."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "md"
    HTML = "html"
    JUNIT = "junit"


TEST_EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx hunts test my-rule.yml --events audit.log\n"
    "  k8sidx hunts test my-rule.yml --events audit.log --expect findings -o junit"
)
EXPLAIN_EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx hunts explain secret_get 0c7035fb-25e2-4a90-991c-bf577d912183\n"
    "  k8sidx hunts explain my-rule.yml 0c7035fb-25e2-4a90-991c-bf577d912183 -o json"
)
NEW_EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx hunts new 0c7035fb-25e2-4a90-991c-bf577d912183 --title 'Node debugger' > rule.yml\n"
    "  k8sidx hunts new 0c7035fb-25e2-4a90-991c-bf577d912183 --by verb --by pod.images"
)
EventArgument = Annotated[
    str,
    typer.Argument(
        metavar="AUDITID|FILE",
        help="Take the events with this auditID or event id, or of this file.",
        show_default=False,
    ),
]


@ends_with_exit_code
def test(
    rules: Annotated[
        list[str],
        typer.Argument(
            metavar="ID|FILE.yml|DIR", help="Test these library hunts, rule files or folders."
        ),
    ],
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Run over this file (repeatable). [default: RULE.match.*, RULE.clean.*]",
            show_default=False,
        ),
    ] = None,
    expect: Annotated[
        str,
        typer.Option(
            "--expect", metavar="findings|none|N", help="Set what must be found in --events."
        ),
    ] = "findings",
    output: Annotated[
        TestOutput | None,
        typer.Option(
            "--output",
            "-o",
            metavar="|".join(TestOutput),
            help="Set the output format. [default: table on a terminal, csv when piped]",
            show_default=False,
        ),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Test rules with events; exit with 1 if a test fails."""
    from k8sidx.cli.selection import configured_lists
    from k8sidx.investigate.rule_tests import cases_of, parse_expectation, run_case
    from k8sidx.show.render.rules import junit_xml, outcomes_sheet

    cases = cases_of(rules, events or [], parse_expectation(expect), configured_lists())
    outcomes = [run_case(case) for case in cases]
    if output is TestOutput.JUNIT:
        write_text(junit_xml(outcomes))
    else:
        chosen = effective_format(Output(output.value) if output else None)
        print_document(load_format(chosen).sheet(outcomes_sheet(outcomes)))
    failed = sum(bool(outcome.failure) for outcome in outcomes)
    print_message(f"{len(outcomes):,} tests, {failed:,} failed.", quiet=quiet)
    if failed:
        raise typer.Exit(EXIT_FINDINGS)


@ends_with_exit_code
@takes_store
def explain(
    rule: Annotated[
        str,
        typer.Argument(metavar="ID|FILE.yml", help="Explain this library hunt or rule file."),
    ],
    event: EventArgument,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Explain the latest N events.")
    ] = 20,
    store: StoreChoice = AS_CONFIGURED,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show which selections and tests of a rule an event passes."""
    from k8sidx.cli.selection import configured_lists
    from k8sidx.hunt.library.load import load_hunts
    from k8sidx.investigate.requests import count_events
    from k8sidx.investigate.rule_explain import explain_rules
    from k8sidx.investigate.scope import Period
    from k8sidx.query.algebra import Always
    from k8sidx.show.render.rules import explanations_view
    from k8sidx.show.translate.sigma import to_sigma

    lists = configured_lists()
    hunt = load_hunts([rule], lists)[0]
    with _only(event, store) as engine:
        explained = explain_rules(to_sigma(hunt).text, engine, lists, limit=limit)
        events = count_events(engine, Always(), Period())
    print_document(load_format(effective_format(output)).view(explanations_view(explained)))
    if hunt.kind != "match":
        print_message(f"{hunt.id} also counts or compares events: {hunt.describe()}", quiet=quiet)
    if events > limit:
        print_message(f"only the latest {limit:,} of {events:,} events are explained.")


@ends_with_exit_code
@takes_store
def new(
    event: EventArgument,
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="Set the title of the rule.")
    ] = "New rule",
    level: Annotated[
        Level, typer.Option("--level", metavar="LEVEL", help="Set the level of the rule.")
    ] = Level.MEDIUM,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="FIELD",
            help="Select by this field (repeatable). [default: what the request did]",
            show_default=False,
        ),
    ] = None,
    store: StoreChoice = AS_CONFIGURED,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a Sigma rule that matches an event."""
    from k8sidx.investigate.requests import read_rows
    from k8sidx.investigate.rule_draft import draft
    from k8sidx.investigate.scope import Period
    from k8sidx.query.algebra import Always
    from k8sidx.show.render.yaml import yaml_text

    with _only(event, store) as engine:
        rows = read_rows(engine, Always(), Period(), ("event.id", "stage"), limit=100)
        document = draft(engine, str(rows[0]["event.id"]), title, level.value, by or ())
    write_text(yaml_text(document))
    if len(rows) > 1:
        print_message(f"the rule is made from the latest of {len(rows):,} events.", quiet=quiet)


@contextmanager
def _only(event: str, store: StoreChoice) -> Iterator[StoreEngine]:
    """Open a temporary store with the events of a file, or of an id in the store.

    :raises UsageError: when there are none.
    """
    from k8sidx.investigate.copies import copy_of, copy_of_file, events_of
    from k8sidx.investigate.lookup import LIMIT, by_ids
    from k8sidx.investigate.scope import Period

    if Path(event).is_file():
        with copy_of_file(event, None) as engine:
            yield engine
        return
    with open_chosen(store).engine() as source:
        events, count = events_of(source, by_ids([event]), Period(), limit=LIMIT)
    if not count:
        raise UsageError(
            f"{event!r} is neither a file nor the id of an event.",
            remedy="k8sidx search finds events and their ids.",
        )
    with copy_of(events, None) as engine:
        yield engine
