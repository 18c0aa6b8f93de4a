"""What a shell completes: hunt ids."""

from __future__ import annotations


def complete_hunt(incomplete: str) -> list[str]:
    """Ids of the library's hunts that begin like this."""
    from k8sidx.hunt.library import library_ids

    return [identifier for identifier in library_ids() if identifier.startswith(incomplete)]
