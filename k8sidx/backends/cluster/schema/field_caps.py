"""Field capabilities of the indices of a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from k8sidx.backends.cluster.http.api_errors import refusal
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.errors import StoreError

TYPES = {
    "text": frozenset({"keyword", "constant_keyword", "wildcard", "flattened"}),
    "number": frozenset({"long", "integer", "short", "byte", "unsigned_long"}),
    "time": frozenset({"date"}),
    "boolean": frozenset({"boolean"}),
    "address": frozenset({"ip"}),
}
"""Types of both products that serve for what is looked for."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The fields of some indices.

    :param pattern: the name or pattern that was requested.
    :param indices: names of the indices that it means.
    :param types: by path, each type with an index that has the field so.
    """

    pattern: str
    indices: tuple[str, ...]
    types: Mapping[str, Mapping[str, str]]

    def need(self, path: str, kind: str, field: str) -> None:
        """Check that a path can be used.

        :param kind: a key of ``TYPES``.
        :param field: the field's name for people.
        :raises StoreError: when no index has it, or when one has it in another type.
        """
        types = self.types.get(path, {})
        if not types:
            raise StoreError(
                f"no index of {self.pattern} has the field {field} ({path}).",
                remedy="An older k8sidx or another program created them: k8sidx doctor",
            )
        for name, index in types.items():
            if name not in TYPES[kind]:
                raise StoreError(
                    f"{index} has {path} as {name}, which cannot be asked for a {kind}.",
                    remedy="Its events came before the template: Run k8sidx doctor for details.",
                )


def read_capabilities(cluster: Cluster, pattern: str) -> Capabilities:
    """Request the field capabilities.

    :raises StoreError: when there is no such index, or the cluster refuses.
    """
    path = f"/{quote(pattern, safe='*,-')}/_field_caps"
    answer = cluster.request("GET", path, params={"fields": "*"})
    if answer.status == 404:
        raise missing_index(pattern)
    if answer.status != 200:
        raise refusal(answer, f"the fields of {pattern}")
    response = answer.json()
    indices = tuple(response["indices"])
    if not indices:
        raise missing_index(pattern)
    types = {
        name: {
            kind: next(iter(caps.get("indices") or indices), "")
            for kind, caps in kinds.items()
            if kind not in ("unmapped", "object")
        }
        for name, kinds in response["fields"].items()
    }
    return Capabilities(pattern, indices, types)


def missing_index(pattern: str) -> StoreError:
    """Return the error for a pattern without indices."""
    return StoreError(
        f"no index of the cluster is named {pattern}.",
        remedy="Ship events first: k8sidx ship --store ADDRESS audit.log",
    )
