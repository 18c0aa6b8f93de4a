"""Daily summaries of a cluster store: documents of the index ``summaries-<prefix>``.

They follow from the events, so that one which is missing costs time and nothing else, and the
index can be deleted. A day's state is how many events it has, whatever indices they are in:
documents are only added, or go with the whole index. A summary is kept in documents of some
thousand rows, named by question, day and state: it is there when all of them are, and whoever
makes the same one makes the same documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from k8sidx.backends.cluster.engine.session import Session
from k8sidx.backends.cluster.http.api_errors import ClusterRefused
from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.http.retrying import (
    FORBIDDEN,
    create_index,
    expect_success,
    retrying_request,
)
from k8sidx.backends.cluster.index.companions import (
    new_index,
    summaries_index,
    summaries_mapping,
)
from k8sidx.backends.cluster.index.template import made_by_us, write_target
from k8sidx.backends.cluster.schema.profile import TIME
from k8sidx.backends.protocol import EXACT
from k8sidx.backends.store import StoredSummary
from k8sidx.backends.summaries import day_of
from k8sidx.backends.summary_store import Rows
from k8sidx.errors import StoreError

PART_ROWS = 5_000
"""Rows of one document."""
_PAGE = 50
"""Documents of one page."""
_ORDER = ("day", "state", "part")
_Body = dict[str, Any]


class _Document(NamedTuple):
    day: date
    part: int
    parts: int
    rows: str


class ClusterSummaries:
    """Summaries of the indices of a prefix.

    :param pattern: the indices of the events.
    """

    def __init__(self, cluster: Cluster, prefix: str, pattern: str) -> None:
        self._cluster = cluster
        self._pattern = pattern
        self._index = summaries_index(prefix)
        self._path = f"/{quote(self._index, safe='')}"
        self._writes = True
        self._there = False
        self.error = ""

    def days(self) -> Mapping[date, str]:
        """Return the days that have events, and how many; see
        :class:`k8sidx.backends.summary_store.Summaries`."""
        return self._days

    @cached_property
    def _days(self) -> dict[date, str]:
        return self._counted()

    def _counted(self) -> dict[date, str]:
        """Count events by day, which is cheap for an index, or segment, of a single day."""
        by_day = {"field": TIME, "fixed_interval": "1d", "min_doc_count": 1}
        body = {
            "size": 0,
            "track_total_hits": False,
            "aggs": {"days": {"date_histogram": by_day}},
        }
        with Session(self._cluster, self._pattern, EXACT) as session:
            answer = session.search(body)
        return {
            day_of(bucket["key"] * 1000): str(bucket["doc_count"])
            for bucket in answer["aggregations"]["days"]["buckets"]
        }

    def load(self, question: str, days: Iterable[date]) -> dict[date, Rows]:
        """Return the existing summaries of days."""
        by_day: dict[date, dict[int, _Document]] = {}
        for document in self._documents(question, days, with_rows=True):
            by_day.setdefault(document.day, {})[document.part] = document
        return {
            day: [row for part in range(len(parts)) for row in orjson.loads(parts[part].rows)]
            for day, parts in by_day.items()
            if parts.keys() == set(range(next(iter(parts.values())).parts))
        }

    def kept(self, question: str) -> frozenset[date]:
        """Return the days that have a summary for their present state."""
        by_day: dict[date, list[_Document]] = {}
        for document in self._documents(question, self._days, with_rows=False):
            by_day.setdefault(document.day, []).append(document)
        return frozenset(day for day, parts in by_day.items() if len(parts) == parts[0].parts)

    def _documents(
        self, question: str, days: Iterable[date], *, with_rows: bool
    ) -> Iterator[_Document]:
        """Return the documents of the days' present states; none without the right to read them."""
        try:
            hits = list(self._hits(question, days, with_rows=with_rows))
        except StoreError as error:
            self._give_up(error)
            return
        for hit in hits:
            source = hit["_source"]
            day = date.fromisoformat(source["day"])
            if self._days[day] == source["state"]:
                yield _Document(day, source["part"], source["parts"], source.get("rows", ""))

    def _hits(self, question: str, days: Iterable[date], *, with_rows: bool) -> Iterator[_Body]:
        """Return the documents of days, whatever their state."""
        if not self._is_there():
            return
        body: _Body = {
            "size": _PAGE if with_rows else 1_000,
            "_source": [*_ORDER, "parts", *(["rows"] if with_rows else [])],
            "query": {
                "bool": {
                    "filter": [
                        {"term": {"question": question}},
                        {"terms": {"day": [str(day) for day in days]}},
                    ]
                }
            },
            "sort": [{name: "asc"} for name in _ORDER],
        }
        yield from _pages(self._cluster, self._path, body)

    def save(self, question: str, made: Mapping[date, Rows]) -> None:
        """Keep the summaries of days that have received no event since they were counted."""
        if not self._writes:
            return
        try:
            now = self._counted()
            still = {day: rows for day, rows in made.items() if now.get(day) == self._days[day]}
            if still:
                self._ensure()
                self._put(question, still)
                self._delete_others(question, still)
        except StoreError as error:
            self._give_up(error)

    def _give_up(self, error: StoreError) -> None:
        """Query the events from now on. A missing permission is not reported as trouble."""
        self._writes = False
        if not (isinstance(error, ClusterRefused) and error.status == FORBIDDEN):
            self.error = f"summaries cannot be kept in {self._index}: {error.message}"

    def _is_there(self) -> bool:
        """Whether the index exists, and is ours.

        :raises StoreError: when k8sidx did not create it.
        """
        if not self._there:
            path = f"{self._path}?filter_path=*.mappings._meta"
            answer = retrying_request(self._cluster, "GET", path)
            if answer.status == 404:
                return False
            about = expect_success(answer, "GET", path).get(self._index, {})
            if not made_by_us(about.get("mappings", {}).get("_meta")):
                raise StoreError("it was not made by k8sidx.")
            self._there = True
        return True

    def _ensure(self) -> None:
        """Create the index; writing to its alias keeps the server from creating one by itself."""
        if self._is_there():
            return
        aliases: _Body = {write_target(self._index): {}}
        body = new_index(self._cluster, self._index, summaries_mapping(), aliases=aliases)
        create_index(self._cluster, self._path, body)
        self._is_there()

    def _put(self, question: str, made: Mapping[date, Rows]) -> None:
        for day, rows in made.items():
            state = self._days[day]
            chunks = [rows[at : at + PART_ROWS] for at in range(0, len(rows), PART_ROWS)] or [[]]
            lines: list[_Body] = []
            for part, chunk in enumerate(chunks):
                lines.append({"index": {"_id": f"{question}-{day}-{state}-{part}"}})
                lines.append(
                    {
                        "question": question,
                        "day": str(day),
                        "state": state,
                        "part": part,
                        "parts": len(chunks),
                        "rows": orjson.dumps(chunk).decode(),
                    }
                )
            self._bulk(lines)

    def _delete_others(self, question: str, made: Mapping[date, Rows]) -> None:
        """Delete the summaries of the days' earlier states."""
        others = [
            {"delete": {"_id": hit["_id"]}}
            for hit in self._hits(question, made, with_rows=False)
            if hit["_source"]["state"] != self._days[date.fromisoformat(hit["_source"]["day"])]
        ]
        if others:
            self._bulk(others)

    def _bulk(self, lines: Iterable[_Body]) -> None:
        path = f"/{quote(write_target(self._index), safe='')}/_bulk"
        answer = self._cluster.request(
            "POST",
            path,
            params={"refresh": "true", "require_alias": "true"},
            body=b"".join(orjson.dumps(line) + b"\n" for line in lines),
            headers={"content-type": "application/x-ndjson"},
        )
        for item in expect_success(answer, "POST", path)["items"]:
            status = next(iter(item.values()))["status"]
            # Another process may have deleted the same document.
            if status >= 300 and not (status == 404 and "delete" in item):
                raise StoreError(f"the cluster refused a summary with status {status}.")


def stored_summaries(cluster: Cluster, prefix: str) -> Iterator[StoredSummary]:
    """Yield the summaries of a prefix; none when there is no such index.

    :raises StoreError: when they cannot be read.
    """
    index = summaries_index(prefix)
    order = ["question", *_ORDER]
    body: _Body = {"size": _PAGE, "_source": [*order, "rows"], "sort": [{n: "asc"} for n in order]}
    for hit in _pages(cluster, f"/{quote(index, safe='')}", body):
        source = hit["_source"]
        name = f"{source['day']} {source['question']}"
        yield StoredSummary(index, name, orjson.loads(source["rows"]))


def _pages(cluster: Cluster, path: str, body: _Body) -> Iterator[_Body]:
    """Yield the hits of a search, page by page; none when the index does not exist."""
    path = f"{path}/_search?allow_partial_search_results=false"
    while True:
        answer = retrying_request(cluster, "POST", path, body=body)
        if answer.status == 404:
            return
        hits = expect_success(answer, "POST", path)["hits"]["hits"]
        yield from hits
        if len(hits) < body["size"]:
            return
        body["search_after"] = hits[-1]["sort"]
