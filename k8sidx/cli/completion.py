"""What a shell completes: hunt ids, names of saved queries."""

from __future__ import annotations


def complete_hunt(incomplete: str) -> list[str]:
    """Ids of the library's hunts that begin like this."""
    from k8sidx.hunt.library import library_ids

    return [identifier for identifier in library_ids() if identifier.startswith(incomplete)]


def complete_saved(incomplete: str) -> list[str]:
    """``@name`` of the saved queries that begin like this."""
    from k8sidx.cli.saved import query_folder
    from k8sidx.queries.saved import saved_names

    return [f"@{name}" for name in saved_names(query_folder()) if f"@{name}".startswith(incomplete)]
