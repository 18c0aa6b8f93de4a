"""Fields of an index as saved objects name them: k8sidx's own, or those of another program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from k8sidx.backends.cluster.engine.filters import ConditionCompiler
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import expect_success, retrying_request
from k8sidx.backends.cluster.index.mapping import flat_properties
from k8sidx.backends.cluster.schema.detect import choose_profile
from k8sidx.backends.cluster.schema.foreign import ForeignProfile
from k8sidx.backends.cluster.schema.profile import OwnProfile, Profile
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import Condition, Terms
from k8sidx.show.savedobjects.mapped import FieldType, field_of, mapped_fields

TIME = "@timestamp"
_TYPES = {
    "keyword": "string",
    "address": "ip",
    "integer": "number",
    "boolean": "boolean",
    "time": "date",
}


@dataclass(frozen=True, slots=True)
class IndexFields:
    """Fields of an index.

    :param profile: paths of the fields of the field table.
    :param mapped: all fields of the index by path; ``None`` for the mapping of k8sidx.
    :param pattern: the indices, where they are not those of a prefix.
    """

    profile: Profile = field(default_factory=OwnProfile, compare=False)
    mapped: Mapping[str, FieldType] | None = field(default=None, compare=False)
    pattern: str = ""

    def path(self, name: str) -> str:
        """Return the path to aggregate by; for an element of a list, the path of that element.

        :raises UnsupportedQuery: when the index has none.
        """
        path = resolve(name)
        if self.mapped is None:
            return path.field.name if path.position is None else self.profile.paths(path).group
        paths = self.profile.paths(path)
        grouped = paths.histogram or paths.group
        if grouped not in self.mapped or not self.mapped[grouped].aggregatable:
            raise UnsupportedQuery(paths.lack or f"this index has no {name} to group by.")
        return grouped

    def column(self, name: str) -> str:
        """Return the path of a column in a list of events.

        :raises UnsupportedQuery: when the index has none.
        """
        if self.mapped is None:
            return name
        paths = self.profile.paths(resolve(name))
        for candidate in (paths.source, paths.query):
            if candidate in self.mapped:
                return candidate
        raise UnsupportedQuery(paths.lack or f"this index has no {name}.")

    def column_kind(self, name: str) -> str:
        """Return the type of a column in a list of events, as :meth:`kind`."""
        return field_type(name) if self.mapped is None else self.mapped[self.column(name)].kind

    def kind(self, name: str) -> str:
        """Return the type of a field in index patterns: string, number, date, boolean or ip."""
        if self.mapped is None:
            return field_type(name)
        return self.mapped[self.path(name)].kind

    def keeps_missing(self, key: Terms) -> bool:
        """Whether events without the field get a row: both products support that for text only."""
        return key.keep_missing and self.kind(key.field) == "string"

    def search(self, condition: Condition) -> dict[str, Any]:
        """Return the search of a condition.

        :raises UnsupportedQuery: when the index cannot evaluate it.
        """
        query: dict[str, Any] = ConditionCompiler(self.profile).condition(condition).to_dict()
        return query

    def lack_of(self, condition: Condition) -> str:
        """Return why the index cannot evaluate a condition; empty where it can."""
        try:
            self.search(condition)
        except UnsupportedQuery as error:
            return error.message
        return ""

    def listed(self) -> Mapping[str, FieldType]:
        """Return all fields by path."""
        return mapped_fields(flat_properties()) if self.mapped is None else self.mapped


OWN_FIELDS = IndexFields()


def read_fields(cluster: Cluster, pattern: str) -> IndexFields | None:
    """Return the fields of existing indices; ``None`` when there are none.

    :raises StoreError: when the cluster cannot be reached, or the indices have no audit events
        that can be searched, or events of several shapes.
    """
    profile = choose_profile(cluster, pattern)
    if not isinstance(profile, ForeignProfile):
        path = f"/{quote(pattern, safe='*,-')}/_count?ignore_unavailable=true"
        answer = expect_success(retrying_request(cluster, "GET", path), "GET", path)
        return OWN_FIELDS if answer["_shards"]["total"] else None
    mapped = {name: field_of(types) for name, types in profile.types.items()}
    listed = {name: known for name, known in mapped.items() if known is not None}
    return IndexFields(profile, listed, pattern)


def field_type(name: str) -> str:
    """Return the type of one of k8sidx's own fields in index patterns."""
    return _TYPES[resolve(name).field.kind.value]
