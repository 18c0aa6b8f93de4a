"""The native core gives what the reference gives, or leaves the event to it."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.backends.embedded.storage.columns import ID, arrow_type, to_table
from k8sidx.backends.embedded.storage.core_columns import core_table, expanded
from k8sidx.errors import UsageError
from k8sidx.events import core
from k8sidx.events.core import VARIABLE, CoreReader, Rows, choice
from k8sidx.events.decode.decode import decode
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.events.normalize.redact import redact_json
from k8sidx.events.normalize.redact_hints import (
    BODY_HINTS,
    KIND_HINTS,
    REDACTED_KINDS,
    has_other_applied,
    is_suspect,
)
from k8sidx.events.normalize.redact_kinds import KIND_OF_RESOURCE
from k8sidx.events.normalize.redact_names import LABEL_NAMES, VALUE_NAMES
from k8sidx.events.normalize.redact_walk import READ_BY_NAME
from k8sidx.events.records import Chunk, Context, Event
from tests.building import event, normalized
from tests.events.normalize.secret_places import MEMBERS, NOT_SECRET, b64, thing
from tests.events.normalize.test_redact_everywhere import PLACES

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
DEMO = ROOT / "demo" / "audit.ndjson.zst"


def is_there() -> bool:
    try:
        CoreReader()
    except RuntimeError:
        return False
    return True


needs_core = pytest.mark.skipif(not is_there(), reason="the native core is not installed")


def test_the_core_is_there_where_cargo_is_and_ci_runs() -> None:
    if os.environ.get("CI") == "true" and shutil.which("cargo"):
        assert is_there()


def test_the_environment_chooses_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "python")
    assert choice() == ("python", "K8SIDX_CORE=python")
    monkeypatch.setenv(VARIABLE, "fast")
    with pytest.raises(UsageError, match="not a known core"):
        choice()
    monkeypatch.delenv(VARIABLE)
    assert choice().name == ("native" if is_there() else "python")


@cache
def normalizer(**options: Any) -> Normalizer:
    return Normalizer(**options)


def reference(line: bytes, **options: Any) -> list[Normalized]:
    """The events of a line in Python."""
    normalize = normalizer(**options).normalize
    return [
        normalize(record.audit, record.rest, record.context, record.size)
        for record in decode(Chunk("s", 1, line))
        if isinstance(record, Event)
    ]


def in_columns(rows: Rows) -> pa.Table:
    (table,) = expanded([core_table(rows)])
    return table


def assert_equal(made: pa.Table, expected: pa.Table) -> None:
    assert made.column_names == expected.column_names
    made, expected = (table.take(pc.sort_indices(table[ID])) for table in (made, expected))
    for name in expected.column_names:
        kind = arrow_type(BY_NAME[name])
        one, other = (table[name].cast(kind).combine_chunks() for table in (made, expected))
        assert one.equals(other), (name, one.to_pylist(), other.to_pylist())


def assert_same(lines: list[bytes], *, cluster: str = "", bodies: bool = True) -> Rows:
    """Compare the plain lines with the reference, in all columns; return what the core made."""
    rows = CoreReader(bodies=bodies).read_lines(b"\n".join(lines), Context(cluster=cluster))
    odd = set(rows.odd)
    plain = [line for number, line in enumerate(lines) if number not in odd and line]
    expected = [one for line in plain for one in reference(line, cluster=cluster, bodies=bodies)]
    assert rows.count == len(plain) == len(expected)
    assert rows.redacted == sum(one.redacted for one in expected)
    if expected:
        assert_equal(in_columns(rows), to_table(expected))
    return rows


def demo() -> list[bytes]:
    with DEMO.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()


@needs_core
@pytest.mark.parametrize("bodies", [True, False])
def test_the_core_gives_the_same_ids_and_columns_for_the_demo(
    bodies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr(core, "redact_json", count_unchanged(left))
    lines = demo()[:: 1 if bodies else 7]
    rows = assert_same(lines, bodies=bodies, cluster="demo")
    assert len(rows.odd) <= 0.01 * len(lines)
    assert len(left) <= 0.001 * len(lines), "the core leaves bodies to Python that hold no secret"


def count_unchanged(left: list[str]) -> Callable[[bytes, str, bool], bytes]:
    def redact(body: bytes, target: str, embedding: bool) -> bytes:
        redacted = redact_json(body, target, embedding)
        if redacted is body and target not in KIND_OF_RESOURCE:
            left.append(target)
        return redacted

    return redact


def recorded() -> list[bytes]:
    """Lines of the recorded logs beside the checkout that may be events."""
    return [
        line
        for path in sorted(SHARED.rglob("*"))
        if path.suffix in (".log", ".json", ".ndjson", ".jsonl") and path.is_file()
        for line in path.read_bytes().splitlines()
        if b'"audit.k8s.io/v1"' in line
    ]


@needs_core
def test_the_core_gives_the_same_for_real_events() -> None:
    if not SHARED.is_dir():
        pytest.skip("the recorded events are not beside the checkout")
    lines = recorded()
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    assert_same(without_rejects(chance.sample(lines, min(len(lines), 3000))))


def without_rejects(lines: Iterable[bytes]) -> list[bytes]:
    return [line for line in lines if line.strip() and len(reference_or_none(line)) == 1]


def reference_or_none(line: bytes) -> list[Normalized]:
    try:
        return reference(line)
    except Exception:  # noqa: BLE001 - such a line must not be plain either
        return []


SECRET = {"kind": "Secret", "data": {"p": "eA=="}, "metadata": {"name": "s"}}
LAST = {"kubectl.kubernetes.io/last-applied-configuration": '{"kind":"Secret","data":{"p":"x"}}'}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/c"
EVENTS = [
    event(),
    event("create", "secrets", requestObject=SECRET),
    event("create", "configmaps", requestObject={"kind": "ConfigMap", "data": {"password": "x"}}),
    event("patch", "deployments", requestObject=[{"op": "add", "path": "/spec", "value": 1}]),
    event("create", "pods", requestObject={"spec": {"containers": [
        {"name": "c", "env": [{"name": "PASSWORD", "value": "x"}], "command": ["sh", "id"]}]}}),
    event("create", "deployments", requestObject={"spec": {"template": {
        "metadata": {"annotations": {APPARMOR: "unconfined"}},
        "spec": {"hostNetwork": True, "serviceAccountName": "sa", "nodeName": "n", "hostPID": 1,
            "tolerations": [{"operator": "Exists", "key": None}],
            "securityContext": {"runAsUser": 0, "seccompProfile": {"type": "Unconfined"}},
            "initContainers": [{"name": "i", "image": "r:5000/A/b:1@sha256:0", "command": ["a", 1],
                "args": ["é"], "securityContext": {"privileged": True, "procMount": "Unmasked",
                    "allowPrivilegeEscalation": True, "capabilities": {"add": ["cap_sys_admin"]}}}],
            "containers": [{"name": "c", "image": "b"}, 5]}}}}),
    event("create", "pods", requestObject={"metadata": {"generateName": "web--", "annotations": {
        "kubernetes.io/config.mirror": "x"}}, "spec": {"hostIPC": True, "hostPID": True,
        "priorityClassName": "p",
        "containers": [{"name": "c", "ports": [{"hostPort": 80}, {"hostPort": 0}, {"hostPort": 80},
            {"hostPort": True}]}], "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
        "volumes": [{"name": "v", "emptyDir": {}}]}}),
    event("create", "pods", requestObject={"spec": {"volumes": [
        {"hostPath": {"path": "//etc/."}}]}}),
    event("create", "pods", requestObject={}, responseObject={"metadata": {"name": "x",
        "labels": {"pod-template-hash": "h"}, "ownerReferences": [{"kind": "Node", "name": "no"},
            {"controller": True, "kind": "ReplicaSet", "name": "web-5d4"}]}}),
    event("create", "pods", requestObject={"metadata": {"name": "web-5d4-x", "labels": {
        "pod-template-hash": "5d4"}, "ownerReferences": [{"kind": "Node", "name": "no"},
            {"controller": True, "kind": "ReplicaSet", "name": "web-5d4"}]}, "spec": {}}),
    event("create", "jobs", name="nightly-29384756", requestObject={"spec": {"template": {}}}),
    event("create", "cronjobs", requestObject={"spec": {"jobTemplate": {"spec": {"template": {
        "spec": {"containers": [{"image": "É:1", "command": ["x", "--password", "hunter2"]}]}}}}}}),
    event("patch", "pods", requestObject={"spec": {"containers": [{"securityContext": {
        "runAsNonRoot": False, "capabilities": {"add": ["NET_RAW", "CAP_NET_RAW"]}}}]},
        "metadata": {"annotations": LAST}}),
    event("create", "pods", requestObject={"spec": {"containers": [
        {"image": f"i{number}", "name": f"c{number}"} for number in range(70)]}}),
    event("create", "pods", requestObject={"spec": {"volumes": [{"gitRepo": {"repository": "r"}}],
        "shareProcessNamespace": True, "containers": [{"securityContext": {
            "windowsOptions": {"hostProcess": True}}}]}}),
    event("create", "pods", requestObject={"spec": {"securityContext": {"sysctls": [
        {"name": "kernel.msgmax", "value": "1"}], "windowsOptions": {"hostProcess": True}}}}),
    event("create", "pods", requestObject={"metadata": {"labels": {
        "argocd.argoproj.io/instance": "x"}}, "spec": {"hostUsers": False, "containers": [
            {"stdin": True, "tty": True, "image": "a"}]}}),
    event("create", "pods", requestObject={"metadata": {"annotations": {
        "alpha.image-policy.k8s.io/break-glass": "true"}}, "spec": {"containers": [{}]}}),
    event("create", "deployments", requestObject={"spec": {"template": {
        "metadata": {"annotations": {"helm.toolkit.fluxcd.io/name": "x"}}, "spec": {"volumes": [
            {"name": "v", "image": {"reference": "evil.example/a:1"}}]}}}}),
    event("create", "workflows", requestObject={"spec": {"hostPID": True, "templates": [
        {"container": {"image": "a", "securityContext": {"privileged": True}}}]}}),
    event("patch", "nodes", requestObject={"spec": {"taints": None}}),
    event("create", "networkpolicies", requestObject={"spec": {"ingress": [{}]}}),
    event("create", "serviceaccounts", subresource="token", requestObject={
        "spec": {"expirationSeconds": 999999}}),
    event("create", "serviceaccounts", requestObject={"metadata": {"annotations": {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}}),
    event("create", "ingresses", requestObject={"metadata": {"annotations": {
        "nginx.ingress.kubernetes.io/configuration-snippet": "lua"}}}),
    event("create", "subjectaccessreviews", requestObject={"spec": {"user": "eve",
        "resourceAttributes": {"verb": "get", "resource": "secrets"}}}),
    event("create", "serviceaccounts", subresource="token", responseObject={"kind": "TokenRequest",
        "metadata": {"name": "made"}, "status": {"token": "hunter2"}}),
    event("update", "services", requestObject={"kind": "Service", "metadata": {
        "name": "é\n", "annotations": LAST}}),
    event("create", "things", requestObject={"b": SECRET, "text": json.dumps(SECRET)}),
    event("create", "rolebindings", requestObject={"roleRef": {"kind": "Role", "name": "admin"},
        "subjects": [{"kind": "User", "name": "eve"}]}),
    event(requestURI="/api/v1/secrets?token=eyJhbGciOi&limit=5"),
    event(requestURI="/api/v1/namespaces/shop/pods?dryRun=All"),
    event(objectRef=None, requestURI="/healthz"),
    event(objectRef=None, requestURI="/api/v1/secrets"),
    event(objectRef=None, requestURI="?x"),
    *(event("get", subresource="log", requestURI=f"/x?{query}") for query in (
        "container=web&tailLines=5", "container=&follow=true", "follow=true", "container=a+b",
        "follow=true&container=a&container=b", "%63ontainer=x", "container=x&command=id",
        "container=" + "x" * 3000, "container=x&dryRun=All")),
    event("create", subresource="log", requestURI="/x?container=web", requestObject={
        "kind": "PodLogOptions", "dryRun": ["All"]}),
    event("get", subresource="exec", requestURI="/x?command=cat&command=/etc/shadow"),
    event(userAgent="curl/8 password=hunter2"),
    event(userAgent="x" * 9000),
    event(name="n" * 400),
    event(stageTimestamp="2026-11-23T20:27:30Z"),
    event(stageTimestamp=None),
    event(annotations={"audit.k8s.io/truncated": "true"}),
    event(annotations={"authorization.k8s.io/decision": "forbid"}),
    event(responseStatus={"code": 409, "message": 'quota "x" exceeded', "reason": "Conflict"}),
    *(event(responseStatus=status) for status in (
        {"status": "Failure"}, {"status": "Failure", "reason": "Forbidden"}, {"code": 7},
        {"status": "Success"}, {"code": 50}, {})),
    event(responseStatus={"code": 200}, annotations={"authorization.k8s.io/decision": "forbid"}),
    event(extra_key=1, verb="odd"),
    event(requestObject={"number": 1.5}),
    event(requestObject={"metadata": {"name": 5}, "status": {"reason": "r"}}),
    event(responseObject={"metadata": {"name": "made", "uid": "u"}, "status": {"reason": "r"}}),
    event(requestObject="text"),
]  # fmt: skip


def test_every_field_of_pods_is_in_one_of_the_events() -> None:
    """Hence a field that only the reference makes is noticed."""
    made = {name for body in EVENTS for name in normalized(body).row}
    assert {name for name in BY_NAME if name.startswith("pod.")} <= made


@needs_core
@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_the_core_gives_the_same_or_leaves_it(number: int) -> None:
    body = EVENTS[number]
    compact = json.dumps(body, separators=(",", ":")).encode()
    for line in (compact, json.dumps(body, ensure_ascii=False).encode(), b" " + compact + b"\r"):
        assert_same([line])


@needs_core
def test_secrets_are_in_no_column() -> None:
    lines = [json.dumps(body).encode() for body in EVENTS]
    rows = CoreReader().read_lines(b"\n".join(lines), Context())
    text = repr(in_columns(rows).to_pylist())
    assert "hunter2" not in text and "eA==" not in text and '\\"p\\":\\"x\\"' not in text


@needs_core
def test_a_key_that_stands_line_by_line_in_a_list_is_masked() -> None:
    """No line by itself says so."""
    lines = ["key: -----BEGIN rsa PRIVATE KEY-----", "hunter2Xyzzy", "end -----END rsa"]
    rows = assert_same([json.dumps(thing({"x": lines})).encode()])
    assert "hunter2Xyzzy" not in repr(in_columns(rows).to_pylist())


@needs_core
def test_secrets_that_a_name_marks_are_the_same_or_left() -> None:
    lines = [json.dumps(make("hunter2Xyzzy")).encode() for make in PLACES.values()]
    rows = assert_same([*lines, *(json.dumps(thing(spec)).encode() for spec in NOT_SECRET)])
    assert "hunter2Xyzzy" not in repr(in_columns(rows).to_pylist())


def mutated(line: bytes, chance: random.Random) -> bytes:
    """The line with one damage: a byte changed, a piece cut, doubled or replaced."""
    at = chance.randrange(len(line))
    to = min(len(line), at + chance.randrange(1, 40))
    return chance.choice(
        [
            line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :],
            line[:at],
            line[:at] + line[to:],
            line[:to] + line[at:],
            line[:at] + b"\\u0000" + line[at:],
            line[:at] + b"\\ud800" + line[at:],
            line[:at]
            + chance.choice([b"1.0", b"1e400", b"-0", b"null", b"\0", b"9" * 25])
            + line[to:],
            line.replace(b'"verb":', b'"verb":"x","verb":', 1),
            line.replace(b'"kind":', b'"k\\u0069nd":', 1 + chance.randrange(3)),
            line.replace(b":{", b":" + b'{"a":' * 300 + b"{", 1),
        ]
    )


@needs_core
def test_a_damaged_event_is_the_same_or_left_to_the_reference() -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    lines = [json.dumps(body, separators=(",", ":")).encode() for body in EVENTS]
    lines += chance.sample(demo(), 150)
    assert_damaged_same(lines, chance, 1500)


def assert_damaged_same(lines: list[bytes], chance: random.Random, count: int) -> None:
    damaged = [mutated(chance.choice(lines), chance).replace(b"\n", b" ") for _ in range(count)]
    rows = CoreReader().read_lines(b"\n".join(damaged), Context())
    odd = set(rows.odd)
    plain = [line for number, line in enumerate(damaged) if line and number not in odd]
    assert rows.count == len(plain)
    expected = []
    for line in plain:
        (one,) = reference(line)
        expected.append(one)
    if expected:
        assert_equal(in_columns(rows), to_table(expected))


@given(st.recursive(
    st.sampled_from(["Secret", "kind", "env", "name", "token=x", "a@b", "apiKey", "token: x",
                     "last-applied-configuration", "com/last-applied", "\\", '"',
                     "/env/x/value", "HelmRelease", "é"]),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "env", "args", "command", "name", "value", "metadata", "x",
                         "password", "clientSecret", "TOKEN", "secretName", "userData"]),
        child, max_size=3),
    max_leaves=8))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_body_without_a_hint_is_not_suspect(value: Any) -> None:
    """The core asks about bodies with a hint only."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    for embedding in (False, True):
        looks_further = embedding or b"\\" in body
        hints = (*BODY_HINTS, *KIND_HINTS) if looks_further else BODY_HINTS
        has_hint = not body.isascii() or any(hint.lower() in body.lower() for hint in hints)
        if not has_hint and not has_other_applied(body):
            assert not is_suspect(body, embedding)


SECRET_OBJECT = {"kind": "Secret", "data": {"p": "eA=="}}
NAMES = st.sampled_from([
    *MEMBERS, *READ_BY_NAME, *VALUE_NAMES, *LABEL_NAMES, "kind", "op", "path", "items", "object",
    "metadata", "annotations", "spec", "template", "fieldsV1", "status", "details", "causes",
    "message", "operator", "secretName", "imagePullSecrets", "serviceAccountToken", "userData",
    "stringData", "basicAuth", "f:token", 'k:{"name":"TOKEN"}', "to\u212aen", "passwörd", "x", "",
])  # fmt: skip
"""Names that redaction looks at, and others."""
TEXTS = st.sampled_from([
    *REDACTED_KINDS.split("|"), "SecretList", "Status", "Pod", "TOKEN", "DB_PASSWORD", "x", "",
    "2026-11-23T20:27:30Z", "deadbeef-0123", "true", "$(TOKEN)", "user:hunter2",
    b64("user:hunter2"),
    "password: hunter2", "PASSWORD=hunter22", "a: 1\nclientSecret: hunter2", "--password hunter2",
    "--token", "-p", "hunter2", "mysql -uroot -phunter2", "-u", "user:pw@tcp(db)/x",
    "https://user:hunter2@example.com", "Bearer hunter2hunter2", "eyJhbGciOi.eyJzdWIiOj.c2ln",
    f"ghp_{'a' * 36}", "-----BEGIN PRIVATE KEY-----\nx", "...|x|...", "/env/0/value", "/spec/args",
    json.dumps(SECRET_OBJECT), b64(json.dumps(SECRET_OBJECT)), "kind: Secret\ndata:\n  p: eA==\n",
    "kind%22:%22Secret", "[redacted by k8sidx]", "[redacted", "to\u212aen: hunter2", "naïve", '"',
    "<password>hunter2</password>", "a=b", "x" * 3000,
])  # fmt: skip
"""Texts that redaction replaces, wherever they stand or by what stands beside them, and others."""
VALUES = st.recursive(
    TEXTS | st.sampled_from([1, True, None]),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(NAMES, child, max_size=4),
    max_leaves=8,
)
BODIES = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


@cache
def reader() -> CoreReader:
    """One for all examples: what it remembers of earlier ones must not make it err."""
    return CoreReader()


@needs_core
@given(st.lists(st.tuples(BODIES, st.sampled_from(["pods", "things", "services"])), max_size=6))
@settings(max_examples=150, deadline=None)
def test_bodies_of_any_members_and_texts_are_redacted_the_same(
    bodies: list[tuple[dict[str, Any], str]],
) -> None:
    """What the core judges to hold no secret is what the reference leaves as it is."""
    lines = [
        json.dumps(event("update", resource, responseObject=body), ensure_ascii=number % 2 == 0)
        for number, (body, resource) in enumerate(bodies)
    ]
    data = "\n".join(lines).encode()
    rows = reader().read_lines(data, Context())
    odd = set(rows.odd)
    plain = [line.encode() for number, line in enumerate(lines) if number not in odd]
    expected = b"".join(one.values.id for line in plain for one in reference(line))
    assert rows.columns["ids"] == expected
