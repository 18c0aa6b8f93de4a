"""``k8sidx hunts show``: hunts, for people or as texts for use elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from k8sidx.cli.completion import complete_hunt
from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption, OutputOption, QuietOption
from k8sidx.cli.output import chosen, put, say, write
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
            help="Hunts of the library by id, Sigma rule files, or folders of them.",
            autocompletion=complete_hunt,
        ),
    ],
    target: Annotated[
        Target | None,
        typer.Option(
            "--as",
            metavar=TARGETS,
            help="Print it for use elsewhere: CloudWatch Logs Insights, a search request "
            "(OpenSearch, Elasticsearch), DuckDB's SQL, Sigma, KQL, Lucene.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show hunts: what each looks for and what to do then; with --as, in another language.

    What the other language has no words for is an error that names it: a translation that is
    printed finds what the hunt finds. Where the two differ in what they count, stderr says so.
    """
    from k8sidx.cli.selection import configured_lists
    from k8sidx.hunt.library.load import load_hunts
    from k8sidx.show.translate.translate import translate

    if target and output:
        raise UsageError("--as prints a text and takes no --output.", remedy="Give one of them.")
    loaded = load_hunts(hunts, configured_lists())
    if target is None:
        _show(loaded, chosen(output))
        return
    translations = [(hunt.id, translate(hunt, target)) for hunt in loaded]
    for identifier, translation in translations:
        for note in translation.notes:
            say(f"{identifier}: {note}", quiet=quiet)
    # A file of several hunts is one text in Sigma.
    write("\n".join(dict.fromkeys(translation.text for _, translation in translations)))


def _show(hunts: list[Hunt], output: Output) -> None:
    from k8sidx.show.render.hunt_details import HuntDetails
    from k8sidx.show.translate.sigma import detection_of

    details = [HuntDetails(hunt, detection_of(hunt)) for hunt in hunts]
    for document in load_format(output).hunt_details(details):
        put(document)
