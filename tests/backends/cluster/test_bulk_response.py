"""Parser of bulk responses."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from k8sidx.backends.cluster.bulk.response import BulkStatus, parse_bulk_response
from k8sidx.backends.cluster.http.response import Answer, retry_after


def answer(items: list[Any], *, errors: bool, status: int = 200) -> Answer:
    made = [{"create": item} for item in items]
    body = json.dumps({"errors": errors, "items": made}, separators=(",", ":")).encode()
    return Answer(status, {}, body)


def failed(status: int, kind: str, reason: str = "because") -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "reason": reason}}


CREATED = {"status": 201}


def test_response_counts_created_documents() -> None:
    result = parse_bulk_response(answer([CREATED] * 3, errors=False), 3)
    assert (result.status, result.tally.indexed, result.tally.duplicates) == (
        BulkStatus.ANSWERED,
        3,
        0,
    )


def test_response_has_an_outcome_for_each_document() -> None:
    items = [
        CREATED,
        failed(409, "version_conflict_engine_exception"),
        failed(429, "es_rejected_execution_exception"),
        failed(400, "mapper_parsing_exception", "no long: x"),
        failed(404, "index_not_found_exception"),
        failed(503, "unavailable_shards_exception"),
        failed(403, "cluster_block_exception", "disk usage exceeded"),
        failed(429, "circuit_breaking_exception"),
    ]
    result = parse_bulk_response(answer(items, errors=True), len(items))
    assert result.status is BulkStatus.ANSWERED
    assert (result.tally.indexed, result.tally.duplicates) == (1, 1)
    assert result.retry == [2, 5, 6, 7]
    assert result.missing == [4]
    assert result.rejections == [(3, "mapper_parsing_exception: no long: x")]


@pytest.mark.parametrize(
    "reason",
    [
        "no write index is defined for alias [a.write]. The write index may be explicitly disabled",
        "Alias [a.write] has more than one indices associated with it",
        "pipeline with id [x] does not exist",
    ],
)
def test_response_is_denied_when_an_index_refuses_every_document(reason: str) -> None:
    items = [failed(400, "illegal_argument_exception", reason)] * 50
    result = parse_bulk_response(answer(items, errors=True), 50)
    assert (result.status, result.rejections) == (BulkStatus.DENIED, [])
    assert reason[:20] in result.reason


def test_response_rejects_a_document_that_only_contains_such_a_reason() -> None:
    reason = "failed to parse: no write index is defined for alias [a]"
    result = parse_bulk_response(
        answer([failed(400, "mapper_parsing_exception", reason)], errors=True), 1
    )
    assert [position for position, _ in result.rejections] == [0]


def test_response_is_denied_when_a_permission_is_missing() -> None:
    result = parse_bulk_response(answer([failed(403, "security_exception")], errors=True), 1)
    assert result.status is BulkStatus.DENIED


@pytest.mark.parametrize("sent", [2, 4])
@pytest.mark.parametrize("errors", [False, True])
def test_response_is_unknown_when_the_numbers_of_outcomes_and_documents_differ(
    sent: int, errors: bool
) -> None:
    assert (
        parse_bulk_response(answer([CREATED] * 3, errors=errors), sent).status is BulkStatus.UNKNOWN
    )


def test_response_members_quoted_in_a_reason_are_not_counted() -> None:
    trap = failed(400, "x", '"errors":false "status":201')
    result = parse_bulk_response(answer([trap], errors=True), 1)
    assert result.tally.indexed == 0
    assert len(result.rejections) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"errors":false,"items":[{"create":{"stat'])
def test_response_is_unknown_when_it_cannot_be_read(body: bytes) -> None:
    assert parse_bulk_response(Answer(200, {}, body), 1).status is BulkStatus.UNKNOWN


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, BulkStatus.BUSY), (503, BulkStatus.BUSY),
        (500, BulkStatus.UNKNOWN), (502, BulkStatus.UNKNOWN),
        (504, BulkStatus.UNKNOWN), (408, BulkStatus.UNKNOWN),
        (413, BulkStatus.TOO_LARGE), (400, BulkStatus.MALFORMED),
        (401, BulkStatus.DENIED), (403, BulkStatus.DENIED),
        (404, BulkStatus.DENIED), (301, BulkStatus.DENIED),
    ],
)  # fmt: skip
def test_response_status_applies_to_the_whole_request(status: int, expected: BulkStatus) -> None:
    body = b'{"error":{"type":"t","reason":"a\\nb"}}'
    result = parse_bulk_response(Answer(status, {"retry-after": "7"}, body), 5)
    assert result.status is expected
    assert result.reason == f"HTTP {status}: t: a b"
    assert result.wait == (7.0 if expected in (BulkStatus.BUSY, BulkStatus.UNKNOWN) else 0.0)


def test_retry_after_accepts_a_date() -> None:
    found = retry_after(Answer(429, {"retry-after": formatdate(time() + 30, usegmt=True)}, b""))
    assert 25 < found <= 30
    assert retry_after(Answer(429, {"retry-after": "soon"}, b"")) == 0
    assert retry_after(Answer(429, {}, b"")) == 0
