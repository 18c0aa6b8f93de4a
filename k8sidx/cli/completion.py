"""Shell completion of hunt ids and saved queries."""

from __future__ import annotations

import typer


def complete_hunt(incomplete: str) -> list[str]:
    """Return the ids of library hunts with this prefix."""
    from k8sidx.hunt.library.load import library_ids

    return [identifier for identifier in library_ids() if identifier.startswith(incomplete)]


def complete_schema(incomplete: str) -> list[str]:
    """Return the names of schemas with this prefix."""
    from k8sidx.show.schemas.schema import schema_names

    return [name for name in schema_names() if name.startswith(incomplete)]


def complete_saved(context: typer.Context, incomplete: str) -> list[str]:
    """Return ``@name`` of each saved query with this prefix.

    bash treats ``@`` as a separate word and expects only the text after it.
    """
    from k8sidx.cli.saved import query_folder
    from k8sidx.insights.saved.saved import saved_names

    words = context.params.get("words") or []
    if words and words[-1] != "@":
        return []
    at = "" if words else "@"
    names = [f"{at}{name}" for name in saved_names(query_folder())]
    return [name for name in names if name.startswith(incomplete)]
