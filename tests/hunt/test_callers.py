"""A finding is about the caller, in its cluster, whomever the caller impersonates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.actor_timeline import timelines_of
from k8sidx.hunt.findings.record import record_of
from k8sidx.hunt.impersonators import (
    ACTING,
    CALLER,
    EFFECTIVE,
    IMPERSONATED_GROUPS,
    TrustedImpersonator,
)
from k8sidx.hunt.kinds.correlation import Correlation
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.lists import SHIPPED, Lists
from k8sidx.hunt.result import Finding
from tests.building import START, event
from tests.hunt.library.test_pairs import pairs, result
from tests.hunt.run_hunt import results
from tests.judge.engines import embedded, tagged

Event = dict[str, Any]
CLUSTER = "orchestrator.cluster.name"
SANDBOX = "system:serviceaccount:dev:sandbox"
PROXY = "system:serviceaccount:kube-oidc-proxy:kube-oidc-proxy"
ABSENT = {"source_silent", "cluster_silent"}
"""Hunts about requests that are not there."""

INSIDE, OUTSIDE = "10.244.1.9", "203.0.113.7"


def acting(body: Event, caller: str = SANDBOX) -> Event:
    """The same request, sent by another account that impersonates the one which sent it."""
    if "impersonatedUser" in body:
        return body
    return {**body, "impersonatedUser": body["user"], "user": {"username": caller}}


def is_person_s(body: Event) -> bool:
    """Whether somebody sent a request for themselves."""
    return bool(body.get("user", {}).get("username")) and "impersonatedUser" not in body


def split(events: Sequence[Event]) -> list[Event]:
    """Events of two clusters, in turns."""
    return [{**body, "cluster": ("prod", "dev")[n % 2]} for n, body in enumerate(events)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    cases: dict[str, list[Event]] = {}
    for name, pair in pairs().items():
        cases[f"{name} acting"] = [*pair.before, *map(acting, pair.fires)]
        both = [{**body, "cluster": "dev"} for body in (*pair.before, *pair.silent)]
        here = [{**body, "cluster": "prod"} for body in (*pair.before, *pair.fires)]
        cases[f"{name} clusters"] = [*here, *both]
        cases[f"{name} split"] = split([*pair.before, *pair.fires])
    with embedded(tmp_path_factory.mktemp("callers"), tagged(cases)) as opened:
        yield opened


def test_every_hunt_names_the_caller_and_not_whom_it_impersonates(engine: Engine) -> None:
    wrong, about_users = [], 0
    for name, pair in pairs().items():
        if name in ABSENT or not all(map(is_person_s, pair.fires)):
            continue
        for finding in result(name, "acting", engine).findings:
            if EFFECTIVE not in finding.key and CALLER not in finding.key:
                continue
            about_users += 1
            caller = (finding.key.get(CALLER), finding.actor)
            told = "{user." not in load_hunts([name])[0].reason or SANDBOX in finding.reason
            if caller != (SANDBOX, SANDBOX) or not told:
                wrong.append(f"{name}: {finding}")
    assert wrong == []
    assert about_users > 80


def test_every_finding_names_the_cluster_of_the_attack_only(engine: Engine) -> None:
    wrong, found = [], 0
    for name in pairs():
        for finding in result(name, "clusters", engine).findings:
            found += 1
            if not str(finding.key.get(CLUSTER, "")).endswith(" of prod"):
                wrong.append(f"{name}: {finding.key}")
    assert wrong == []
    assert found > 120


def test_requests_of_two_clusters_do_not_add_up(engine: Engine) -> None:
    """Each cluster has half of what makes a finding."""
    bursts = [name for name in pairs() if isinstance(load_hunts([name])[0], Correlation)]
    assert len(bursts) > 10
    for name in bursts:
        for finding in result(name, "split", engine).findings:
            half = len(pairs()[name].fires) // 2 + 1
            assert finding.count <= half, name


def test_a_caller_adds_up_over_those_whom_it_impersonates() -> None:
    """Otherwise another name for each request would hide any burst."""
    kinds = ("pods", "secrets", "roles", "services")
    events = [
        acting(event("list", kind, user=f"user-{n}", code=403, seconds=n))
        for n, kind in enumerate(kinds)
    ]
    (finding,) = found("forbidden_burst_user", *events)
    assert (finding.actor, finding.key[CALLER]) == (SANDBOX, SANDBOX)
    assert finding.key[ACTING] == ["user-0", "user-1", "user-2", "user-3"]
    assert f"{SANDBOX}, acting as user-0 and 3 others," in finding.reason


def test_the_groups_asked_for_and_both_addresses_are_in_key_and_document() -> None:
    body = acting(dump(user="carol@example.com", source=["1.2.3.4", INSIDE]))
    body["impersonatedUser"]["groups"] = ["dev", "admins"]
    (finding,) = found("secret_dump_all_namespaces", body)
    assert f"{SANDBOX}, acting as carol@example.com, got" in finding.reason
    assert finding.key[EFFECTIVE] == "carol@example.com"
    record = record_of(finding, load_hunts([finding.hunt])[0], START)
    for stored in (finding.key, record):
        assert stored[IMPERSONATED_GROUPS] == ["dev", "admins"]
        assert stored[CALLER] == SANDBOX
        assert stored[ACTING] == "carol@example.com"
        assert stored["source.ip"] == INSIDE
    assert finding.key["source.claimed_ip"] == ["1.2.3.4"]
    assert (record["source.claimed_ip"], record["finding.actor"]) == ("1.2.3.4", SANDBOX)


def test_through_a_trusted_proxy_it_is_the_person_s_story() -> None:
    (finding,) = found("secret_dump_all_namespaces", through_proxy("carol", INSIDE))
    assert finding.actor == "carol"
    assert "carol, through kube-oidc-proxy, got the secrets" in finding.reason
    assert [story.actor for story in timelines_of([finding])] == ["carol"]


@pytest.mark.parametrize(
    ("name", "groups", "source"),
    [
        ("carol", ["dev"], OUTSIDE),
        ("carol", ["system:masters"], INSIDE),
        ("system:kube-controller-manager", ["dev"], INSIDE),
        ("system:serviceaccount:kube-system:default", ["dev"], INSIDE),
    ],
    ids=["from elsewhere", "as an administrator", "as the control plane", "as an addon"],
)
def test_a_proxy_s_account_is_not_trusted_by_its_name(
    name: str, groups: list[str], source: str
) -> None:
    body = through_proxy(name, source)
    body["impersonatedUser"]["groups"] = groups
    (finding,) = found("secret_dump_all_namespaces", body)
    assert finding.actor == PROXY
    hunts = ["trusted_impersonator_elsewhere", "impersonate_privileged_identity"]
    (accusation,) = [f for hunt in hunts for f in found(hunt, body)]
    assert (accusation.actor, accusation.level) == (PROXY, "high")


def test_people_behind_a_proxy_do_not_add_up() -> None:
    kinds = ("pods", "secrets", "roles", "services")
    events = [
        acting(event("list", kind, user=f"user-{n}", code=403, seconds=n, source=INSIDE), PROXY)
        for n, kind in enumerate(kinds)
    ]
    assert found("forbidden_burst_user", *events) == []
    one_person = [
        acting(event("list", kind, user="carol", code=403, seconds=n, source=INSIDE), PROXY)
        for n, kind in enumerate(kinds)
    ]
    (finding,) = found("forbidden_burst_user", *one_person)
    assert finding.actor == "carol"


def test_a_user_s_addresses_replace_those_that_are_shipped() -> None:
    mine = Lists(proxies=[TrustedImpersonator("gate", PROXY, ("10.9.0.0/16",))])
    body = through_proxy("carol", INSIDE)
    assert [f.actor for f in found("secret_dump_all_namespaces", body, lists=mine)] == [PROXY]
    assert [f.actor for f in found("secret_dump_all_namespaces", body)] == ["carol"]


def dump(**more: Any) -> Event:
    body = event("list", "secrets", **more)
    reference = {"resource": "secrets", "apiVersion": "v1"}
    return {**body, "objectRef": reference, "requestURI": "/api/v1/secrets"}


def through_proxy(person: str, source: str) -> Event:
    return acting(dump(user=person, source=source), PROXY)


def found(name: str, *events: Event, lists: Lists = SHIPPED) -> list[Finding]:
    with TemporaryDirectory() as folder:
        return results(Path(folder), events, load_hunts([name], lists)[0]).findings
