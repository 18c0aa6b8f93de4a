"""``k8sidx schema`` command: JSON Schemas of the outputs."""

from __future__ import annotations

from typing import Annotated

import typer

from k8sidx.cli.completion import complete_schema
from k8sidx.cli.exit import ends_with_exit_code
from k8sidx.cli.options import DebugOption
from k8sidx.cli.output import effective_format, write_sheet, write_text

NAME = "schema"
EXAMPLE = "\b\nExample:\n  k8sidx schema\n  k8sidx schema hunt > hunt.schema.json"


@ends_with_exit_code
def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Print the schema of this output. [default: list the names]",
            autocompletion=complete_schema,
            show_default=False,
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Print the JSON Schema of what a command prints with -o json."""
    from k8sidx.show.render.escape import json_text
    from k8sidx.show.render.sheet import Sheet
    from k8sidx.show.schemas.schema import about, schema, schema_names

    if name is not None:
        write_text(json_text(schema(name)) + "\n")
        return
    rows = [(each, about(each)) for each in schema_names()]
    write_sheet(Sheet(("name", "output"), rows, "Schemas"), effective_format(None))
