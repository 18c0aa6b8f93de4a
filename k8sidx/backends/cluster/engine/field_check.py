"""Check that the indices have the fields of a query, in suitable types.

An unknown field is not an error for a cluster, it just matches nothing. Here it is one: a hunt
without findings because a mapping is missing would look like a quiet day.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.backends.cluster.schema.field_caps import Capabilities
from k8sidx.backends.cluster.schema.profile import ID, Paths, Profile
from k8sidx.events.fields.lookup import FieldPath
from k8sidx.events.fields.table import Kind

_KINDS = {
    Kind.KEYWORD: "text",
    Kind.ADDRESS: "text",
    Kind.INTEGER: "number",
    Kind.BOOLEAN: "boolean",
}


def check_fields(fields: Iterable[FieldPath], profile: Profile, capabilities: Capabilities) -> None:
    """Check all paths that a query may use.

    :raises StoreError: for the first that is missing or of an unsuitable type.
    """
    for path in fields:
        if path.field.kind is Kind.JSON or path.field.name == ID:
            continue
        for path_read, kind in _paths_read(profile.paths(path)).items():
            capabilities.need(path_read, kind, path.field.name)


def _paths_read(paths: Paths) -> dict[str, str]:
    """Return the paths of a field that a query may use, with their kinds."""
    if paths.kind is Kind.TIME:
        kind = "number" if paths.unit == 1 else "time"
    else:
        kind = _KINDS[paths.kind]
    kinds = {path: kind for path in (paths.query, paths.group) if path}
    if paths.network:
        kinds[paths.network] = "address"
    if paths.histogram:
        kinds[paths.histogram] = "time"
    return kinds
