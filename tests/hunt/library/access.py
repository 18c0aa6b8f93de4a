"""Who asks, from where and with what: clients, anonymous requests, refusals, identities."""

from __future__ import annotations

from tests.building import event
from tests.hunt.library.cases import burst, pair, usual

ACCOUNT = "system:serviceaccount:shop:cart"
CONTROLLER = "system:serviceaccount:kube-system:deployment-controller"
NODE = "system:node:node-1"
ANONYMOUS = "system:anonymous"
PRIVATE, OUTSIDE = "10.0.0.7", "198.51.100.9"
CURL = "curl/8.5.0"
OWN = "cart/v1.4.0 (linux/amd64) kubernetes/0000000"
MANAGER = "system:kube-controller-manager"
KUBELET = "kubelet/v1.37.2 (linux/amd64) kubernetes/0000000"
ROOT = {"username": "root", "groups": ["system:masters"]}
ALICE = {"username": "alice", "groups": ["shop-devs"]}


def health(path: str, **more: object) -> dict[str, object]:
    return event(user=ANONYMOUS, objectRef=None, requestURI=path, **more)  # type: ignore[arg-type]


def workload(name: str) -> dict[str, list[str] | str]:
    return {"username": name, "groups": ["system:serviceaccounts", "system:authenticated"]}


MESSAGE = 'users "root" is forbidden: User "eve" cannot impersonate resource "users"'
HELD = "attempting to grant RBAC permissions not currently held"


def refused(message: str) -> dict[str, object]:
    return {"metadata": {}, "code": 403, "reason": "Forbidden", "message": message}


PROXY = "system:serviceaccount:kube-oidc-proxy:kube-oidc-proxy"
CREDENTIAL = "authentication.kubernetes.io/credential-id"
ISSUED = "authentication.kubernetes.io/issued-credential-id"


def with_token(credential: str, user: str = ACCOUNT) -> dict[str, object]:
    return {"username": user, "extra": {CREDENTIAL: [credential]}}


def minted(
    user: str, agent: str | None = None, *, id: str = "JTI=m", code: int = 201
) -> list[dict[str, object]]:
    made = event("create", "serviceaccounts", name="cart", subresource="token", user=user,
                 agent=agent, code=code, seconds=1)  # fmt: skip
    annotations = {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow"}
    return [made | {"annotations": annotations | {ISSUED: id}}]


def used(credential: str, seconds: float = 5) -> dict[str, object]:
    return event(seconds=seconds, agent=CURL) | {"user": with_token(credential)}


PAIRS = {
    "topn_active_service_accounts": pair(
        event() | {"user": workload(ACCOUNT)}, event(user="alice")
    ),
    "rare_rbac_reason": pair(
        event(annotations={"authorization.k8s.io/reason": "RBAC: allowed by RoleBinding x"}),
        event(),
    ),
    "rare_kubectl_call": pair(event(), event(source="127.0.0.1")),
    "suspicious_tool_user_agent": pair(
        event(agent="rakkess/v0.5.1 (linux/amd64) kubernetes/$Format"), event(agent="rakklet/v1")
    ),
    "anonymous_request_allowed": pair(
        event(user=ANONYMOUS),
        [
            event(user=ANONYMOUS, code=403),
            {"user": {"username": ANONYMOUS}, "sourceIPs": ["127.0.0.1"]},
            health("/healthz?verbose"),
            health("/version", seconds=1),
            event("get", "configmaps", user=ANONYMOUS, namespace="kube-public",
                  name="cluster-info"),
        ],
    ),
    "anonymous_request": pair(
        event(user=ANONYMOUS, code=403),
        [
            health("/livez?exclude=etcd"),
            health("//readyz", seconds=1),
            event(user=ANONYMOUS, source="127.0.0.1", code=403),
            event(code=403),
            event(user=ANONYMOUS, source="35.191.8.1", code=403, requestURI="/", objectRef=None),
            event(user=ANONYMOUS, source="168.63.129.16", code=403, requestURI="/",
                  objectRef=None, seconds=2),
        ],
    ),
    "anonymous_pod_list": pair(
        event("list", user=ANONYMOUS, namespace="", code=403), event("list", user=ANONYMOUS)
    ),
    "anonymous_pod_write": pair(
        event("create", user=ANONYMOUS, code=403),
        # A trimmed event, or a 401: nobody says that it was anonymous.
        event("create") | {"user": {}},
    ),
    "anonymous_endpoint_scan": pair(
        burst(6, user=ANONYMOUS, resource="kind{n}", code=403),
        burst(9, user=ANONYMOUS, resource="kind", code=403),
    ),
    "forbidden_create": pair(
        event("create", code=403),
        [event("create", code=403, decision="allow"), event("get", code=403)],
    ),
    "forbidden_new_user_agent": pair(
        event(code=403, agent=CURL),
        event(code=403, agent="kubectl/v1.38.0"),
        before=[*usual(), event(code=403, seconds=-60)],
    ),
    "forbidden_burst_public_ip": pair(
        burst(10, code=403, source=OUTSIDE), burst(10, code=403, source=PRIVATE)
    ),
    "unauthorized_burst": pair(
        burst(30, code=401, stage="ResponseStarted", every=0.5),
        burst(30, code=401, stage="ResponseStarted", every=30),
    ),
    "permission_enumeration_user": pair(
        burst(8, resource="kind{n}", code=403), burst(20, resource="kind", code=403)
    ),
    "multi_resource_discovery": pair(
        [event("list", kind) for kind in ("pods", "nodes", "roles", "secrets", "configmaps")],
        [
            event(verb, kind, requestURI=f"/api/v1/{kind}?resourceVersion=0", user=ACCOUNT,
                  agent=OWN, seconds=seconds)
            for kind in ("pods", "nodes", "roles", "secrets", "configmaps")
            for seconds, verb in enumerate(("list", "watch"))
        ],
    ),
    "self_subject_review_workload": pair(
        event("create", "selfsubjectaccessreviews", user=ACCOUNT, namespace="", code=201),
        [
            event("create", "selfsubjectaccessreviews", namespace="", code=201),
            event("create", "selfsubjectaccessreviews", user=NODE, agent=KUBELET, code=201),
        ],
    ),
    "self_subject_rules_review": pair(
        event("create", "selfsubjectrulesreviews", code=201),
        event("create", "selfsubjectaccessreviews", code=201),
    ),
    "service_account_rare_operation": pair(
        event("get", "secrets", user=ACCOUNT),
        [event(user=ACCOUNT), event("get", "secrets", user=CONTROLLER)],
        before=[*usual(), event(user=ACCOUNT, seconds=-60)],
    ),
    "service_account_forbidden": pair(
        event("get", "secrets", user=ACCOUNT, code=403),
        [event(user=ACCOUNT, code=403), event("get", "secrets", user=ACCOUNT)],
        before=[*usual(), event(user=ACCOUNT, code=403, seconds=-60)],
    ),
    "threat_intel_source_ip": pair(
        event(source=["203.0.113.66", PRIVATE]),
        event(source="203.0.113.67"),
        threat_addresses=["203.0.113.66"],
    ),
    "system_principal_public_ip": pair(
        event(user=ACCOUNT, source=OUTSIDE),
        [
            event(user=ACCOUNT, source=[OUTSIDE, PRIVATE]),
            # Nodes that have public addresses only.
            *(event(user=f"{NODE}{n}", source=OUTSIDE, agent=KUBELET) for n in "ab"),
            event(user="alice", source=OUTSIDE),
        ],
    ),
    "claimed_address_internal": pair(
        event(source=["127.0.0.1", OUTSIDE]),
        [event(source=[OUTSIDE, PRIVATE]), event(source=["203.0.113.1", OUTSIDE])],
    ),
    "node_identity_other_client": pair(
        event(user=NODE, agent=CURL), [event(user=NODE, agent=KUBELET), event(agent=CURL)]
    ),
    "credential_two_places": pair(
        [
            event(user=ACCOUNT, agent=OWN, source="10.244.1.5") | {"user": with_token("JTI=a")},
            event(user=ACCOUNT, agent=CURL, source="10.244.9.9", seconds=60)
            | {"user": with_token("JTI=a")},
        ],
        [
            # A pod with two addresses, a pool of addresses, and a person who moves.
            event(source="10.244.1.5") | {"user": with_token("JTI=a")},
            event(source="10.244.1.77", seconds=5) | {"user": with_token("JTI=a")},
            event(source="fd00::5", seconds=6) | {"user": with_token("JTI=a")},
            event(source="198.51.100.9") | {"user": with_token("X509SHA256=b", "alice")},
            event(source="203.0.113.9", agent="k9s/v1 (darwin/arm64)", seconds=3600)
            | {"user": with_token("X509SHA256=b", "alice")},
        ],
    ),
    "minted_token_used": pair(
        [*minted("alice"), used("JTI=m", seconds=9)],
        [*minted("alice", code=403, id="JTI=x"), *minted(NODE, KUBELET, id="JTI=n"),
         used("JTI=n"), used("JTI=x"), *minted("bob", id="JTI=never-used")],
    ),
    "rbac_inventory_read": pair(
        [event("list", kind, namespace="") for kind in ("roles", "clusterroles", "rolebindings")],
        [
            event("list", "roles"), event("list", "rolebindings"),
            *(event("get", kind, name="x") for kind in ("clusterroles", "clusterrolebindings")),
            *(event("list", kind, namespace="", user=CONTROLLER) for kind in ("clusterroles",)),
        ],
    ),
    "rbac_list_refused": pair(
        burst(2, verb="list", resource="roles", namespace="", code=403, user="bob"),
        [
            event("list", "roles", namespace="", code=403, user="bob"),
            *burst(3, verb="list", resource="roles", code=403, user="bob"),
            *burst(3, verb="list", resource="roles", namespace="", user="carol"),
        ],
    ),
    "permission_review_burst": pair(
        burst(15, verb="create", resource="selfsubjectaccessreviews", namespace="", code=201),
        [
            *burst(14, verb="create", resource="selfsubjectaccessreviews", namespace="", code=201),
            *burst(20, verb="create", resource="subjectaccessreviews", namespace="", code=201),
        ],
    ),
    "unversioned_program": pair(
        event("list", "secrets", agent="mytool/v0.0.0 (linux/amd64) kubernetes/$Format"),
        [
            event("list", "pods", agent="mytool/v0.0.0 (linux/amd64) kubernetes/$Format"),
            event("list", "secrets", agent="k9s/v0.0.0 (linux/amd64) kubernetes/$Format"),
            event("list", "secrets", agent="mytool/v1.2.0 (linux/amd64) kubernetes/abc"),
            event("list", "secrets", agent="op/v0.0.0 (linux/amd64) kubernetes/$Format",
                  user=ACCOUNT),
        ],
    ),
    "identity_foreign_caller": pair(
        # From a pod with the client of the component, while components act from elsewhere.
        [
            event("get", "secrets", user=CONTROLLER, source="10.244.9.9"),
            *burst(12, verb="update", resource="leases", user=MANAGER, source="10.0.1.10"),
        ],
        [
            event("get", "secrets", user=CONTROLLER, source="10.0.1.10"),
            event("get", "secrets", user=CONTROLLER, source="127.0.0.1", agent=CURL),
            event("get", "secrets", user=ACCOUNT, agent=CURL, source="10.244.9.9"),
            *burst(12, verb="update", resource="leases", user=MANAGER, source="10.0.1.10"),
        ],
    ),
    "unlisted_user": pair(
        event(user="mallory"), [event(), event(user=ACCOUNT)], known_users=["alice"]
    ),
    "default_admin_user": pair(event(user="kubernetes-admin"), event(user="administrator")),
    "impersonate_privileged_identity": pair(
        event(impersonatedUser=ROOT, code=403), event(impersonatedUser=ALICE)
    ),
    "trusted_impersonator_elsewhere": pair(
        event(impersonatedUser=ALICE, source="203.0.113.7") | {"user": workload(PROXY)},
        [
            event(impersonatedUser=ALICE, source="10.244.1.9") | {"user": workload(PROXY)},
            event(source="203.0.113.7") | {"user": workload(PROXY)},
        ],
    ),
    "impersonation_denied": pair(
        event(responseStatus=refused(MESSAGE)), event(responseStatus=refused("pods is forbidden"))
    ),
    "rbac_escalation_denied": pair(
        event("create", "roles", responseStatus=refused(f"roles is forbidden: {HELD}")),
        event("create", "roles", responseStatus=refused("roles is forbidden")),
    ),
}  # fmt: skip
