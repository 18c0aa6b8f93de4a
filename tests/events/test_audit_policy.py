"""Audit policies are read as the API server reads them, and decide as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8sidx.errors import UsageError
from k8sidx.events.audit_policy import Decision, decide, parse_policy, read_policy
from tests.building import event

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def decided(rules: str, **fields: Any) -> Decision:
    return decide(parse_policy(f"{HEAD}rules:\n{rules}"), event() | fields)


def level(rule: str, **fields: Any) -> str:
    """What a policy of this rule alone does: ``Request`` if the rule matches."""
    return decided(f"- level: Request\n  {rule}\n", **fields).level


SECRET = {"resource": "secrets", "namespace": "shop", "name": "db", "apiVersion": "v1"}
EXEC = {"resource": "pods", "namespace": "shop", "name": "web", "subresource": "exec"}
NODE = {"resource": "nodes", "name": "node-1"}
DEPLOYMENT = {"resource": "deployments", "namespace": "shop", "apiGroup": "apps", "name": "web"}


@pytest.mark.parametrize(
    ("rule", "target", "matches"),
    [
        ('resources: [{group: ""}]', SECRET, True),
        ("resources: [{group: apps}]", SECRET, False),
        ('resources: [{group: "", resources: [secrets]}]', SECRET, True),
        ('resources: [{group: "", resources: [pods]}]', EXEC, False),
        ('resources: [{group: "", resources: [pods/exec]}]', EXEC, True),
        ('resources: [{group: "", resources: ["pods/*"]}]', EXEC, True),
        ('resources: [{group: "", resources: ["*/exec"]}]', EXEC, True),
        ('resources: [{group: "", resources: ["*/log"]}]', EXEC, False),
        ('resources: [{group: "", resources: ["*"]}]', EXEC, True),
        ('resources: [{group: "", resources: [secrets], resourceNames: [db]}]', SECRET, True),
        ('resources: [{group: "", resources: [secrets], resourceNames: [x]}]', SECRET, False),
        ("resources: [{group: apps, resources: [deployments]}]", DEPLOYMENT, True),
        ("namespaces: [shop]", SECRET, True),
        ("namespaces: [kube-system]", SECRET, False),
        ('namespaces: [""]', NODE, True),
        ('namespaces: [""]', SECRET, False),
    ],
)
def test_resources_match_as_in_the_api_server(
    rule: str, target: dict[str, str], matches: bool
) -> None:
    assert (level(rule, objectRef=target) == "Request") is matches


@pytest.mark.parametrize(
    ("url", "path", "matches"),
    [
        ("/healthz*", "/healthz/etcd?verbose", True),
        ("/healthz", "/healthz?verbose", True),
        ("/healthz", "/healthz/etcd", False),
        ("'*'", "/metrics", True),
    ],
)
def test_paths_match_requests_for_no_resource(url: str, path: str, matches: bool) -> None:
    rule = f"nonResourceURLs: [{url}]"
    assert (level(rule, requestURI=path, objectRef=None) == "Request") is matches
    assert level(rule, requestURI=path, objectRef=SECRET) == "None"


def test_users_groups_and_verbs_all_have_to_match() -> None:
    user = {"username": "jane", "groups": ["dev", "system:authenticated"]}
    rule = "users: [jane]\n  userGroups: [ops, dev]\n  verbs: [get]"
    assert level(rule, user=user, verb="get") == "Request"
    assert level(rule, user=user, verb="list") == "None"
    assert level(rule, user=user | {"groups": []}, verb="get") == "None"
    assert level(rule, user=user | {"username": "joe"}, verb="get") == "None"


def test_the_authenticated_user_counts_not_the_impersonated_one() -> None:
    fields = {"user": {"username": "joe"}, "impersonatedUser": {"username": "jane"}}
    assert level("users: [jane]", **fields) == "None"
    assert level("users: [joe]", **fields) == "Request"


def test_the_first_rule_that_matches_decides() -> None:
    rules = "- level: None\n  verbs: [get]\n- level: Metadata\n"
    assert decided(rules, verb="get").level == "None"
    second = decided(rules, verb="list")
    assert (second.level, second.rule.line if second.rule else 0) == ("Metadata", 6)
    assert decided("- level: Metadata\n  verbs: [get]\n", verb="list") == Decision("None", None)


def test_omitted_stages_are_not_logged() -> None:
    text = f"{HEAD}omitStages: [RequestReceived]\nrules:\n- level: Metadata\n"
    assert decide(parse_policy(text), event(stage="RequestReceived")).level == "None"
    assert decide(parse_policy(text), event(stage="ResponseComplete")).level == "Metadata"
    rule = "- level: Metadata\n  omitStages: [ResponseStarted]\n"
    assert decided(rule, stage="ResponseStarted").level == "None"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a: [", "p.yaml:2", "not valid YAML"),
        ("", "p.yaml:1", "not of the kind Policy"),
        ("kind: Policy\napiVersion: v1\nrules: []", "p.yaml:1", "apiVersion"),
        (HEAD, "p.yaml:1", "no rules"),
        (HEAD + "rules: []", "p.yaml:1", "no rules"),
        (HEAD + "rules:\n- level: Metadata\n- level: All", "p.yaml:5", "level 'All'"),
        (HEAD + "rules:\n- verbs: [get]", "p.yaml:4", "level None "),
        (HEAD + "rules:\n- level: None\n  verb: [get]", "p.yaml:4", "no field 'verb'"),
        (HEAD + "rules:\n- level: None\n  verbs: get", "p.yaml:4", "verbs is not a list"),
        (HEAD + "rules:\n- level: None\n  nonResourceURLs: [healthz]", "p.yaml:4", "begins with /"),
        (HEAD + "rules:\n- level: None\n  nonResourceURLs: [/a*/b]", "p.yaml:4", "at its end"),
        (
            HEAD + "rules:\n- level: None\n  nonResourceURLs: [/a]\n  namespaces: [b]",
            "p.yaml:4",
            "either",
        ),
        (HEAD + "omitStages: [Done]\nrules: [{level: None}]", "p.yaml:1", "'Done'"),
        (
            HEAD + "rules:\n- level: None\n  resources: [{group: '', kinds: [Pod]}]",
            "p.yaml:4",
            "other fields",
        ),
        (
            HEAD + "rules:\n- level: None\n  resources: [{group: '', resourceNames: [a]}]",
            "p.yaml:4",
            "needs resources",
        ),
    ],
)
def test_an_invalid_policy_is_refused_with_its_line(text: str, place: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as refusal:
        parse_policy(text, "p.yaml")
    assert str(refusal.value).startswith(place)
    assert refusal.value.remedy or "YAML" in problem


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: .*No such file.* --audit-policy-file"):
        read_policy(tmp_path / "none.yaml")
