"""OpenShift's cluster logging."""

from __future__ import annotations

import pytest

from k8sidx.events.records import Context
from tests.building import event
from tests.events.decode.decoding import body, context, skipped, the_event


@pytest.mark.parametrize("key", ["k8s_audit_level", "openshift_audit_level"])
def test_the_level_is_restored(key: str) -> None:
    shipped = {
        "level": "info",
        key: "RequestResponse",
        "message": None,
        "@timestamp": "2026-11-23T12:00:00+00:00",
        "openshift": {"cluster_id": "0e6f", "sequence": 1},
    }
    found = the_event({**event(), **shipped})
    assert found.body["level"] == "RequestResponse"
    assert found.body["auditID"] == event()["auditID"]
    assert found.context == Context("openshift", "0e6f", "2026-11-23T12:00:00+00:00")


def test_an_event_under_structured_is_found() -> None:
    record = {"log_type": "audit", "log_source": "kubeAPI", "structured": event()}
    assert body(record) == event()
    assert context(record).provider == "openshift"


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"log_type": "audit", "log_source": "ovn", "message": "acl_log"}, "OVN audit line"),
        ({"log_type": "audit", "log_source": "auditd", "message": "type=X"}, "Linux audit line"),
        ({"audit.linux": {"type": "CRED_ACQ"}, "message": "type=X"}, "Linux audit line"),
    ],
)
def test_lines_of_other_audit_logs_are_skipped(record: dict[str, object], kind: str) -> None:
    assert skipped(record) == kind


def test_plain_events_of_its_nodes_stay_as_they_are() -> None:
    assert body(event(level="Metadata"))["level"] == "Metadata"
