"""Saved findings of a cluster store: an index of their own beside those of the events."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import orjson

from k8sidx.backends.cluster.http.api_errors import explain
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import create_index, expect_success, retrying_request
from k8sidx.backends.cluster.index.companions import (
    findings_mapping,
    lacking,
    new_index,
    states_mapping,
)
from k8sidx.backends.cluster.index.template import Body, made_by_us
from k8sidx.backends.finding_record import (
    FIELDS,
    Record,
    merged,
    redacted_record,
    secret_fields,
)
from k8sidx.backends.finding_state import StateChange, state_change
from k8sidx.backends.store import SavedFindings
from k8sidx.errors import StoreError
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.moment import text_of, to_micros
from k8sidx.events.fields.table import Kind

AT_ONCE = 500
"""Number of findings in one request."""


class ClusterFindings:
    """The saved findings of a cluster store.

    :param index: the index that contains them.
    :param states_index: the index that contains their state changes.
    """

    def __init__(self, cluster: Cluster, index: str, states_index: str) -> None:
        self._cluster = cluster
        self._index = index
        self._states_index = states_index

    def save(self, records: Mapping[str, Record]) -> SavedFindings:
        """Add or update findings; see :class:`k8sidx.backends.store.Findings`.

        :raises ClusterUnreachable: when the cluster does not answer.
        :raises StoreError: when the cluster refuses them, or the index is not ours.
        """
        names = (field.name for field in FIELDS)
        _ensure(self._cluster, self._index, findings_mapping(), names)
        new = 0
        pending = iter(records.items())
        while batch := list(islice(pending, AT_ONCE)):
            saved = _read(self._cluster, self._index, [identifier for identifier, _ in batch])
            new += len(batch) - len(saved)
            _write(
                self._cluster,
                self._index,
                [
                    (identifier, redacted_record(merged(saved.get(identifier), record)))
                    for identifier, record in batch
                ],
            )
        return SavedFindings(new, self._index)

    def load(self) -> dict[str, Record]:
        """Return the saved findings; see :class:`k8sidx.backends.store.Findings`.

        :raises ClusterUnreachable: when the cluster does not answer.
        :raises StoreError: when the cluster refuses access.
        """
        hits = _all_hits(self._cluster, self._index, "event.id")
        return {hit["_id"]: _record(hit["_source"]) for hit in hits}

    def redact(self) -> int:
        """Replace credentials in saved findings; see :class:`k8sidx.backends.store.Findings`.

        :raises ClusterUnreachable: when the cluster does not answer.
        :raises StoreError: when the cluster refuses them.
        """
        saved = self.load()
        secrets = {key: secret_fields(record) for key, record in saved.items()}
        changed = [(key, redacted_record(saved[key])) for key, fields in secrets.items() if fields]
        for start in range(0, len(changed), AT_ONCE):
            _write(self._cluster, self._index, changed[start : start + AT_ONCE])
        return sum(map(len, secrets.values()))

    def states(self) -> list[StateChange]:
        """Return the state changes; see :class:`k8sidx.backends.store.Findings`.

        :raises ClusterUnreachable: when the cluster does not answer.
        :raises StoreError: when the cluster refuses access.
        """
        hits = _all_hits(self._cluster, self._states_index, "key")
        changes = [state_change(hit["_source"], self._states_index) for hit in hits]
        return sorted(changes, key=lambda change: change.at)

    def change(self, changes: Sequence[StateChange]) -> None:
        """Add state changes; see :class:`k8sidx.backends.store.Findings`.

        :raises ClusterUnreachable: when the cluster does not answer.
        :raises StoreError: when the cluster refuses them, or the index is not ours.
        """
        mapping = states_mapping()
        _ensure(self._cluster, self._states_index, mapping, mapping["properties"])
        keyed = [(uuid.uuid4().hex, change.document()) for change in changes]
        documents = [(key, {**document, "key": key}) for key, document in keyed]
        _put(self._cluster, self._states_index, documents)


def _ensure(cluster: Cluster, index: str, mapping: Body, names: Iterable[str]) -> None:
    """Create the index, or add fields that an older k8sidx did not have."""
    path = f"/{quote(index, safe='')}"
    answer = retrying_request(cluster, "GET", f"{path}?filter_path=*.mappings")
    if answer.status == 404:
        create_index(cluster, path, new_index(cluster, index, mapping))
        return
    content: dict[str, Any] = next(iter(expect_success(answer, "GET", path).values()), {})
    mappings = content.get("mappings", {})
    if not made_by_us(mappings.get("_meta")):
        raise StoreError(
            f"the index {index} was not made by k8sidx.",
            remedy="Move that index away, or hunt with another --index.",
        )
    if lacking(mappings.get("properties", {}), names):
        answer = retrying_request(cluster, "PUT", f"{path}/_mapping", body=mapping)
        expect_success(answer, "PUT", f"{path}/_mapping")


def _read(cluster: Cluster, index: str, ids: Sequence[str]) -> dict[str, Record]:
    path = f"/{quote(index, safe='')}/_mget"
    response = expect_success(
        retrying_request(cluster, "POST", path, body={"ids": list(ids)}), "POST", path
    )
    return {
        document["_id"]: _record(document["_source"])
        for document in response.get("docs", [])
        if document.get("found")
    }


def _all_hits(cluster: Cluster, index: str, key: str) -> list[dict[str, Any]]:
    """Return all documents, page by page in the order of a field that differs in each."""
    path = f"/{quote(index, safe='')}/_search"
    body: dict[str, Any] = {"size": AT_ONCE, "sort": [{key: "asc"}]}
    hits: list[dict[str, Any]] = []
    while True:
        answer = retrying_request(
            cluster, "POST", f"{path}?allow_partial_search_results=false", body=body
        )
        if answer.status == 404:
            return []
        page = expect_success(answer, "POST", path)["hits"]["hits"]
        hits += page
        if len(page) < AT_ONCE:
            return hits
        body["search_after"] = page[-1]["sort"]


def _write(cluster: Cluster, index: str, rows: Sequence[tuple[str, Record]]) -> None:
    """Write complete documents: of two concurrent runs, the one that writes last wins."""
    _put(cluster, index, [(identifier, _document(record)) for identifier, record in rows])


def _put(cluster: Cluster, index: str, documents: Sequence[tuple[str, dict[str, Any]]]) -> None:
    lines = []
    for identifier, document in documents:
        lines += [orjson.dumps({"index": {"_id": identifier}}), orjson.dumps(document)]
    path = f"/{quote(index, safe='')}/_bulk"
    answer = retrying_request(
        cluster,
        "POST",
        f"{path}?refresh=true&filter_path=errors,items.*.error,items.*.status",
        body=b"\n".join([*lines, b""]),
    )
    items = expect_success(answer, "POST", path).get("items", [])
    errors = [item["index"]["error"] for item in items if "error" in item["index"]]
    if errors:
        explained = explain(errors[0])
        raise StoreError(
            f"the cluster refused {len(errors):,} findings: {explained.message}.",
            remedy=explained.remedy,
        )


def _document(record: Record) -> dict[str, Any]:
    document = dict(record)
    for name, value in record.items():
        if isinstance(value, datetime):
            document[name] = text_of(to_micros(value))
        elif BY_NAME[name].kind is Kind.JSON:
            document[name] = orjson.loads(value)
    return document


def _record(source: Mapping[str, Any]) -> Record:
    record: Record = {}
    for name, value in source.items():
        kind = BY_NAME[name].kind if name in BY_NAME else Kind.KEYWORD
        if kind is Kind.TIME:
            record[name] = datetime.fromisoformat(value)
        else:
            record[name] = orjson.dumps(value).decode() if kind is Kind.JSON else value
    return record
