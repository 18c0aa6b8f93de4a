"""Whether the indices have the fields of a query, in types that serve.

An unknown field is no error for a cluster, it just matches nothing. Here it is one: a hunt
that found nothing because a mapping is missing would look like a quiet day.
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
    """Look at all the paths that may be asked for.

    :raises StoreError: for the first that is missing or of a type that does not serve.
    """
    for path in fields:
        if path.field.kind is Kind.JSON or path.field.name == ID:
            continue
        for asked, kind in _asked(profile.paths(path)).items():
            capabilities.need(asked, kind, path.field.name)


def _asked(paths: Paths) -> dict[str, str]:
    """What a query may ask for of a field, by path."""
    if paths.kind is Kind.TIME:
        kind = "number" if paths.unit == 1 else "time"
    else:
        kind = _KINDS[paths.kind]
    asked = {one: kind for one in (paths.query, paths.group) if one}
    if paths.network:
        asked[paths.network] = "address"
    if paths.histogram:
        asked[paths.histogram] = "time"
    return asked
