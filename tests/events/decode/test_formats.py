"""``--format``, the dead-letter file, and the envelopes of the reference collection."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from k8sidx.events.records import Rejected
from tests.building import SHARED, event
from tests.events.decode.decoding import (
    DecodedEvent,
    file_records,
    records,
    rejected,
    skipped,
    the_event,
)

AKS = {"category": "kube-audit", "properties": {"log": event()}}
GKE = {
    "protoPayload": {
        "serviceName": "k8s.io",
        "methodName": "io.k8s.core.v1.pods.list",
        "resourceName": "core/v1/pods",
    }
}
EKS = {"logGroup": "/aws/eks/a/cluster", "logEvents": [{"message": json.dumps(event())}]}
OPENSHIFT = {"log_type": "audit", "structured": event()}
SHIPPER = {"message": json.dumps(event())}


@pytest.mark.parametrize(
    ("format", "record", "provider"),
    [
        ("apiserver", event(), "kube-apiserver"),
        ("eks", event(), "eks"),
        ("eks", EKS, "eks"),
        ("eks", SHIPPER, "eks"),
        ("gke", GKE, "gke"),
        ("aks", AKS, "aks"),
        ("aks", event(), "aks"),
        ("openshift", OPENSHIFT, "openshift"),
        ("openshift", event(), "openshift"),
        ("rancher", event(), "rancher"),
        ("shipper", SHIPPER, "kube-apiserver"),
    ],
)
def test_a_format_lets_in_what_is_of_it(format: str, record: dict[str, Any], provider: str) -> None:
    assert the_event(record, format).context.provider == provider


@pytest.mark.parametrize(
    ("format", "record", "reason"),
    [
        ("apiserver", SHIPPER, "of the format shipper, not apiserver"),
        ("eks", AKS, "of the format aks, not eks"),
        ("aks", GKE, "of the format gke, not aks"),
        ("gke", event(), "of the format apiserver, not gke"),
        ("openshift", EKS, "of the format eks, not openshift"),
        ("aks", {"a": 1}, "is not of the format aks"),
    ],
)
def test_a_format_rejects_what_is_of_another(
    format: str, record: dict[str, Any], reason: str
) -> None:
    found = rejected(record, format)
    assert reason in found.reason
    assert json.loads(found.raw) == record


def letter(**raw: object) -> dict[str, object]:
    return {"k8sidx": "dead-letter", "source": "a.log", "record": 7, "reason": "x", **raw}


@pytest.mark.parametrize("record", [event(), EKS, AKS, SHIPPER, GKE])
def test_a_dead_letter_is_read_as_the_record_in_it(record: dict[str, Any]) -> None:
    assert records(letter(raw=json.dumps(record))) == records(record)


def test_a_dead_letter_that_is_not_utf_8_is_in_base64() -> None:
    line = json.dumps(event(agent="AGENT")).encode().replace(b"AGENT", b"\xff")
    assert records(letter(raw_base64=b64encode(line).decode())) == records(line)


def test_a_dead_letter_that_is_still_bad_is_rejected_as_what_it_was() -> None:
    """It does not grow from run to run."""
    cut = json.dumps(event())[:100]
    found = rejected(letter(raw=cut))
    assert found.raw == cut.encode()
    assert found.reason == "the record is cut: its JSON ends early"


def test_odd_dead_letters() -> None:
    assert skipped(letter(raw="")) == "dead letter without a record"
    assert "no raw record" in rejected(letter()).reason
    assert "not Base64" in rejected(letter(raw_base64="!")).reason


def _reference() -> list[Any]:
    index = SHARED / "data" / "envelopes" / "index.json"
    if not index.exists():
        missing = pytest.mark.skip(reason="there is no collection of envelopes beside the checkout")
        return [pytest.param({}, marks=missing)]
    return [pytest.param(one, id=one["file"]) for one in json.loads(index.read_bytes())["files"]]


@pytest.mark.parametrize("reference", _reference())
def test_reference_envelopes_hold_exactly_their_events(reference: dict[str, Any]) -> None:
    found = file_records(SHARED / "data" / "envelopes" / reference["file"])
    ids = [one.body.get("auditID") for one in found if isinstance(one, DecodedEvent)]
    assert ids == reference["expect_audit_ids"]
    cut = "truncated" in reference["file"]
    assert any(isinstance(one, Rejected) for one in found) == cut
