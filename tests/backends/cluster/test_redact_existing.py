"""Documents that an earlier version stored with secrets are redacted in place."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.cluster.index.companions import (
    new_index,
    summaries_index,
    summaries_mapping,
)
from k8sidx.backends.cluster.index.target import findings_index, parse_target
from k8sidx.backends.cluster.index.template import write_target
from k8sidx.backends.cluster.redact import redact_documents
from k8sidx.backends.cluster.store import ClusterStore
from k8sidx.backends.connection import ConnectionSettings
from k8sidx.backends.store import Renewed
from k8sidx.doctor.secrets import find_secrets
from k8sidx.errors import StoreError
from k8sidx.events.normalize.event import Normalized
from tests.building import START, at, event, normalized
from tests.conformance.index_events import fill
from tests.events.normalize.test_redact_everywhere import BESIDE, BODIES, CONTAINERS
from tests.shipping.clusters import rows, shipped

SECRET = "Hunter2xyzzy"  # noqa: S105
PLACES = {**BESIDE, **BODIES, **CONTAINERS}


def bodies() -> list[dict[str, Any]]:
    times: list[dict[str, Any]] = [
        {"requestReceivedTimestamp": at(n), "stageTimestamp": at(n)} for n in range(99)
    ]
    planted = [{**PLACES[name](SECRET), **times[n]} for n, name in enumerate(sorted(PLACES))]
    plain = [event(name=f"plain-{n}", **times[n]) for n in range(3)]
    undated = event(
        "create", "secrets", requestReceivedTimestamp=None, stageTimestamp=None,
        requestObject={"data": {"p": SECRET}},
    )  # fmt: skip
    return [*planted, *plain, undated]


def as_stored_then(body: dict[str, Any]) -> Normalized:
    """The event with its secrets and, where there are any, the id of another version."""
    kept = normalized(body, keep_secrets=True)
    if SECRET in json.dumps(body):
        other = sha256(kept.values.id).digest()[:16]
        kept.values = kept.values._replace(id=other)
    return kept


def store_of(cluster: Cluster, prefix: str) -> ClusterStore:
    return ClusterStore(cluster.url, parse_target(prefix), ConnectionSettings())


def redact(store: ClusterStore) -> Renewed:
    return store.redact_existing(lambda renewed: None)


def test_documents_are_redacted_under_their_new_ids(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    events = bodies()
    fill(cluster, prefix, [as_stored_then(body) for body in events])
    store = store_of(cluster, prefix)
    assert find_secrets(store).affected == len(events) - 3
    counts = redact(store)
    assert (counts.events, counts.changed) == (len(events), len(events) - 3)
    assert counts.values >= counts.changed
    found = rows(cluster, prefix)
    assert SECRET not in str(found)
    assert set(found) == {normalized(body).row["event.id"] for body in events}
    assert find_secrets(store).values == 0
    log = tmp_path / "log"
    log.write_text("".join(json.dumps(body) + "\n" for body in events))
    for index in {stored.location for stored in store.stored_events()}:
        assert cluster.request("PUT", f"/{index}/_alias/{write_target(index)}").status == 200
    again = shipped(cluster.url, prefix, log, folder=tmp_path)
    assert (again.indexed, again.duplicates) == (0, len(events))
    counts = redact(store)
    assert (counts.changed, counts.values) == (0, 0)


def test_findings_and_summaries_are_redacted_too(cluster: Cluster, prefix: str) -> None:
    fill(cluster, prefix, [normalized(event())])
    store = store_of(cluster, prefix)
    record = {"event.id": "f1", "@timestamp": START, "message": "ran mysql", "user.username": "eve"}
    store.findings().save({"f1": {**record, "finding.key": '{"exec.command_line":"mysql"}'}})
    secret = {"message": f"ran --password={SECRET}", "finding.key": {"x": [f"token={SECRET}"]}}
    update = cluster.request(
        "POST", f"/{findings_index(prefix)}/_update/f1?refresh=true", body={"doc": secret}
    )
    assert update.status == 200
    day = {"question": "q", "day": "2026-11-23", "state": "s", "part": 0, "parts": 1}
    rows_ = {**day, "rows": json.dumps([["eve", f"curl -u eve:{SECRET} http://x", 3]])}
    summaries = f"/{summaries_index(prefix)}"
    made = new_index(cluster, summaries_index(prefix), summaries_mapping())
    assert cluster.request("PUT", summaries, body=made).status == 200
    assert cluster.request("PUT", f"{summaries}/_doc/x?refresh=true", body=rows_).status == 201
    found = find_secrets(store)
    assert (found.findings, found.summaries, found.affected, found.values) == (1, 1, 2, 3)
    assert redact(store).values == 3
    assert SECRET not in str(store.findings().load())
    assert cluster.request("GET", summaries).status == 404
    assert find_secrets(store).values == 0


def test_a_run_that_was_killed_before_it_deleted_is_completed(
    cluster: Cluster, prefix: str
) -> None:
    body = next(body for body in bodies() if SECRET in json.dumps(body))
    fill(cluster, prefix, [as_stored_then(body), normalized(body), normalized(event())])
    counts = redact(store_of(cluster, prefix))
    assert (counts.changed, counts.duplicates) == (1, 1)
    found = rows(cluster, prefix)
    assert set(found) == {normalized(one).row["event.id"] for one in (body, event())}


def test_documents_of_others_are_counted_and_left_alone(opensearch: Cluster, prefix: str) -> None:
    fill(opensearch, prefix, [as_stored_then(bodies()[0])])
    strange = {"log": "password=x", "@timestamp": at(0)}
    path = f"/{prefix}-undated/_doc/x?refresh=true"
    assert opensearch.request("PUT", path, body=strange).status == 201
    with pytest.raises(StoreError, match="were not written by k8sidx"):
        redact_documents(opensearch, f"{prefix}-*", prefix, lambda renewed: None)
    assert opensearch.request("GET", path.partition("?")[0]).json()["_source"] == strange
    found = find_secrets(store_of(opensearch, prefix))
    assert (found.events, found.values) == (1, 0), "the document of ours was redacted"
    assert found.problem is not None
