"""Who is known where: identities of platforms in their places, and attackers who took a name."""

from __future__ import annotations

import pytest

from k8sidx.generate.platforms import PLATFORMS
from k8sidx.hunt.caller import Caller, is_listed
from k8sidx.hunt.callers import foreign_callers
from k8sidx.hunt.known_places import known_places, own_addresses

POD, OUTSIDE, NODE, MASTER = "10.244.1.99", "203.0.113.77", "10.0.1.12", "172.16.0.3"
GO = "Go-http-client"
OPERATOR = "system:serviceaccount:openshift-console-operator:console-operator"
ORDINARY = [
    Caller(None, "system:kube-controller-manager", "10.0.1.10", "kube-controller-manager", 900),
    Caller(None, "system:kube-scheduler", "10.0.1.10", "kube-scheduler", 900),
    Caller(None, "system:node:node-1", "10.0.1.11", "kubelet", 300),
    Caller(None, "system:node:node-2", NODE, "kubelet", 300),
    Caller(None, "system:serviceaccount:kube-system:kube-proxy", NODE, "kube-proxy", 30),
    Caller(None, "system:serviceaccount:kube-system:coredns", "10.244.1.2", "coredns", 30),
]
PUBLIC = [Caller(None, f"system:node:n-{n}", "52.152.245.238", "kubelet", 300) for n in range(3)]


def why(caller: Caller, *others: Caller) -> str:
    """Why a caller is foreign among ordinary callers; empty when it is known."""
    now = [*ORDINARY, *others, caller]
    reasons = {each.caller: each.why for each in foreign_callers(now, known_places(now, []))}
    assert not reasons.keys() & set(ORDINARY)
    return reasons.get(caller, "")


def managed() -> list[str]:
    """An identity of each platform's control plane that a certificate can name."""
    return ["aksService", "system:gke-common-webhooks", "eks:certificate-controller"]


@pytest.mark.parametrize("user", managed())
def test_an_identity_of_a_managed_control_plane_is_known_where_nothing_else_is(user: str) -> None:
    assert not why(Caller(None, user, MASTER, "approver", 40))


@pytest.mark.parametrize("user", managed())
@pytest.mark.parametrize(
    ("address", "agent", "reason"),
    [
        (POD, "approver", "pods act from 10.244.1.0/24"),
        (NODE, "approver", "nodes act from 10.0.1.0/24"),
        (OUTSIDE, "approver", "outside the cluster"),
        (MASTER, "kubectl", "a client that people use"),
    ],
)
def test_its_name_alone_makes_nobody_known(
    user: str, address: str, agent: str, reason: str
) -> None:
    assert reason in why(Caller(None, user, address, agent, 40))


def test_the_certificate_of_a_component_is_foreign_in_a_pod_however_often_it_is_used() -> None:
    stolen = Caller(None, "system:kube-scheduler", POD, "kube-scheduler", 5_000)
    assert "pods act from" in why(stolen)
    beside = Caller(None, "system:serviceaccount:kube-system:namespace-controller", POD,
                    "kube-controller-manager", 9)  # fmt: skip
    assert "components of the control plane act from 10.0.1.10" in why(beside, stolen)


def test_a_managed_control_plane_may_share_a_network_with_nodes() -> None:
    users = ("eks:k8s-metrics", "eks:nodewatcher", "eks:az-poller")
    together = [Caller(None, user, "10.0.1.200", "x", 9) for user in users]
    for caller in together:
        assert not why(caller, *together)


def test_the_public_address_of_most_nodes_is_the_cluster_s_own() -> None:
    account = "system:serviceaccount:kube-system:cloud-node-manager"
    inside = Caller(None, account, "52.152.245.238", "azure-cloud-node-manager", 20)
    outside = Caller(None, account, OUTSIDE, "azure-cloud-node-manager", 20)
    now = [*PUBLIC, inside, outside]
    found = {each.caller for each in foreign_callers(now, known_places(now, []))}
    assert found == {outside}


def test_a_few_nodes_from_outside_make_no_address_the_cluster_s_own() -> None:
    thief = Caller(None, "system:node:n-9", OUTSIDE, "kubelet", 9_000)
    assert own_addresses([*ORDINARY, thief]) == {}
    assert own_addresses([thief]) == {}
    typed = [Caller(None, f"system:node:n-{n}", OUTSIDE, "kubectl", 9) for n in range(3)]
    assert own_addresses([*ORDINARY, *typed]) == {}


def test_a_library_s_client_is_the_program_s_own_in_its_place() -> None:
    program = Caller(None, OPERATOR, "10.128.0.25", "console", 84)
    assert not why(Caller(None, OPERATOR, "10.128.0.25", GO, 42), program)
    assert not why(Caller(None, OPERATOR, "10.128.0.25", GO, 93))


def test_a_library_s_client_is_foreign_elsewhere() -> None:
    program = Caller(None, OPERATOR, "10.128.0.25", "console", 84)
    plain = Caller(None, OPERATOR, "10.128.0.25", GO, 200)
    velero = "system:serviceaccount:velero:velero"
    assert why(Caller(None, OPERATOR, POD, GO, 500), program), "another pod than the program's"
    assert why(Caller(None, OPERATOR, POD, GO, 9), plain), "another pod, outweighed"
    assert why(Caller(None, OPERATOR, "10.128.0.25", GO, 5), program), "in its pod, beside it"
    assert why(Caller(None, velero, POD, GO, 500)), "an operator, of which nothing else is there"


@pytest.mark.parametrize(
    "user",
    ["eks:support-engineer", "system:serviceaccount:openshift-backplane-srep:0a1b2c"],
)
def test_people_of_the_provider_are_reported_wherever_they_are(user: str) -> None:
    assert "people of the provider" in why(Caller(None, user, "127.0.0.1", "kubectl", 3))
    assert not is_listed(user, "gke_identities")


def test_every_identity_of_an_ordinary_hour_is_listed_or_a_service_account_or_a_node() -> None:
    unknown = {
        identity.name
        for identities in PLATFORMS.values()
        for identity in identities
        if not identity.name.startswith(("system:serviceaccount:", "system:node:"))
        and not is_listed(identity.name, "platform_identities")
    }
    assert unknown == {"system:gke-master-healthcheck"}, (
        "it needs no exemption: it asks if it is up"
    )
