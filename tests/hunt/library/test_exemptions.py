"""Every exemption of the library holds for known callers only: an attacker who knows it is told.

The exemptions are those of the shared filters, and those that hunts name themselves. For each the
attacker has the credential of an exempt account, and what it can choose: the name, the user agent,
the query string. It does not have the place, nor what the data show of the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.lists import Lists
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.hunt.sigma.filters import shared_filters
from tests.building import event, own_agent
from tests.hunt.library.test_pairs import pairs
from tests.judge.engines import CaseEngine, embedded, tagged

CONTROLLER = "system:serviceaccount:kube-system:"
KUBECTL = "kubectl/v1.37.2 (linux/amd64) kubernetes/0000000"
POD, OUTSIDE, CONTROL_PLANE = "10.244.9.9", "203.0.113.77", "10.0.1.10"
NODE = "system:node:node-1"
MANAGER = "system:kube-controller-manager"
PULL_SECRETS = "system:serviceaccount:openshift-infra:serviceaccount-pull-secrets-controller"
VELERO = "system:serviceaccount:velero:velero"

ATTACKERS = (
    # The credential with a client of one's own, in a pod.
    (f"{CONTROLLER}clusterrole-aggregation-controller", KUBECTL, POD),
    # With the component's client, from outside.
    (f"{CONTROLLER}generic-garbage-collector", own_agent(CONTROLLER), OUTSIDE),
    # With the component's client, in a pod.
    (f"{CONTROLLER}namespace-controller", own_agent(CONTROLLER), POD),
    # With an account of a namespace, or in one, that has the name of the platform's.
    ("system:serviceaccount:openshift-evil:runner", "runner/v1.0.0", POD),
    (f"{CONTROLLER}helper", "helper/v1.0.0", POD),
)
"""Users, user agents and addresses."""

PRESENT = [
    event(
        "update",
        "leases",
        user="system:kube-controller-manager",
        source=CONTROL_PLANE,
        seconds=-600 + n,
    )
    for n in range(12)
] + [
    event("create", "namespaces", name="openshift-evil", namespace="openshift-evil", code=201),
    event("create", "serviceaccounts", name="helper", namespace="kube-system", code=201),
    event("watch", "secrets", user=VELERO, agent="velero-server/v1.14.1", source="10.244.3.61"),
]
"""What shows where components of the control plane act from, who made accounts, and that watches
are logged."""

ABOUT_AGENTS = (
    "helm_release_read_burst",
    "secret_access_script_client",
)
"""Hunts for the user agent itself, which the attacker keeps."""

OWN: dict[tuple[str, str], Sequence[tuple[str, str, str]]] = {
    ("admission_webhook_changed", "own_certificate"): [
        ("system:serviceaccount:cert-manager:cert-manager-cainjector", KUBECTL, POD),
        ("system:serviceaccount:istio-system:istiod", "pilot-discovery/1.24", OUTSIDE),
    ],
    ("apiservice_changed", "platform"): ATTACKERS,
    ("backup_deleted", "services"): [(VELERO, KUBECTL, POD), (VELERO, "velero/v1.14", OUTSIDE)],
    ("endpoints_changed", "controller"): ATTACKERS,
    ("endpoints_changed", "election"): ATTACKERS,
    ("multi_resource_discovery", "reflector"): [
        ("system:serviceaccount:shop:cart", KUBECTL, POD),
        # A resource version that no watch follows, with the client of a component.
        ("system:serviceaccount:shop:cart", "cart/v1.4.0", POD),
    ],
    ("rbac_inventory_read", "reflector"): [
        ("system:serviceaccount:shop:cart", KUBECTL, POD),
        ("system:serviceaccount:shop:cart", "cart/v1.4.0", POD),
    ],
    ("service_account_token_short", "kubelet"): [(NODE, own_agent(NODE), OUTSIDE)],
    ("exec_kube_system", "probe"): [
        ("aksProblemDetector", KUBECTL, POD),
        ("aksProblemDetector", "aks-problem-detector/v0.0.0", OUTSIDE),
    ],
    ("masters_group_used", "component"): ATTACKERS,
    ("minted_token_used", "node"): [(NODE, own_agent(NODE), OUTSIDE)],
    ("minted_token_used", "platform"): [(MANAGER, KUBECTL, POD)],
    ("node_deleted", "controller"): ATTACKERS,
    ("node_deleted", "autoscaler"): [
        ("system:serviceaccount:karpenter:karpenter", KUBECTL, POD),
        ("system:cluster-autoscaler", "cluster-autoscaler/v1.31.0", OUTSIDE),
    ],
    ("node_status_changed", "controller"): ATTACKERS,
    ("node_status_changed", "kubelet"): [(NODE, KUBECTL, POD), (NODE, own_agent(NODE), OUTSIDE)],
    ("pod_eviction_storm", "autoscaler"): [
        ("system:serviceaccount:kube-system:descheduler", KUBECTL, POD),
        ("system:serviceaccount:karpenter:karpenter", "karpenter/v1.8.1", OUTSIDE),
    ],
    ("pod_log_burst", "collectors"): [
        ("system:serviceaccount:logging:fluent-bit", KUBECTL, POD),
        ("system:serviceaccount:logging:promtail", "promtail/3.0", OUTSIDE),
    ],
    ("secret_dump_all_namespaces", "reflector"): [
        ("system:serviceaccount:shop:cart", KUBECTL, POD),
        ("system:serviceaccount:shop:cart", "cart/v1.4.0", POD),
    ],
    ("secret_list_sensitive_scope", "reflector"): [
        ("system:serviceaccount:shop:cart", KUBECTL, POD),
        ("system:serviceaccount:shop:cart", "cart/v1.4.0", POD),
    ],
    ("secret_access_node_or_sa", "kubelet"): [(NODE, own_agent(NODE), OUTSIDE)],
    ("secret_access_node_or_sa", "platform"): ATTACKERS,
    ("self_subject_review_workload", "kubelet"): [(NODE, own_agent(NODE), OUTSIDE)],
    ("service_account_token_created", "platform"): ATTACKERS,
    ("service_account_token_created", "registry"): [
        (PULL_SECRETS, KUBECTL, POD),
        (PULL_SECRETS, "openshift-controller-manager/v0.0.0", OUTSIDE),
    ],
    ("service_account_token_created", "kubelet"): [(NODE, own_agent(NODE), OUTSIDE)],
    ("system_principal_public_ip", "kubelet"): [(NODE, own_agent(NODE), OUTSIDE)],
    ("system_principal_public_ip", "managed"): [
        ("eks:node-manager", KUBECTL, OUTSIDE),
        # The name, which aws-auth gives to any role, with the client of the function.
        ("eks:node-manager", "eksNodeManager/v1", OUTSIDE),
    ],
    ("system_principal_public_ip", "node_agents"): [
        ("system:serviceaccount:kube-system:kube-proxy", "kube-proxy/v1.37.2", OUTSIDE),
    ],
    ("system_priority_pod", "platform"): ATTACKERS,
}
"""Attackers who know an exemption that a hunt names itself."""

OPERATORS = ((VELERO, KUBECTL, POD), (VELERO, "velero-server/v1.14.1", OUTSIDE))


def exempting() -> list[tuple[str, str]]:
    """Hunts of single requests, and each exemption that they have."""
    cases = []
    for hunt in load_library():
        if hunt.unexempted is not None and hunt.finds_requests:
            cases += [(name, selection) for name, selection in OWN if name == hunt.id]
            if any(name in document(hunt.id) for name, each in shared_filters().items()
                   if each.exemptions):  # fmt: skip
                cases.append((hunt.id, "filters"))
    return cases


def document(name: str) -> str:
    """The text of a hunt."""
    return (resources.files("k8sidx.hunt.library") / f"{name}.yml").read_text("utf-8")


def attackers_of(name: str, selection: str) -> Sequence[tuple[str, str, str]]:
    if selection != "filters":
        return OWN[name, selection]
    if name == "system_account_workload":  # about service accounts of kube-system alone
        return [attacker for attacker in ATTACKERS if attacker[0].startswith(CONTROLLER)]
    operators = name in ("secret_read_burst", "secret_get_denied")
    return OPERATORS if operators else ATTACKERS


def acted(name: str, selection: str) -> list[dict[str, Any]]:
    """What fires the hunt, by each attacker."""
    attacks = []
    for number, (user, agent, address) in enumerate(attackers_of(name, selection)):
        for body in pairs()[name].fires:
            uri = str(body["requestURI"])
            marked = f"{uri}{'&' if '?' in uri else '?'}resourceVersion=0"
            attacks.append(
                body
                | {
                    "user": body["user"] | {"username": user},
                    "userAgent": body["userAgent"] if name in ABOUT_AGENTS else agent,
                    "sourceIPs": [address],
                    "auditID": f"{number}/{body['auditID']}",
                    "requestURI": marked if selection == "reflector" else uri,
                }
            )
    return [*attacks, *PRESENT]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    cases = {f"{name} {selection}": acted(name, selection) for name, selection in exempting()}
    with embedded(tmp_path_factory.mktemp("exemptions"), tagged(cases)) as opened:
        yield opened


def test_every_exemption_has_an_attacker() -> None:
    text = {hunt.id: hunt for hunt in load_library()}
    assert {name for name, _ in OWN} <= text.keys()
    named = {(hunt.id, each) for hunt in text.values() for each in own_exemptions(hunt)}
    assert OWN.keys() == named


def own_exemptions(hunt: Hunt) -> Sequence[str]:
    """The exemptions that a hunt's document names, or one of its rules."""
    found = []
    for line in document(hunt.id).splitlines():
        if line.strip().startswith("exemptions:"):
            found += [name.strip() for name in line.partition("[")[2].rstrip("] ").split(",")]
    return found


@pytest.mark.parametrize(("name", "selection"), exempting())
def test_an_attacker_who_knows_an_exemption_is_told(
    name: str, selection: str, engine: Engine
) -> None:
    hunts = load_hunts([name, "identity_foreign_caller"], Lists(pairs()[name].lists))
    results = run_hunts(hunts, CaseEngine(engine, f"{name} {selection}"), Window())
    about = {result.hunt: result.findings for result in results}
    numbers = {
        audit_id.partition("/")[0] for finding in about[name] for audit_id in finding.audit_ids
    }
    expected = {str(number) for number in range(len(attackers_of(name, selection)))}
    assert numbers >= expected, [finding.reason for finding in about["identity_foreign_caller"]]
