"""``k8sidx hunts show`` command: hunts for people, or translated for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.completion import complete_hunt
from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption, OutputOption, QuietOption
from k8sidx.cli.output import effective_format, print_document, print_message, write_text
from k8sidx.errors import UsageError
from k8sidx.show.render.formats.registry import Output, load_format
from k8sidx.show.translate.target import Target

if TYPE_CHECKING:
    from k8sidx.hunt.definition import Hunt

EXAMPLE = (
    "\b\nExample:\n"
    "  k8sidx hunts show topn_user_agent\n"
    "  k8sidx hunts show topn_user_agent --as insights\n"
    "  k8sidx hunts show my-rule.yml --as sql > my-rule.sql"
)
TARGETS = "|".join(Target)


@ends_with_exit_code
def command(
    hunts: Annotated[
        list[str],
        typer.Argument(
            metavar="ID|FILE.yml",
            help="Show these library hunts, Sigma rule files or folders of rules.",
            autocompletion=complete_hunt,
        ),
    ],
    target: Annotated[
        Target | None,
        typer.Option(
            "--as",
            metavar=TARGETS,
            help="Translate to this query language.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show hunts in full, or translate them with --as."""
    from k8sidx.cli.selection import configured_lists
    from k8sidx.hunt.library.load import load_hunts
    from k8sidx.show.translate.translate import translate

    if target and output:
        raise UsageError("--as and --output exclude each other.", remedy="Give one of them.")
    loaded = load_hunts(hunts, configured_lists())
    if target is None:
        _show(loaded, effective_format(output))
        return
    translations = [(hunt.id, translate(hunt, target)) for hunt in loaded]
    for identifier, translation in translations:
        for note in translation.notes:
            print_message(f"{identifier}: {note}", quiet=quiet)
    # A file of several hunts is one text in Sigma.
    write_text("\n".join(dict.fromkeys(translation.text for _, translation in translations)))


def _show(hunts: list[Hunt], output: Output) -> None:
    from k8sidx.show.render.hunt_details import HuntDetails
    from k8sidx.show.translate.sigma import detection_of

    details = [HuntDetails(hunt, detection_of(hunt)) for hunt in hunts]
    for document in load_format(output).hunt_details(details):
        print_document(document)
