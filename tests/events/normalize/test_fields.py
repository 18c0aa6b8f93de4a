"""Given an event, these fields come out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.building import event, row


def values(body: dict[str, Any], *names: str) -> list[Any]:
    fields = row(body)
    return [fields.get(name) for name in names]


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ("alice", "human"),
        ("alice@example.com", "human"),
        ("masterclient", "human"),
        ("system:serviceaccount:shop:cart", "serviceaccount"),
        ("build@project.iam.gserviceaccount.com", "serviceaccount"),
        ("system:node:node-1", "node"),
        ("system:kube-scheduler", "control-plane"),
        ("aksService", "control-plane"),
        ("system:anonymous", "anonymous"),
        ("", "unknown"),
    ],
)
def test_kind_of_user(user: str, kind: str) -> None:
    assert row(event(user=user))["user.kind"] == kind


def test_a_401_has_no_user_and_still_an_outcome() -> None:
    refused = event(stage="ResponseStarted", code=401)
    refused["user"] = {}
    del refused["annotations"]
    assert values(refused, "user.kind", "event.outcome", "user.effective.name") == [
        "unknown",
        "failure",
        None,
    ]


@pytest.mark.parametrize(
    ("code", "decision", "outcome"),
    [
        (200, "allow", "success"),
        (101, "allow", "success"),
        (304, "allow", "success"),
        (403, "forbid", "failure"),
        (403, "allow", "failure"),
        (500, "allow", "failure"),
        (200, "forbid", "failure"),
    ],
)
def test_outcome(code: int, decision: str, outcome: str) -> None:
    assert row(event(code=code, decision=decision))["event.outcome"] == outcome


def test_outcome_of_a_request_that_is_not_answered_yet_is_unknown() -> None:
    received = event(stage="RequestReceived", responseStatus=None, annotations=None)
    assert row(received)["event.outcome"] == "unknown"


@pytest.mark.parametrize(
    ("user", "namespace", "account"),
    [
        ("system:serviceaccount:kube-system:coredns", "kube-system", "coredns"),
        ("system:serviceaccount:a:b.c-1", "a", "b.c-1"),
        ("system:node:node-1.example.com", None, "node-1.example.com"),
        ("alice", None, "alice"),
        ("system:kube-scheduler", None, "system:kube-scheduler"),
        # Names that Kubernetes never makes are whole: what follows the prefix may be anybody's.
        ("system:serviceaccount:a", None, "system:serviceaccount:a"),
        ("system:serviceaccount:a:b:c", None, "system:serviceaccount:a:b:c"),
        ("system:serviceaccount:a:b\n", None, "system:serviceaccount:a:b\n"),
        ("system:serviceaccount:A:admin", None, "system:serviceaccount:A:admin"),
        ("system:node:", None, "system:node:"),
    ],
)
def test_a_user_name_is_split_where_kubernetes_makes_it(
    user: str, namespace: str | None, account: str
) -> None:
    parts = ("user.effective.namespace", "user.effective.account")
    assert values(event(user=user), *parts) == [namespace, account]
    assert values(event(impersonatedUser={"username": user}), *parts) == [namespace, account]


def test_with_impersonation_the_person_is_the_effective_user() -> None:
    impersonating = event(
        user="rancher", impersonatedUser={"username": "bob", "groups": ["developers"]}
    )
    assert values(
        impersonating, "user.username", "user.effective.name", "user.effective.groups", "message"
    ) == ["rancher", "bob", ["developers"], "bob (through rancher) get pods in shop: 200"]


@pytest.mark.parametrize(
    ("addresses", "claimed", "seen", "forwarded"),
    [
        (["10.0.0.7"], "10.0.0.7", "10.0.0.7", None),
        (["203.0.113.9", "10.0.0.7"], "203.0.113.9", "10.0.0.7", True),
        (["unknown", "::ffff:1.2.3.4", "10.0.0.7"], None, "10.0.0.7", True),
        (["fe80::1%eth0"], "fe80::1", "fe80::1", None),
    ],
)
def test_address_claimed_and_seen(
    addresses: list[str], claimed: str | None, seen: str, forwarded: bool | None
) -> None:
    body = event(source=addresses)
    assert values(body, "source.claimed_ip", "source.ip", "source.forwarded", "sourceIPs") == [
        claimed,
        seen,
        forwarded,
        addresses,
    ]


@pytest.mark.parametrize(
    ("agent", "name", "version"),
    [
        ("kubectl/v1.37.2 (linux/amd64) kubernetes/0000000", "kubectl", "v1.37.2"),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML) OpenLens/6.5.2 Chrome/102", "OpenLens",
         "6.5.2"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla", "5.0"),
        ("curl", "curl", None),
        ("(((", "(((", None),
    ],
)  # fmt: skip
def test_product_of_the_user_agent(agent: str, name: str, version: str | None) -> None:
    assert values(event(agent=agent), "user_agent.name", "user_agent.version") == [name, version]


def test_command_and_container_of_exec_come_from_the_uri() -> None:
    body = event("get", name="web-0", subresource="exec", code=101)
    body["requestURI"] += "?command=sh&command=-c&command=cat+%2Fetc%2Fshadow&container=web&stdin=1"
    assert values(
        body, "exec.command", "exec.command_line", "exec.container", "target.resource"
    ) == [["sh", "-c", "cat /etc/shadow"], "sh -c cat /etc/shadow", "web", "pods/exec"]


@pytest.mark.parametrize(
    ("query", "dry"),
    [
        ("dryRun=All", True),
        ("fieldManager=x&dryRun=All", True),
        ("xdryRun=All", None),
        ("fieldManager=dryRun=All", None),
        ("dryRun=Alles", None),
        ("dryRun=", None),
    ],
)
def test_a_dry_run_is_what_the_api_server_takes_for_one(query: str, dry: bool | None) -> None:
    body = event("create")
    body["requestURI"] += f"?{query}"
    assert row(body).get("request.dry_run") is dry


@pytest.mark.parametrize(
    ("level", "options", "query", "dry"),
    [
        ("Request", {"kind": "DeleteOptions", "dryRun": ["All"]}, "", True),
        ("Request", {"kind": "DeleteOptions"}, "?dryRun=All", None),
        ("Request", None, "?dryRun=All", True),
        ("Metadata", None, "?dryRun=All", None),
    ],
)
def test_a_deletion_is_a_dry_run_by_its_body_where_it_has_one(
    level: str, options: Any, query: str, dry: bool | None
) -> None:
    body = event("delete", name="web", level=level, requestObject=options)
    body["requestURI"] += query
    assert row(body).get("request.dry_run") is dry


def test_the_path_of_a_request_for_no_resource_is_decoded() -> None:
    body = event(objectRef=None, requestURI="/%68ealthz?verbose")
    assert values(body, "url.path", "target.resource") == ["/healthz", None]


def test_the_core_group_can_be_grouped_by() -> None:
    apps = event(objectRef={"resource": "deployments", "apiGroup": "apps"})
    assert row(event())["objectRef.apiGroup"] == "core"
    assert row(apps)["objectRef.apiGroup"] == "apps"


def test_duration_is_in_nanoseconds_and_the_time_is_the_stage() -> None:
    fields = row(event())
    assert fields["event.duration"] == 2_000_000
    assert fields["@timestamp"] == fields["stageTimestamp"]


@pytest.mark.parametrize(
    ("stamp", "micros"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("2026-11-23T12:00:00", 1795435200_000000),
        ("2026-11-23T14:00:00+02:00", 1795435200_000000),
        ("2026-11-23T12:00:00.123456789Z", 1795435200_123456),
        ("yesterday", None),
        ("", None),
        (17, None),
    ],
)
def test_odd_timestamps(stamp: Any, micros: int | None) -> None:
    body = event(stageTimestamp=stamp, requestReceivedTimestamp=None)
    assert row(body).get("@timestamp") == micros


def test_a_generated_name_is_the_answers() -> None:
    body = event("create", responseObject={"kind": "Pod", "metadata": {"name": "job-x7f2p"}})
    assert row(body)["target.name"] == "job-x7f2p"


PRIVILEGED = {
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "serviceAccountName": "builder",
    "securityContext": {"runAsUser": 0},
    "volumes": [{"name": "r", "hostPath": {"path": "/"}}, {"name": "e", "emptyDir": {}}],
    "initContainers": [
        {"name": "init", "image": "busybox", "securityContext": {"privileged": True}}
    ],
    "containers": [
        {
            "name": "web",
            "image": "nginx",
            "command": ["sh"],
            "args": ["-c", "id"],
            "securityContext": {
                "capabilities": {"add": ["SYS_ADMIN", "CAP_NET_RAW"]},
                "allowPrivilegeEscalation": True,
            },
        }
    ],
}
POD_FIELDS = {
    "pod.privileged": True,
    "pod.host_network": True,
    "pod.host_pid": True,
    "pod.host_ipc": True,
    "pod.allow_privilege_escalation": True,
    "pod.run_as_root": True,
    "pod.host_paths": ["/"],
    "pod.capabilities": ["SYS_ADMIN", "NET_RAW"],
    "pod.images": ["nginx", "busybox"],
    "pod.containers": ["web", "init"],
    "pod.commands": ["sh -c id"],
    "pod.service_account": "builder",
}


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("pods", {"spec": PRIVILEGED}),
        ("deployments", {"spec": {"template": {"spec": PRIVILEGED}}}),
        ("podtemplates", {"template": {"spec": PRIVILEGED}}),
        ("cronjobs", {"spec": {"jobTemplate": {"spec": {"template": {"spec": PRIVILEGED}}}}}),
    ],
)
def test_what_matters_of_a_pod_or_its_template(resource: str, body: dict[str, Any]) -> None:
    fields = row(event("create", resource, requestObject=body))
    assert {name: fields.get(name) for name in POD_FIELDS} == POD_FIELDS


def test_a_json_patch_of_a_pod_is_judged_by_the_pod_as_it_became() -> None:
    fields = row(
        event(
            "patch",
            requestObject=[{"op": "add", "path": "/spec/hostNetwork", "value": True}],
            responseObject={"kind": "Pod", "spec": PRIVILEGED},
        )
    )
    assert fields["pod.host_network"] is True


def test_a_pods_owner_is_its_controller() -> None:
    owners = [{"kind": "Other"}, {"kind": "ReplicaSet", "controller": True}]
    body = {"metadata": {"ownerReferences": owners}, "spec": PRIVILEGED}
    assert row(event("create", requestObject=body))["pod.owner_kind"] == "ReplicaSet"


def test_a_status_update_of_a_pod_is_no_statement_about_the_pod() -> None:
    fields = row(event("patch", subresource="status", requestObject={"spec": PRIVILEGED}))
    assert not [name for name in fields if name.startswith("pod.")]


BINDING = {
    "kind": "ClusterRoleBinding",
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [
        {"kind": "User", "name": "mallory"},
        {"kind": "ServiceAccount", "namespace": "shop", "name": "cart"},
    ],
}


def test_role_and_subjects_of_a_binding() -> None:
    body = event("create", "clusterrolebindings", requestObject=BINDING)
    assert values(
        body,
        "rbac.role",
        "rbac.subjects",
        "requestObject.roleRef.name",
        "requestObject.subjects.name",
        "requestObject.subjects.namespace",
    ) == [
        "cluster-admin",
        ["User//mallory", "ServiceAccount/shop/cart"],
        "cluster-admin",
        ["mallory", "cart"],
        ["", "shop"],
    ]


def test_rules_of_a_role_keep_verb_and_resource_together() -> None:
    rules = [
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"]},
        {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["deployments"]},
        {"verbs": ["get"], "nonResourceURLs": ["/metrics"]},
    ]
    fields = row(event("create", "clusterroles", requestObject={"rules": rules}))
    assert fields["rbac.verbs"] == ["get", "list", "*"]
    assert fields["rbac.resources"] == ["secrets", "deployments"]
    assert fields["rbac.rules"] == [
        "get:core/secrets",
        "list:core/secrets",
        "*:apps/deployments",
        "get:/metrics",
    ]


def test_a_role_with_a_million_pairs_is_bounded() -> None:
    rule = {"verbs": [f"v{i}" for i in range(1000)], "resources": [f"r{i}" for i in range(1000)]}
    fields = row(event("create", "roles", requestObject={"rules": [rule]}))
    assert len(fields["rbac.rules"]) == 1000


def certificate_request() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "mallory"),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


def test_subject_of_a_certificate_request() -> None:
    spec = {
        "request": certificate_request(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    body = event("create", "certificatesigningrequests", requestObject={"spec": spec})
    assert values(body, "csr.subject", "csr.signer_name", "csr.usages") == [
        "CN=mallory,O=system:masters",
        "kubernetes.io/kube-apiserver-client",
        ["client auth"],
    ]


@pytest.mark.parametrize("request_text", ["", "not base64!", "QUJD", 17, None])
def test_a_certificate_request_that_cannot_be_read_has_no_subject(request_text: Any) -> None:
    spec = {"request": request_text}
    body = event("create", "certificatesigningrequests", requestObject={"spec": spec})
    assert "csr.subject" not in row(body)


@pytest.mark.parametrize(
    "cut",
    [
        event(annotations={"audit.k8s.io/truncated": "true"}),
        event(requestObject="skipped-too-big-size-object"),
    ],
)
def test_cut_bodies_are_marked(cut: dict[str, Any]) -> None:
    assert row(cut)["event.truncated"] is True


def test_an_eks_event_is_known_by_its_user() -> None:
    body = event()
    body["user"]["extra"] = {"arn": ["arn:aws:sts::111122223333:assumed-role/dev/alice"]}
    assert values(body, "event.provider", "user.extra.arn") == [
        "eks",
        "arn:aws:sts::111122223333:assumed-role/dev/alice",
    ]


def test_the_size_is_that_of_the_events_json() -> None:
    body = event()
    assert row(body)["event.bytes"] == len(json.dumps(body, separators=(",", ":")))
