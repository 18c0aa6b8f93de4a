"""Indices that something else filled: audit events as they are, at the root or under a prefix.

Filebeat, Fluent Bit, fluentd, Vector and OpenShift's logging ship the event's own JSON;
the server maps what it sees (texts with a ``.keyword`` beside them), or a package's template
names the fields (Elastic's Kubernetes integration). So the audit fields are found by their
names. The fields that k8sidx derives are not there: a condition on one becomes a condition on
the event's own, where that means the same (:mod:`k8sidx.query.derived`); everything else is
refused by name. Values that the server cut or left out make a result inexact, and flagged so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

from k8sidx.backends.cluster.index.document import find
from k8sidx.backends.cluster.schema.profile import ID, TIME, Paths
from k8sidx.errors import UnsupportedQuery
from k8sidx.events.fields.field import Field
from k8sidx.events.fields.lookup import BY_NAME, FieldPath, resolve
from k8sidx.events.fields.table import BODIES, Kind
from k8sidx.query.algebra import NEVER, Condition, Leaf, Present, Wildcard
from k8sidx.query.derived import DERIVED, Dialect, move, sources_of

MILLISECOND = 1000
"""Microseconds in the unit of a date field."""

_KEYWORDS = frozenset({"keyword", "constant_keyword", "wildcard"})
_TEXTS = frozenset({"text", "match_only_text"})
_NUMBERS = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
_DATE = frozenset({"date"})
_IP = frozenset({"ip"})
_RAW = frozenset(field.name for field in BODIES)
"""Derived fields that are audit paths themselves: they stand where the event has them."""
_EVENT_TIMES = ("stageTimestamp", "requestReceivedTimestamp")
_OTHER_NAMES = {"level": ("k8s_audit_level", "openshift_audit_level")}
"""Where OpenShift's logging has moved a field whose name it uses itself."""

_ALWAYS_THERE = frozenset(
    {"level", "stage", "verb", "requestURI", "user.username", "sourceIPs", "userAgent"}
)
"""Fields of nearly every event: where the server has seen none of them, the shipper removed them.
"""

Types = Mapping[str, frozenset[str]]
"""Field types by full name, over all the indices."""


class Documents(Protocol):
    """Counts over the documents of an index."""

    def count(self, query: Mapping[str, Any]) -> int:
        """Return the number of documents that a query matches."""

    def single(self, path: str) -> bool:
        """Whether none has several values in a field with doc values."""


class ForeignProfile:
    """Audit events as they are, under a prefix.

    :param prefix: empty, or ends with a dot: ``kubernetes.audit.``.
    :param types: of every field.
    :param documents: answers what the types leave open.
    :param closed: fields that no mapping names may be in documents all the same
        (``dynamic: false``).
    """

    def __init__(
        self,
        prefix: str,
        types: Types,
        documents: Documents,
        *,
        closed: bool = False,
    ) -> None:
        self._prefix = prefix
        self._types = types
        self._documents = documents
        self._closed = closed
        self._known: dict[FieldPath, Paths] = {}
        self._whole: dict[str, bool] = {}
        self._single: dict[str, bool] = {}

    is_read = True

    @property
    def types(self) -> Types:
        """Types of every field of the indices, by path."""
        return self._types

    @property
    def name(self) -> str:
        return f"audit events under {self._prefix[:-1]}" if self._prefix else "audit events"

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Fields to sort by: request, stage, and position in the shard."""
        fields = [self._stored(BY_NAME[name]) for name in ("auditID", "stage")]
        return (*(field.group for field in fields if field and field.group), "_seq_no")

    def paths(self, path: FieldPath) -> Paths:
        """Return the paths; see :class:`k8sidx.backends.cluster.schema.profile.Profile`."""
        paths = self._known.get(path)
        if paths is None:
            paths = self._known[path] = self._paths(path)
        return paths

    def rewrite(self, leaf: Leaf) -> Condition | None:
        """Return the condition over fields of such documents; ``None`` where it is one already.

        :raises UnsupportedQuery: when there is none that means the same.
        """
        path = resolve(leaf.field)
        name = path.field.name
        if name == "sourceIPs" and path.position is not None:
            return _address(leaf, self._one_address and path.position == 0)
        if path.position is not None:
            raise _refused(leaf)
        if name in ("source.ip", "source.claimed_ip"):
            return _address(leaf, self._one_address)
        if name == "source.forwarded" and self._one_address:
            return NEVER
        if name not in DERIVED or leaf == _HAS_GROUP:
            return None
        if name in _OWN_USER and not self._impersonates:
            return move(leaf, _OWN_USER[name])
        derived = DERIVED[name](leaf, _DIALECT)
        return None if derived == leaf else derived

    def is_whole(self, path: FieldPath) -> bool:
        """False when values were too long for the keyword beside a text."""
        stored = [self._stored(BY_NAME[name]) for name in sources_of(path.field.name)]
        return all(self._is_uncut(paths.group) for paths in stored if paths is not None)

    def _is_uncut(self, group: str) -> bool:
        if not group.endswith(".keyword"):
            return True
        if group not in self._whole:
            text = {"exists": {"field": group.removesuffix(".keyword")}}
            lost = {"bool": {"filter": [text], "must_not": [{"exists": {"field": group}}]}}
            self._whole[group] = not self._documents.count(lost)
        return self._whole[group]

    @cached_property
    def _impersonates(self) -> bool:
        """Whether any event may have been made by one user for another."""
        stored = self._stored(BY_NAME["impersonatedUser.username"])
        if stored is None or not stored.query:
            return stored is not None or self._closed
        return bool(self._documents.count({"exists": {"field": stored.query}}))

    @cached_property
    def _one_address(self) -> bool:
        """Whether every event has one source address, the first and the last then."""
        stored = self._stored(BY_NAME["sourceIPs"])
        return stored is not None and bool(stored.group) and self._is_single(stored.group)

    def _is_single(self, path: str) -> bool:
        """Whether no document has several values there."""
        if path not in self._single:
            self._single[path] = self._documents.single(path)
        return self._single[path]

    def _paths(self, path: FieldPath) -> Paths:
        field = path.field
        if field.name == ID:
            return Paths(field.kind, "_id", "", "_id")
        if field.name == TIME:
            return self._time()
        made = self._made(field) if path.position is None else None
        if made is not None:
            return made
        stored = self._stored(field)
        if stored is None:
            raise self._missing(path)
        if path.position is None:
            return stored
        return self._element(path, stored)

    def _time(self) -> Paths:
        for name in (*(self._prefix + name for name in _EVENT_TIMES), TIME):
            if self._types.get(name) == _DATE:
                return Paths(Kind.TIME, name, name, name, histogram=name, unit=MILLISECOND)
        raise UnsupportedQuery("this index has no time of the events that is mapped as a date.")

    def _made(self, field: Field) -> Paths | None:
        """Return the paths of a field of ours that is derived from fields of such documents."""
        if field.name in _OWN_USER and not self._impersonates:
            return self.paths(FieldPath(BY_NAME[_OWN_USER[field.name]]))
        if field.name in ("source.ip", "source.claimed_ip"):
            last = -1 if field.name == "source.ip" else 0
            addresses = self.paths(FieldPath(BY_NAME["sourceIPs"]))
            return self._one_of(field.name, addresses, last)
        if field.name == "target.resource":
            return self._target()
        if field.name == "objectRef.apiGroup":
            return self._group()
        return None

    def _one_of(self, name: str, stored: Paths, position: int) -> Paths:
        """Return the paths of an element of a list; groupable only if no list has several."""
        alone = bool(stored.group) and self._is_single(stored.group)

        def read(source: Mapping[str, Any]) -> Any:
            value = find(source, stored.source)
            values = value if isinstance(value, list) else [value]
            return values[position] if -len(values) <= position < len(values) else None

        return Paths(
            stored.kind,
            stored.query,
            stored.group if alone else "",
            stored.source,
            network=stored.network if alone else "",
            lack=stored.lack
            or f"this index has no {name} to group by: some events have several {stored.source}.",
            read=read,
        )

    def _element(self, path: FieldPath, stored: Paths) -> Paths:
        name = f"{path.field.name}.{path.position}"
        element = self._one_of(name, stored, path.position or 0)
        return element if path.position == 0 else replace(element, query="", group="", network="")

    def _target(self) -> Paths:
        resource = self.paths(FieldPath(BY_NAME["objectRef.resource"]))
        sub = self.paths(FieldPath(BY_NAME["objectRef.subresource"]))

        def read(source: Mapping[str, Any]) -> str | None:
            parts = [find(source, resource.source), find(source, sub.source)]
            return "/".join(part for part in parts if part) or None

        return Paths(
            Kind.KEYWORD,
            resource.query,
            "",
            resource.source,
            lack="this index has no target.resource to group by.",
            parts=(sub.source,),
            read=read,
        )

    def _group(self) -> Paths:
        """Return the paths of the API group, not groupable: ``core`` where a resource has none."""
        stored = self._stored(BY_NAME["objectRef.apiGroup"])
        resource = self.paths(FieldPath(BY_NAME["objectRef.resource"]))
        source_path = stored.source if stored else self._prefix + "objectRef.apiGroup"

        def read(source: Mapping[str, Any]) -> str | None:
            return find(source, source_path) or ("core" if find(source, resource.source) else None)

        query = stored.query if stored else ""
        lack = "this index has no objectRef.apiGroup to group by: the core group is none there."
        parts = (resource.source,)
        return Paths(Kind.KEYWORD, query, "", source_path, lack=lack, parts=parts, read=read)

    def _stored(self, field: Field) -> Paths | None:
        """Return the paths of the field itself; ``None`` when no document has it."""
        if field.kind is Kind.JSON or not (field.audit or field.name in _RAW):
            return None
        for name in self._names(field.name):
            if name in self._types or f"{name}.keyword" in self._types:
                return self._typed(field, name)
        if field.audit and not self._closed and field.name not in _ALWAYS_THERE:
            # A server maps every field that it receives, so no document has it: it can be queried.
            name = self._prefix + field.name
            return Paths(field.kind, name, name, name, many=field.many)
        return None

    def _names(self, name: str) -> list[str]:
        other = [self._prefix + other for other in _OTHER_NAMES.get(name, ())]
        # Shippers that replace dots in keys do so in those of annotations.
        head, dot, key = name.partition("annotations.")
        replaced = [self._prefix + head + dot + key.replace(".", "_")] if dot else []
        return [*other, self._prefix + name, *replaced]

    def _typed(self, field: Field, name: str) -> Paths:
        types = self._types.get(name, frozenset())
        beside = f"{name}.keyword"
        many = field.many
        if field.kind is Kind.TIME and types == _DATE:
            return Paths(field.kind, name, name, name, histogram=name, unit=MILLISECOND)
        if field.kind is Kind.INTEGER and types and types <= _NUMBERS:
            return Paths(field.kind, name, name, name)
        if field.kind in (Kind.KEYWORD, Kind.ADDRESS):
            if types and types <= _KEYWORDS:
                return Paths(field.kind, name, name, name, many=many)
            if types <= _TEXTS and self._types.get(beside, frozenset()) <= _KEYWORDS:
                keyword = beside if beside in self._types else ""
                if not keyword and field.name == "sourceIPs" and self._types.get(_ECS) == _IP:
                    return Paths(field.kind, _ECS, _ECS, name, network=_ECS, many=many)
                lack = "" if keyword else self._lack(field, types)
                return Paths(field.kind, keyword, keyword, name, many=many, lack=lack)
        return Paths(field.kind, "", "", name, many=many, lack=self._lack(field, types))

    def _lack(self, field: Field, types: frozenset[str]) -> str:
        kinds = " and ".join(sorted(types)) or "nothing"
        return f"this index has no {field.name} that can be asked for: it is mapped as {kinds}."

    def _missing(self, path: FieldPath) -> UnsupportedQuery:
        name = path.field.name
        why = "it was not filled by k8sidx"
        if name.startswith("user.effective"):
            why = "some of its events may have been made by one user for another"
        return UnsupportedQuery(
            f"this index has no {name}: {why}.", remedy="Ship the logs with k8sidx to ask for it."
        )


def _address(leaf: Leaf, alone: bool) -> Condition:
    """One address of several: the same as any of them only where there is one."""
    if alone or isinstance(leaf, Present):
        return move(leaf, "sourceIPs")
    raise _refused(leaf)


def _refused(leaf: Leaf) -> UnsupportedQuery:
    return UnsupportedQuery(
        f"this index has no {leaf.field}, and no other fields that answer this condition on it.",
        remedy="Ship the logs with k8sidx to ask for it.",
    )


_OWN_USER = {"user.effective.name": "user.username", "user.effective.groups": "user.groups"}
"""Where nobody acts for another, the effective user is the user."""
_HAS_GROUP = Wildcard("objectRef.apiGroup", "*")
"""The group that the event names. The presence of the field means another thing: k8sidx names the
core group as well."""
_DIALECT = Dialect("user.effective.name", move, _HAS_GROUP, _refused)
_ECS = "source.ip"
"""Where Elastic's integration puts the addresses again, as addresses."""
