"""What is read out of answers to bulk requests."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from k8sidx.backends.cluster.bulk.response import Fate, judge
from k8sidx.backends.cluster.http.response import Answer, retry_after


def answer(items: list[Any], *, errors: bool, status: int = 200) -> Answer:
    made = [{"create": one} for one in items]
    body = json.dumps({"errors": errors, "items": made}, separators=(",", ":")).encode()
    return Answer(status, {}, body)


def failed(status: int, kind: str, reason: str = "because") -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "reason": reason}}


CREATED = {"status": 201}


def test_all_created() -> None:
    verdict = judge(answer([CREATED] * 3, errors=False), 3)
    assert (verdict.fate, verdict.created, verdict.duplicates) == (Fate.ANSWERED, 3, 0)


def test_each_document_has_its_own_outcome() -> None:
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
    verdict = judge(answer(items, errors=True), len(items))
    assert verdict.fate is Fate.ANSWERED
    assert (verdict.created, verdict.duplicates) == (1, 1)
    assert verdict.again == [2, 5, 6, 7]
    assert verdict.missing == [4]
    assert verdict.refused == [(3, "mapper_parsing_exception: no long: x")]


def test_a_missing_permission_is_no_fault_of_the_events() -> None:
    verdict = judge(answer([failed(403, "security_exception")], errors=True), 1)
    assert verdict.fate is Fate.DENIED


@pytest.mark.parametrize("sent", [2, 4])
@pytest.mark.parametrize("errors", [False, True])
def test_another_number_of_outcomes_than_documents_says_nothing(sent: int, errors: bool) -> None:
    assert judge(answer([CREATED] * 3, errors=errors), sent).fate is Fate.UNKNOWN


def test_words_of_an_answer_inside_a_reason_do_not_deceive() -> None:
    trap = failed(400, "x", '"errors":false "status":201')
    verdict = judge(answer([trap], errors=True), 1)
    assert verdict.created == 0
    assert len(verdict.refused) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"errors":false,"items":[{"create":{"stat'])
def test_what_cannot_be_read_says_nothing(body: bytes) -> None:
    assert judge(Answer(200, {}, body), 1).fate is Fate.UNKNOWN


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (429, Fate.BUSY), (503, Fate.BUSY), (500, Fate.UNKNOWN), (502, Fate.UNKNOWN),
        (504, Fate.UNKNOWN), (408, Fate.UNKNOWN), (413, Fate.TOO_LARGE), (400, Fate.MALFORMED),
        (401, Fate.DENIED), (403, Fate.DENIED), (404, Fate.DENIED), (301, Fate.DENIED),
    ],
)  # fmt: skip
def test_a_status_for_the_whole_request(status: int, fate: Fate) -> None:
    body = b'{"error":{"type":"t","reason":"a\\nb"}}'
    verdict = judge(Answer(status, {"retry-after": "7"}, body), 5)
    assert verdict.fate is fate
    assert verdict.why == f"HTTP {status}: t: a b"
    assert verdict.wait == (7.0 if fate in (Fate.BUSY, Fate.UNKNOWN) else 0.0)


def test_retry_after_may_be_a_date() -> None:
    found = retry_after(Answer(429, {"retry-after": formatdate(time() + 30, usegmt=True)}, b""))
    assert 25 < found <= 30
    assert retry_after(Answer(429, {"retry-after": "soon"}, b"")) == 0
    assert retry_after(Answer(429, {}, b"")) == 0
