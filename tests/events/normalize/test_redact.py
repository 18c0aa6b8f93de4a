"""Given an event with a secret in it, the stored event has it no more, and lost nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.events.normalize.redact import redact_json
from k8sidx.events.normalize.redact_marks import MARK
from k8sidx.events.normalize.redact_text import redact_uri
from tests.building import event, normalized

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SECRET = "c3VwZXItc2VjcmV0"  # noqa: S105
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"

SECRET_OBJECT = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"password": SECRET}}
CASES: dict[str, tuple[str, str, Any]] = {
    "a Secret": ("secrets", "", SECRET_OBJECT),
    "a Secret's stringData": ("secrets", "", {"kind": "Secret", "stringData": {"p": SECRET}}),
    "a ConfigMap": ("configmaps", "", {"kind": "ConfigMap", "data": {"p": SECRET}}),
    "a ConfigMap's binaryData": ("configmaps", "", {"binaryData": {"p": SECRET}}),
    "a list of Secrets": ("secrets", "", {"kind": "SecretList",
                                          "items": [{"data": {"p": SECRET}}]}),
    "a List of kinds": ("things", "", {"kind": "List", "items": [SECRET_OBJECT]}),
    "a Secret inside a custom resource": ("things", "", {"spec": {"template": SECRET_OBJECT}}),
    "a merge patch": ("secrets", "", {"data": {"p": SECRET}}),
    "a JSON patch": ("secrets", "", [{"op": "replace", "path": "/data/p", "value": SECRET}]),
    "a JSON patch of all data": ("secrets", "", [{"op": "add", "path": "/data",
                                                 "value": {"p": SECRET}}]),
    "a JSON patch of the whole": ("secrets", "", [{"op": "replace", "path": "",
                                                  "value": {"data": {"p": SECRET}}}]),
    "a TokenRequest": ("serviceaccounts", "token", {"kind": "TokenRequest",
                                                    "status": {"token": SECRET}}),
    "a TokenReview": ("tokenreviews", "", {"spec": {"token": SECRET}}),
    "a CertificateSigningRequest": ("certificatesigningrequests", "",
                                    {"spec": {"request": SECRET},
                                     "status": {"certificate": SECRET}}),
    "a patch of a certificate": ("certificatesigningrequests", "status",
                                 {"status": {"certificate": SECRET}}),
    "last-applied-configuration": ("pods", "", {"metadata": {"annotations": {
        LAST_APPLIED: '{"env":"\\"quoted\\" ' + SECRET + '"}'}}}),
    "last-applied-configuration that is no text": ("pods", "", {"metadata": {"annotations": {
        LAST_APPLIED: {"deep": [SECRET]}}}}),
    "last-applied-configuration in a JSON patch": ("pods", "", [{
        "op": "add",
        "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        "value": SECRET}]),
    "last-applied-configuration in a JSON patch of all annotations": ("pods", "", [{
        "op": "add", "path": "/metadata/annotations", "value": {LAST_APPLIED: SECRET}}]),
}  # fmt: skip


@pytest.mark.parametrize("key", ["requestObject", "responseObject"])
@pytest.mark.parametrize(("resource", "subresource", "body"), CASES.values(), ids=CASES)
def test_secrets_are_replaced(key: str, resource: str, subresource: str, body: Any) -> None:
    result = normalized(event("patch", resource, subresource=subresource, **{key: body}))
    assert result.redacted
    assert SECRET not in json.dumps(whole_event(result.row))
    assert MARK in json.dumps(whole_event(result.row))


def test_keys_names_and_other_fields_stay() -> None:
    stored = whole_event(normalized(event("create", "secrets", requestObject=SECRET_OBJECT)).row)
    assert stored["requestObject"] == {**SECRET_OBJECT, "data": {"password": MARK}}


def test_the_kind_of_managed_fields_is_no_secret() -> None:
    entry: dict[str, Any] = {
        "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{LAST_APPLIED}": {}, ".": {}}}}
    }
    pod = {"kind": "Pod", "metadata": {"managedFields": [entry]}}
    result = normalized(event("create", requestObject=pod))
    assert not result.redacted
    assert whole_event(result.row)["requestObject"] == pod


@pytest.mark.parametrize(
    ("uri", "clean"),
    [
        (f"/api/v1/pods?access_token={SECRET}&watch=1", "/api/v1/pods?access_token={}&watch=1"),
        (f"/x?token={SECRET}", "/x?token={}"),
        (f"/x?command=curl&command=Authorization%3DBearer+{SECRET}", None),
        (f"/x?command={JWT}", "/x?command={}"),
        (f"/proxy/{JWT}/a", "/proxy/{}/a"),
        ("/api/v1/namespaces/a/serviceaccounts/b/token?dryRun=All", "same"),
    ],
)
def test_bearer_tokens_in_uris(uri: str, clean: str | None) -> None:
    found = redact_uri(uri)
    assert SECRET not in found
    assert JWT not in found
    if clean == "same":
        assert found == uri
    elif clean:
        assert found == clean.format(MARK.replace(" ", "+"))


def test_webhook_patches_of_secrets_in_annotations_are_replaced() -> None:
    body = event("create", "secrets")
    body["annotations"]["patch.webhook.admission.k8s.io/round_0_index_0"] = SECRET
    result = normalized(body)
    assert result.redacted
    assert SECRET not in json.dumps(whole_event(result.row))


def test_with_keep_secrets_everything_stays_and_the_id_is_the_same() -> None:
    body = event("create", "secrets", requestObject=SECRET_OBJECT, requestURI=f"/x?token={SECRET}")
    kept = normalized(body, keep_secrets=True).row
    assert whole_event(kept)["requestObject"] == SECRET_OBJECT
    assert kept["requestURI"] == f"/x?token={SECRET}"
    assert kept["event.id"] == normalized(body).row["event.id"]


def test_redaction_twice_changes_nothing_more() -> None:
    body = event("create", "secrets", requestObject=SECRET_OBJECT)
    once = normalized(body)
    again = normalized(whole_event(once.row))
    assert {**again.row, "event.bytes": 0} == {**once.row, "event.bytes": 0}


def test_an_event_states_that_it_was_redacted() -> None:
    body = event("create", "secrets", requestObject=SECRET_OBJECT)
    assert normalized(body).row["event.redacted"] is True
    assert "event.redacted" not in normalized(event()).row


@pytest.mark.parametrize(
    "body",
    [
        event(requestURI=f"/x?token={SECRET}"),
        event(userAgent=f"x --password {SECRET}"),
        event(responseStatus={"code": 400, "message": f"...|{SECRET}|..."}),
        {**event(), "user": {"username": "a", "extra": {"k": [f"token={SECRET}"]}}},
        event(log=f"password={SECRET}"),
    ],
    ids=["requestURI", "userAgent", "responseStatus", "user.extra", "rest"],
)
def test_redaction_is_stated_wherever_the_secret_was(body: dict[str, Any]) -> None:
    assert normalized(body).row["event.redacted"] is True


def test_with_keep_secrets_no_redaction_is_stated() -> None:
    body = event("create", "secrets", requestObject=SECRET_OBJECT, requestURI=f"/x?token={SECRET}")
    assert not normalized(body, keep_secrets=True).redacted
    assert "event.redacted" not in normalized(body, keep_secrets=True).row


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "kind", "items", "metadata", "annotations", LAST_APPLIED, "x"])
            | st.text(max_size=3),
            inner | st.sampled_from(["Secret", "SecretList", "List", "ConfigMap"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(inner=JSON, resource=st.sampled_from(["secrets", "pods", "things", "configmaps"]))
def test_whatever_surrounds_a_secret_it_is_found(inner: Any, resource: str) -> None:
    body = {"kind": "List", "items": [inner, SECRET_OBJECT, {"nested": [SECRET_OBJECT]}]}
    text = json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    found = redact_json(text.encode("utf-8", "replace"), resource)
    assert SECRET.encode() not in found
    json.loads(found)
