"""``k8sidx hunts``: the library, listed."""

from __future__ import annotations

from k8sidx.cli.ending import ends_with_exit_code
from k8sidx.cli.options import DebugOption, Output, OutputOption, QuietOption
from k8sidx.cli.output import chosen, show, write_sheet

NAME = "hunts"
EXAMPLE = "\b\nExample:\n  k8sidx hunts\n  k8sidx hunts -o json"


@ends_with_exit_code
def command(
    output: OutputOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """List the hunt library: id, title, level, ATT&CK and source."""
    from k8sidx.hunt.library import load_library
    from k8sidx.render.library import library_sheet, print_library

    library = load_library()
    if chosen(output) is Output.TABLE:
        show(lambda console: print_library(console, library))
    else:
        write_sheet(library_sheet(library), chosen(output))
