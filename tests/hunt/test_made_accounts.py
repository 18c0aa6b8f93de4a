"""Accounts in system namespaces are the platform's, unless somebody else made them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.building import event
from tests.hunt.run_hunt import results

Event = dict[str, Any]
EVIL = "system:serviceaccount:openshift-evil:runner"
HELPER = "system:serviceaccount:kube-system:helper"
OPERATOR = "system:serviceaccount:openshift-cluster-version:default"
ROLE = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}


def namespace(name: str, **more: Any) -> Event:
    return event("create", "namespaces", name=name, namespace=name, **{"code": 201} | more)


def account(name: str, **more: Any) -> Event:
    return event(
        "create", "serviceaccounts", namespace="kube-system", name=name, **{"code": 201} | more
    )


def role(user: str) -> Event:
    body = event("create", "roles", name="all", user=user, code=201, requestObject=ROLE)
    return body | {"sourceIPs": ["10.244.9.9"], "userAgent": "runner/v1.0.0"}


def callers(*events: Event) -> set[str]:
    with TemporaryDirectory() as folder:
        result = results(Path(folder), events, "wildcard_role_created")
    return {str(finding.key["user.effective.name"]) for finding in result.findings}


@pytest.mark.parametrize(
    ("made", "user"),
    [
        (namespace("openshift-evil"), EVIL),
        (namespace("openshift-evil") | {"verb": "patch"}, EVIL),
        (namespace("openshift-evil", user=OPERATOR, impersonatedUser={"username": "eve"}), EVIL),
        (namespace("openshift-evil", user="system:serviceaccount:ci:deployer"), EVIL),
        (account("helper"), HELPER),
    ],
)
def test_what_somebody_made_under_a_name_of_the_platform_is_judged(made: Event, user: str) -> None:
    assert callers(made, role(user)) == {user}


def test_an_account_that_such_an_account_made_is_judged() -> None:
    maker = namespace("openshift-evil")
    assert callers(maker, account("helper", user=EVIL), role(HELPER)) == {HELPER}


@pytest.mark.parametrize(
    "made",
    [
        namespace("openshift-evil", user=OPERATOR),
        namespace("openshift-evil", code=403),
        namespace("openshift-other"),
        account("helper"),
    ],
)
def test_what_the_platform_made_is_its_own(made: Event) -> None:
    assert callers(made, role(EVIL)) == set()


def test_a_name_that_kubernetes_would_refuse_matches_nothing_else() -> None:
    assert callers(namespace("openshift-*"), role(EVIL)) == set()
