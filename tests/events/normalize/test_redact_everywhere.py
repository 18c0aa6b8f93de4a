"""A secret is nowhere in a stored event, wherever in the event it stood."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.events.normalize.reconstruct import whole_event
from k8sidx.events.normalize.redact_marks import is_mark
from k8sidx.events.normalize.redact_message import redact_message
from k8sidx.events.normalize.redact_text import redact_text, redact_uri
from tests.building import event, normalized
from tests.events.normalize.secret_places import NAMED

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Event = dict[str, Any]
Plant = Callable[[str], Event]


def secret_object(secret: str) -> Event:
    return {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "db"}, "data": {"p": secret}}


def on_secrets(**more: Any) -> Event:
    return event("create", "secrets", name="db", level="RequestResponse", **more)


def on_pods(**more: Any) -> Event:
    return event("create", "pods", name="web", level="RequestResponse", **more)


def on_things(**more: Any) -> Event:
    reference = {"resource": "things", "apiGroup": "example.com", "name": "x", "namespace": "shop"}
    return event("create", "things", objectRef=reference, level="RequestResponse", **more)


def exec_of(*words: str) -> Event:
    query = "&".join(f"command={word}" for word in words)
    uri = f"/api/v1/namespaces/shop/pods/web/exec?{query}&container=app"
    return event("create", "pods", name="web", subresource="exec", requestURI=uri)


def pod(secret: str, **container: Any) -> Event:
    containers = [{"name": "app", "image": "app", **container}]
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"},
            "spec": {"containers": containers}}  # fmt: skip


def with_line(make: Callable[[Event, str], Event]) -> Plant:
    def plant(secret: str) -> Event:
        body = on_secrets(requestObject=secret_object(secret))
        return make(body, json.dumps(body))

    return plant


def yaml_secret(secret: str) -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  p: {secret}\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def applied(secret: str) -> Event:
    return {"metadata": {"annotations": {APPLIED: json.dumps(secret_object(secret))}}}


BESIDE: dict[str, Plant] = {
    "the line under log": with_line(lambda body, line: {**body, "log": line}),
    "the line under message": with_line(lambda body, line: {**body, "message": line}),
    "the line with a prefix": with_line(lambda body, line: {**body, "log": f"stdout F {line}"}),
    "the line below event": with_line(lambda body, line: {**body, "event": {"original": line}}),
    "the event as an object": with_line(lambda body, line: {**body, "structured": dict(body)}),
    "another event's line": with_line(
        lambda body, line: {**body, "log": line.replace("db", "other")}
    ),
    "a line that is cut": with_line(lambda body, line: {**body, "log": line[:-40]}),
    "a body as JSON text": lambda s: on_secrets(requestBody=json.dumps(secret_object(s))),
    "a body as Base64": lambda s: on_secrets(requestBody=encoded(json.dumps(secret_object(s)))),
    "a body as YAML": lambda s: on_secrets(requestBody=yaml_secret(s)),
    "a body as text": lambda s: on_secrets(requestBody=f"data p {s}"),
    "a body of another event": lambda s: on_pods(copied=json.dumps(secret_object(s))),
    "a body without a kind": lambda s: on_secrets(responseBody={"data": {"p": s}}),
    "a list of bodies": lambda s: on_secrets(bodies=[[{"data": {"p": s}}]]),
    "a header": lambda s: on_pods(headers={"text": f"Authorization: Bearer {s}"}),
}
BODIES: dict[str, Plant] = {
    "JSON text": lambda s: on_secrets(requestObject=json.dumps(secret_object(s))),
    "YAML text": lambda s: on_secrets(requestObject=yaml_secret(s)),
    "Base64 of JSON": lambda s: on_secrets(requestObject=encoded(json.dumps(secret_object(s)))),
    "Base64 of YAML": lambda s: on_secrets(requestObject=encoded(yaml_secret(s))),
    "text that is neither": lambda s: on_secrets(requestObject=f"p is {s}, you know"),
    "a patch that names another kind": lambda s: on_secrets(
        requestObject={"kind": "Pod", "data": {"p": s}}
    ),
    "a list that names another kind": lambda s: on_secrets(
        responseObject={"kind": "PodList", "items": [{"data": {"p": s}}]}
    ),
    "a JSON patch without a slash": lambda s: on_secrets(
        requestObject=[{"op": "replace", "path": "data/p", "value": s}]
    ),
    "a JSON patch in an object": lambda s: on_secrets(
        requestObject={"patch": [{"op": "add", "path": "/data/p", "value": s}]}
    ),
    "no objectRef": lambda s: on_secrets(
        objectRef=None,
        requestURI="/api/v1/namespaces/shop/secrets/db",
        requestObject={"data": {"p": s}},
    ),
    "kapp's annotation": lambda s: on_things(
        requestObject={"metadata": {"annotations": {"kapp.k14s.io/original": s}}}
    ),
    "Rancher's annotation": lambda s: on_things(
        requestObject={"metadata": {"annotations": {"objectset.rio.cattle.io/applied": s}}}
    ),
    "an applied configuration in text": lambda s: on_things(
        requestObject={"spec": {"manifest": json.dumps(applied(s))}}
    ),
    "a Secret in text": lambda s: on_things(
        requestObject={"spec": {"manifest": json.dumps(secret_object(s))}}
    ),
    "a Secret in text in text": lambda s: on_things(
        requestObject={"spec": {"x": json.dumps({"y": json.dumps(secret_object(s))})}}
    ),
    "a Secret in YAML in a custom resource": lambda s: on_things(
        requestObject={"spec": {"manifest": yaml_secret(s)}}
    ),
    "a Secret in YAML that cannot be read": lambda s: on_things(
        requestObject={"spec": {"manifest": yaml_secret(s) + "\t{"}}
    ),
    "a Secret in a pod's annotation": lambda s: on_pods(
        requestObject={"kind": "Pod", "metadata": {"annotations": {"x": yaml_secret(s)}}}
    ),
    "a Helm release": lambda s: on_things(
        requestObject={"kind": "HelmRelease", "spec": {"values": {"db": {"p": s}}}}
    ),
    "a TokenReview's answer": lambda s: event(
        "create", "tokenreviews", responseObject={"status": {"user": {"extra": {"t": [s]}}}}
    ),
}
CONTAINERS: dict[str, Plant] = {
    "a variable": lambda s: on_pods(
        requestObject=pod(s, env=[{"name": "DB_PASSWORD", "value": s}])
    ),
    "a variable's URL": lambda s: on_pods(
        requestObject=pod(s, env=[{"name": "DSN", "value": f"postgres://app:{s}@db/app"}])
    ),
    "a template's variable": lambda s: event(
        "create", "deployments", level="RequestResponse",
        requestObject={"spec": {"template": pod(s, env=[{"name": "apiToken", "value": s}])}},
    ),
    "an added variable": lambda s: event(
        "patch", "deployments",
        requestObject=[{"op": "add", "path": "/spec/template/spec/containers/0/env/-",
                        "value": {"name": "TOKEN", "value": s}}],
    ),
    "a replaced variable": lambda s: event(
        "patch", "deployments",
        requestObject=[{"op": "replace", "path": "/spec/containers/0/env/3/value", "value": s}],
    ),
    "an argument": lambda s: on_pods(requestObject=pod(s, args=[f"--password={s}"])),
    "the argument after": lambda s: on_pods(requestObject=pod(s, args=["--api-token", s])),
    "a command": lambda s: on_pods(
        requestObject=pod(s, command=["sh", "-c", f"export TOKEN={s}; run"])
    ),
}  # fmt: skip
TEXTS: dict[str, Plant] = {
    "a status message": lambda s: event(
        responseStatus={"code": 400, "message": f'illegal base64 ...|rd":"{s}"|..., bigger'}
    ),
    "an invalid value": lambda s: on_secrets(
        responseStatus={"code": 422, "message": f'data[p]: Invalid value: "{s}": must be'}
    ),
    "a bearer token": lambda s: exec_of("curl", "-H", quote(f"Authorization: Bearer {s}")),
    "a bearer token with plus signs": lambda s: exec_of("curl", f"Authorization%3A+Bearer+{s}"),
    "a bearer token, twice encoded": lambda s: exec_of(quote(quote(f"Bearer {s}"))),
    "basic credentials": lambda s: exec_of(quote(f"Authorization: Basic {encoded('u:' + s)}")),
    "a password": lambda s: exec_of("tool", f"--password%3D{s}"),
    "the word after an option": lambda s: exec_of("tool", "--password", s),
    "mysql": lambda s: exec_of("mysql", "-uroot", f"-p{s}"),
    "curl": lambda s: exec_of("curl", "-u", f"bob%3A{s}", "http%3A%2F%2Fx"),
    "a URL": lambda s: exec_of("git", "clone", quote(f"https://bob:{s}@example.com/x", safe="")),
    "a URL, twice encoded": lambda s: exec_of(
        quote(quote(f"https://bob:{s}@example.com", safe=""), safe="")
    ),
    "a parameter": lambda s: event(requestURI=f"/api/v1/namespaces?api_key={s}&limit=1"),
    "a parameter, twice encoded": lambda s: event(requestURI=f"/api/v1/x?token%253D{s}"),
    "a user agent": lambda s: event(agent=f"tool/1 (token={s})"),
    "the user's extra": lambda s: {
        **event(),
        "user": {"username": "alice", "extra": {"header": [f"Authorization: Bearer {s}"]}},
    },
    "an annotation": lambda s: event(annotations={"x/patch": json.dumps(applied(s))}),
    "a Secret in an annotation": lambda s: event(annotations={"x": json.dumps(secret_object(s))}),
}
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0."
ANY_TEXT: dict[str, Plant] = {
    "a private key": lambda s: on_things(
        requestObject={"spec": {"x": f"-----BEGIN EC PRIVATE KEY-----\n{s}\n-----END EC PRIVATE"}}
    ),
    "a JSON web token in a label": lambda s: on_pods(
        requestObject={"kind": "Pod", "metadata": {"annotations": {"x": JWT + s}}}
    ),
    "a token of GitHub": lambda s: on_things(
        responseObject={"items": [{"spec": [f"x ghp_{s * 3}"]}]}
    ),
    "a hook of Slack": lambda s: on_things(
        requestObject={"spec": {"url": f"https://hooks.slack.com/services/T0/B0/{s}"}}
    ),
    "a login in a URL": lambda s: on_things(requestObject={"spec": {"u": f"amqp://a:{s}@mq/x"}}),
    "a file of credentials": lambda s: on_things(
        requestObject={"spec": {"x": f"[default]\naws_secret_access_key = {s}\n"}}
    ),
    "a header in a snippet": lambda s: on_things(
        requestObject={"spec": {"x": f'proxy_set_header Authorization "Bearer {s}{s}1";'}}
    ),
    "a Secret's own annotation": lambda s: on_secrets(
        requestObject={"kind": "Secret", "metadata": {"annotations": {"x": f"password: {s}"}}}
    ),
    "an error in place of an object": lambda s: event(
        "create", "pods", responseObject={"kind": "Status", "message": f'x ...|"{s}"|..., bigger'}
    ),
    "an error about a Secret": lambda s: on_secrets(
        responseObject={"kind": "Status", "details": {"causes": [
            {"message": f'Invalid value: "{s}": no'}]}}
    ),
    "a probe's header": lambda s: on_pods(requestObject=pod(s, livenessProbe={
        "httpGet": {"httpHeaders": [{"name": "Cookie", "value": s}]}})),
    "a lifecycle's command": lambda s: on_pods(requestObject=pod(s, lifecycle={
        "postStart": {"exec": {"command": ["curl", "-u", f"bob:{s}", "http://x"]}}})),
    "the words of a login": lambda s: on_pods(
        requestObject=pod(s, args=["docker", "login", "-u", "bob", "-p", s])
    ),
    "a login": lambda s: exec_of("az", "login", "-u", "x", "-p", s),
    "openssl": lambda s: exec_of("openssl", "enc", "-pass", quote(f"pass:{s}")),
    "a cookie": lambda s: exec_of("curl", "-H", quote(f"Cookie: a=1; session={s}")),
    "a signature": lambda s: event(requestURI=f"/api/v1/x/proxy/y?sv=1&X-Amz-Signature={s}"),
    "a code": lambda s: event(requestURI=f"/api/v1/x/proxy/y?code={s}&state=1"),
}  # fmt: skip
PLACES = {**BESIDE, **NAMED, **ANY_TEXT, **BODIES, **CONTAINERS, **TEXTS}


def stored_text(body: Event) -> str:
    row = normalized(body).row
    return json.dumps(
        {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}
    )


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_stored(place: str) -> None:
    secret = "Hunter2xyzzy"  # noqa: S105
    body = PLACES[place](secret)
    text = stored_text(body)
    assert secret not in text
    assert encoded(secret) not in text
    assert normalized(body).redacted


@given(
    secret=st.text("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8)
    .map(lambda text: f"{text}9Z")
    .filter(lambda text: text not in str(event())),
    place=st.sampled_from(sorted(PLACES)),
)
def test_no_secret_of_any_form_is_stored(secret: str, place: str) -> None:
    assert secret not in stored_text(PLACES[place](secret))


KEPT: dict[str, object] = {
    "secretName": "db-token",
    "automountServiceAccountToken": True,
    "env": [
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "db-password", "key": "password"}}}
    ],
    "imagePullSecrets": [{"name": "registry-token"}],
    "rules": [{"resources": ["secrets", "serviceaccounts/token"], "verbs": ["get"]}],
    "image": "docker.io/library/nginx@sha256:" + "0a" * 32,
    "command": ["docker", "run", "-p", "80:80", "login"],
    "message": 'secrets "db-token" not found; use a bearer token',
}


@pytest.mark.parametrize("key", KEPT)
def test_names_of_secrets_stay(key: str) -> None:
    body = {"kind": "Thing", "spec": {key: KEPT[key]}}
    assert json.loads(normalized(on_things(requestObject=body)).row["requestObject"]) == body


@pytest.mark.parametrize("key", ["log", "message"])
def test_a_copy_of_the_line_is_dropped_and_changes_no_id(key: str) -> None:
    body = on_secrets(requestObject=secret_object("x"))
    beside = normalized({**body, key: json.dumps(body, indent=1)}).row
    assert "rest" not in beside
    assert beside["event.id"] == normalized(body).row["event.id"]


def test_a_line_of_another_event_is_kept() -> None:
    body = event("get", "pods")
    other = json.dumps({**body, "verb": "delete"})
    assert json.loads(normalized({**body, "log": other}).row["rest"])["log"] == other


def test_a_body_as_text_is_judged_like_the_object() -> None:
    """And has its id: the shipper's form makes no other event."""
    body = pod("", securityContext={"privileged": True})
    plain = normalized(on_pods(requestObject=body)).row
    text = normalized(on_pods(requestObject=json.dumps(body))).row
    assert text["pod.privileged"] == plain["pod.privileged"] is True
    assert text["event.id"] == plain["event.id"]


def test_what_is_opaque_keeps_its_length_and_digest() -> None:
    row = normalized(on_secrets(requestObject="neither JSON nor YAML")).row
    stored = json.loads(row["requestObject"])
    assert is_mark(stored)
    assert "21 bytes" in stored


def test_values_from_elsewhere_are_no_secrets() -> None:
    variables = [
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
        {"name": "MODE", "value": "quick"},
        {"name": "TOKEN_FILE", "value": ""},
    ]
    body = on_pods(requestObject=pod("", env=variables))
    stored = json.loads(normalized(body).row["requestObject"])
    assert stored["spec"]["containers"][0]["env"] == variables


@pytest.mark.parametrize(
    "text",
    [
        'Operation cannot be fulfilled on secrets "db-token": the object has been modified',
        "invalid bearer token",
        'RBAC: allowed by ClusterRoleBinding "token-reader" of ClusterRole "token-reader"',
        'secrets "password" not found',
        'pods "x" is forbidden: User "system:serviceaccount:a:token" cannot get resource',
    ],
)
def test_prose_about_secrets_stays(text: str) -> None:
    assert redact_message(text, quotes_secrets=True) == text
    assert not normalized(event(responseStatus={"code": 403, "message": text})).redacted


@pytest.mark.parametrize(
    "uri",
    [
        "/api/v1/namespaces/kube-system/serviceaccounts/x/token",
        "/api/v1/namespaces/a/secrets/db-password?limit=500",
        "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0&watch=true",
        "/apis/authentication.k8s.io/v1/tokenreviews?timeout=30s",
        "/api/v1/namespaces/x/pods/y/exec?command=cat&command=%2Fvar%2Frun%2Fsecrets%2Ftoken",
    ],
)
def test_uris_without_credentials_stay(uri: str) -> None:
    assert redact_uri(uri) is uri
    again = "".join(list(uri))
    assert redact_uri(again) is again, "what is remembered is another object"
    assert not normalized(event(requestURI=again)).redacted


@given(before=st.text(max_size=200), after=st.text(max_size=200))
def test_a_password_is_found_in_any_text(before: str, after: str) -> None:
    assert "Hunter2xyzzy" not in redact_text(f"{before} password=Hunter2xyzzy {after}")


PIECES = st.sampled_from(
    (" ", "+", "%20", "%2520", ":", "%3A", "=", "%3D", "%253D", "&", "&command=", '"', "'", "%22",
     "Bearer", "basic", "Authorization", "password", "token", "apiKey", "--password", "-p", "-u",
     "mysql", "curl", "x", "Hunter2", "https://", "bob", "@", "%40", "/", ",", ";", "\n", "{", "}",
     "eyJhbGciOiJI.eyJzdWIiOiIx.abc", "-----BEGIN PRIVATE KEY-----", "...|", "|...", "\\",
     "Invalid value: ")
)  # fmt: skip


@given(text=st.lists(PIECES, max_size=12).map("".join), quotes=st.booleans())
def test_what_was_redacted_is_redacted_no_further(text: str, quotes: bool) -> None:
    """A migrated event would get another id than the one that is shipped again, otherwise."""
    for redact in (redact_text, redact_uri, partial(redact_message, quotes_secrets=quotes)):
        once = redact(text)
        assert redact(once) == once


@pytest.mark.parametrize("place", PLACES)
def test_an_event_that_was_redacted_is_redacted_no_further(place: str) -> None:
    once = normalized(PLACES[place]("Hunter2xyzzy"))
    again = normalized(whole_event(once.row))
    assert again.values.id == once.values.id
    assert whole_event(again.row) == whole_event(once.row)


CREDENTIALS = (
    "-Ddb.Password={}", "apiKey={}", "token: {}", "--client-secret {}", "Authorization: Bearer {}",
    "https://bob:{}@example.com", '{{"password": "{}"}}', "mysql -uroot -p{}", "glpat-{}{}{}",
    "curl -u bob:{} http://x", "PASSWD={}", "x%3Ftoken%3D{}",
)  # fmt: skip


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("member", ["env", "args", "command", "lifecycle"])
def test_the_quick_test_lets_no_credential_of_a_container_pass(
    member: str, credential: str
) -> None:
    """A body that it passes over is stored as it is, so it may be no narrower than redaction."""
    secret = "Hunter2xyzzy"  # noqa: S105
    text = credential.replace("{}", secret) if "{{" not in credential else credential.format(secret)
    shell = ["sh", "-c", f"run {text}"]
    containers: dict[str, dict[str, Any]] = {
        "env": {"env": [{"name": "OPTIONS", "value": text}]},
        "args": {"args": ["run", text]},
        "command": {"command": shell},
        "lifecycle": {"lifecycle": {"preStop": {"exec": {"command": shell}}}},
    }
    assert secret not in stored_text(on_pods(requestObject=pod("", **containers[member])))
