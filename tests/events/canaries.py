"""Generator of events with a secret in them, and of the envelopes they come in.

A plant is an event, and every form in which its secret would still be a secret: as it is, in
Base64, and the packed text around it, if there is one.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import yaml
from hypothesis import strategies as st

from tests.building import event
from tests.events.normalize.test_redact_everywhere import (
    PLACES,
    exec_of,
    on_pods,
    on_secrets,
    on_things,
    pod,
    secret_object,
)

Event = dict[str, Any]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SECRETS = st.text(LETTERS, min_size=14, max_size=30).map(lambda text: f"Q7{text}9Z")
KEYS = st.sampled_from(
    ("spec", "x", "payload", "items", "original", "fields", "nested", "k8s", "body", "a.b/c", "0")
)


class Plant(NamedTuple):
    """An event with a secret.

    :param forms: texts that must be nowhere.
    """

    body: Event
    forms: tuple[str, ...]


def base64_forms(text: str) -> list[str]:
    """Return what Base64 has of a text wherever in the bytes it begins."""
    forms = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode()).decode().rstrip("=")
        forms.append(encoded[4 if before else 0 : -4])
    return forms


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


CARRIERS: dict[str, Callable[[Any], Any]] = {
    "object": lambda value: value,
    "JSON": json.dumps,
    "JSON, indented": lambda value: json.dumps(value, indent=2),
    "YAML": yaml.safe_dump,
    "Base64 of JSON": lambda value: b64(json.dumps(value).encode()),
    "Base64 of YAML": lambda value: b64(yaml.safe_dump(value).encode()),
    "Base64 of gzip": lambda value: b64(gzip.compress(json.dumps(value).encode(), mtime=0)),
    "Base64 of Base64": lambda value: b64(b64(json.dumps(value).encode()).encode()),
    "JSON in JSON": lambda value: json.dumps({"inner": json.dumps(value)}),
    "Base64 in JSON": lambda value: json.dumps({"inner": b64(json.dumps(value).encode())}),
    "percent-encoded": lambda value: quote(json.dumps(value)),
    "twice percent-encoded": lambda value: quote(quote(json.dumps(value))),
}
"""Forms in which an object is delivered."""

CREDENTIALS: tuple[str, ...] = (
    "password={}", "token: {}", "Authorization: Bearer {}", "--api-token {}", "apiKey={}",
    "https://bob:{}@example.com/x", '{{"client_secret": "{}"}}', "mysql -uroot -p{}",
    "curl -u bob:{} http://x", "export DB_PASSWORD={}; run", "X-Auth-Token: {}",
)  # fmt: skip


def nested(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = [value] if key == "0" else {key: value}
    return value


def _objects(secret: str, carrier: str, keys: list[str]) -> dict[str, Event]:
    """Return events that hold a Secret object in a carrier, below some keys."""
    value = CARRIERS[carrier](secret_object(secret))
    deep = nested(value, keys)
    text = value if isinstance(value, str) else json.dumps(value)
    operation = {"op": "add", "path": "/spec/x", "value": deep}
    return {
        "a body": on_secrets(requestObject=value),
        "a custom resource": on_things(requestObject={"kind": "Thing", "spec": {"x": deep}}),
        "an answer": on_things(responseObject={"kind": "ThingList", "items": [{"spec": deep}]}),
        "a JSON patch": on_things(requestObject=[operation]),
        "an unknown key": on_pods(shipped=deep),
        "an unknown key of a request for Secrets": on_secrets(requestBody=deep),
        "an annotation": event(annotations={"x": text}),
        "the user's extra": {**event(), "user": {"username": "a", "extra": {"x": [text]}}},
    }


def _texts(secret: str, form: str, encodings: int) -> dict[str, Event]:
    """Return events that hold a credential in a text."""
    text = form.format(secret)
    sent = text
    for _ in range(encodings):
        sent = quote(sent, safe="")
    words = [quote(word, safe="") for word in text.split(" ")]
    return {
        "a URI": event(requestURI=f"/api/v1/namespaces/x/services/y/proxy/z?q={sent or text}"),
        "a command": exec_of(quote(text, safe="")),
        "the words of a command": exec_of(*words),
        "a message": event(
            responseStatus={"code": 500, "message": f'it failed: password="{secret}"'}
        ),
        "a user agent": event(agent=f"tool/1 ({text})"),
        "a variable": on_pods(requestObject=pod(secret, env=[{"name": "X", "value": text}])),
        "an argument": on_pods(requestObject=pod(secret, args=["-c", text])),
        "an unknown key": on_pods(shipper={"note": text}),
        "a deep unknown key": on_pods(a={"b": [{"c": {"d": text}}]}),
    }


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    """Return an event with a secret in one of the places, known or made up."""
    secret = draw(SECRETS)
    forms = [secret, *base64_forms(secret)]
    source = draw(st.sampled_from(("known", "object", "text")))
    if source == "known":
        return Plant(PLACES[draw(st.sampled_from(sorted(PLACES)))](secret), tuple(forms))
    if source == "text":
        made = _texts(secret, draw(st.sampled_from(CREDENTIALS)), draw(st.integers(1, 2)))
        return Plant(made[draw(st.sampled_from(sorted(made)))], tuple(forms))
    carrier = draw(st.sampled_from(sorted(CARRIERS)))
    made = _objects(secret, carrier, draw(st.lists(KEYS, max_size=4)))
    carried = CARRIERS[carrier](secret_object(secret))
    if isinstance(carried, str) and carrier.startswith("Base64 of"):
        forms.append(carried)
    return Plant(made[draw(st.sampled_from(sorted(made)))], tuple(forms))


def _line(body: Event) -> str:
    return json.dumps(body)


ENVELOPES: dict[str, Callable[[Event], str]] = {
    "line": _line,
    "EventList": lambda body: json.dumps(
        {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [body]}
    ),
    "Docker": lambda body: json.dumps({"log": _line(body) + "\n", "stream": "stdout"}),
    "CRI": lambda body: f"2026-11-23T12:00:00.1Z stdout F {_line(body)}",
    "line kept": lambda body: json.dumps({**body, "log": _line(body)}),
    "Filebeat": lambda body: json.dumps({"json": body, "message": _line(body), "agent": {}}),
    "Splunk": lambda body: json.dumps({"event": _line(body), "sourcetype": "kube:audit"}),
    "CloudWatch": lambda body: json.dumps(
        {"logGroup": "/aws/eks/prod/cluster", "logEvents": [{"id": "1", "message": _line(body)}]}
    ),
    "awslogs": lambda body: json.dumps(
        {"awslogs": {"data": b64(gzip.compress(ENVELOPES["CloudWatch"](body).encode(), mtime=0))}}
    ),
    "AKS": lambda body: json.dumps(
        {"category": "kube-audit", "properties": {"log": _line(body), "stream": "stderr"}}
    ),
    "made up": lambda body: json.dumps({"a": {"b": [{"c": _line(body)}]}, "raw": _line(body)}),
    "in Base64": lambda body: json.dumps({"data": b64(_line(body).encode())}),
}
