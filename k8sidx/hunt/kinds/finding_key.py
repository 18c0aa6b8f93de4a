"""Keys of findings: the caller, whom it impersonated, and the cluster.

A rule that groups by ``user.effective.name`` judges by the identity that a request counts for. Its
findings are the caller's all the same: the groups are made of the authenticated user and the
impersonated one, and the effective name follows from the two. Where the events are of several
clusters, the cluster is part of each key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8sidx.backends.result import Value
from k8sidx.hunt.impersonators import ACTING, CALLER, EFFECTIVE
from k8sidx.hunt.kinds.time_window import CLUSTER, Window
from k8sidx.hunt.result import UNNAMED
from k8sidx.query.algebra import Terms


class FindingKey:
    """The key of a hunt's findings.

    :param names: the fields that the rule groups by.
    """

    def __init__(self, names: Sequence[str], window: Window) -> None:
        self.names = tuple(names)
        expanded = [
            field
            for name in names
            for field in ((CALLER, ACTING) if name in (EFFECTIVE, CALLER) else (name,))
        ]
        by_cluster = (CLUSTER,) if window.by_cluster else ()
        self.fields = tuple(dict.fromkeys((*expanded, *by_cluster)))
        added = (name for name in self.fields if name not in self.names)
        self.columns = (*self.names, *added)

    def terms(self, *, keep_missing: bool) -> tuple[Terms, ...]:
        """Return what to group by.

        :param keep_missing: whether events that lack a field of the rule's are grouped, too.
        """
        return tuple(
            Terms(name, keep_missing=keep_missing or name in (ACTING, CLUSTER))
            for name in self.fields
        )

    def values(self, row: Sequence[Value]) -> tuple[Value, ...]:
        """Return a group's values of ``columns``."""
        values = dict(zip(self.fields, row, strict=True))
        if EFFECTIVE in self.names:
            values[EFFECTIVE] = values[ACTING] or values[CALLER]
        if CLUSTER in values and values[CLUSTER] is None:
            values[CLUSTER] = UNNAMED
        return tuple(values[name] for name in self.columns)

    def key(self, values: Sequence[Value]) -> dict[str, Value]:
        """Return the key of a finding: with the caller beside the user that it impersonated, and
        without an entry for nobody."""
        key = dict(zip(self.columns, values, strict=True))
        if key.get(ACTING) is None:
            for name in {CALLER, ACTING} - {*self.names}:
                key.pop(name, None)
        return key

    def table(
        self, keys: Sequence[Sequence[Value]]
    ) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
        """Return the columns that a table shows of the keys, and their values: the caller and the
        impersonated user only where there was an impersonation."""
        impersonated = any(
            value is not None
            for values in keys
            for name, value in zip(self.columns, values, strict=True)
            if name == ACTING
        )
        shown = [
            index
            for index, name in enumerate(self.columns)
            if name in self.names or name == CLUSTER or impersonated
        ]
        columns = tuple(self.columns[index] for index in shown)
        return columns, [tuple(values[index] for index in shown) for values in keys]


def caller_fields(names: Sequence[str], window: Window) -> tuple[str, ...]:
    """Return the fields of a correlation's key: its requests add up for the caller, whomever it
    impersonates."""
    fields = [CALLER if name == EFFECTIVE and CALLER not in names else name for name in names]
    if window.by_cluster and CLUSTER not in fields:
        fields.append(CLUSTER)
    return tuple(fields)


def correlation_key(
    names: Sequence[str], values: Sequence[Value], window: Window
) -> dict[str, Value]:
    """Return the key of a correlation's finding.

    :param names: names of the rule's key.
    :param values: those of :func:`caller_fields`.
    """
    all_names = (*names, CLUSTER) if window.by_cluster and CLUSTER not in names else tuple(names)
    key = dict(zip(all_names, values, strict=True))
    if CLUSTER in key and window.by_cluster and key[CLUSTER] is None:
        key[CLUSTER] = UNNAMED
    return key


def correlation_columns(names: Sequence[str], window: Window) -> tuple[str, ...]:
    """Return the columns of a correlation's key."""
    return (*names, CLUSTER) if window.by_cluster and CLUSTER not in names else tuple(names)


def texts_of(key: Mapping[str, Value], name: str) -> tuple[str, ...]:
    """Return the values of an entry of a key as texts; none for a missing one."""
    value = key.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item) for item in values if item is not None and item != "")
