"""A policy for hunts blinds none of them; what a policy blinds and costs is told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.events.audit_policy import AuditPolicy, decide, parse_policy
from k8sidx.generate.attacks import NOT_IN_ONE_LOG
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.time_window import Window
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.policy.blind import sights
from k8sidx.hunt.policy.cost import costs
from k8sidx.hunt.policy.write import CREDENTIALS, NOISE, policy_for, policy_text, within_budget
from tests.building import event
from tests.demo import demo_lines
from tests.stores import stored

LIBRARY = load_library()
LOG = [json.loads(line) for line in demo_lines()[::5]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with stored(tmp_path_factory.mktemp("policy") / "store", LOG).engine() as engine:
        yield engine


def read(text: str) -> AuditPolicy:
    return parse_policy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n" + text)


def test_the_policy_for_the_library_blinds_no_hunt() -> None:
    policy = parse_policy(policy_text(policy_for(LIBRARY), ["for the library"]))
    verdicts = {sight.hunt.id: sight.verdict for sight in sights(policy, LIBRARY)}
    assert {hunt for hunt, verdict in verdicts.items() if verdict != "sees"} <= NOT_IN_ONE_LOG


@pytest.mark.parametrize("hunt", LIBRARY[::9], ids=lambda hunt: hunt.id)
def test_the_policy_for_one_hunt_does_not_blind_it(hunt: Hunt) -> None:
    policy = parse_policy(policy_text(policy_for([hunt]), []))
    assert [sight.verdict for sight in sights(policy, [hunt])] == ["sees"]


def test_a_policy_for_few_hunts_logs_little_else() -> None:
    policy = policy_for(load_hunts(["secret_get"])).policy
    logged = Counter(decide(policy, body).level for body in LOG)
    assert 0 < logged["Metadata"] < len(LOG) / 10
    assert not logged["Request"] + logged["RequestResponse"]


def test_secrets_are_logged_without_their_content() -> None:
    target = {"resource": "secrets", "namespace": "shop", "name": "db"}
    for hunts in (LIBRARY, load_hunts(["secret_get"])):
        policy = policy_for(hunts).policy
        assert decide(policy, event(verb="create", objectRef=target)).level == "Metadata"


@pytest.mark.parametrize(
    ("rules", "hunt", "verdict", "reason"),
    [
        ("- level: None\n", "secret_get", "blind", "not logged, line 4"),
        ("- level: Metadata\n", "privileged_pod", "blind", "at Metadata, Request is needed"),
        ("- level: Metadata\n", "secret_get", "sees", ""),
        ("- level: Metadata\n  verbs: [create]\n", "secret_get", "blind", "no rule matches it"),
        (
            "- level: Metadata\n  omitStages: [ResponseComplete]\n",
            "secret_get",
            "blind",
            "stage ResponseComplete omitted, line 4",
        ),
        (
            "- level: Request\n  resources: [{group: ''}]\n- level: Metadata\n",
            "privileged_pod",
            "partly blind",
            "line 6",
        ),
    ],
)
def test_what_a_policy_blinds_is_said_with_its_line(
    rules: str, hunt: str, verdict: str, reason: str
) -> None:
    (sight,) = sights(read(rules), load_hunts([hunt]))
    assert sight.verdict == verdict
    assert all(reason in hidden.reason for hidden in sight.hidden)


def test_a_rule_of_ones_own_that_names_no_resource_is_not_checked(tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(
        "title: Somebody\nlogsource: {product: kubernetes, service: audit}\n"
        "detection: {s: {user.username: mallory}, condition: s}\n"
    )
    (sight,) = sights(read("- level: Metadata\n"), load_hunts([str(rule)]))
    assert (sight.verdict, sight.requests) == ("unknown", 0)


POLICIES = (
    policy_text(policy_for(LIBRARY), []),
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"
    "- level: None\n  users: ['system:kube-scheduler']\n  verbs: [get, watch]\n"
    "- level: None\n  nonResourceURLs: ['/healthz*', /version]\n"
    "- level: Metadata\n  namespaces: ['', kube-system]\n"
    "- level: Request\n  userGroups: ['system:nodes']\n"
    "  resources: [{group: '', resources: ['*/status', 'pods/*']}]\n"
    "- level: Metadata\n  resources: [{group: coordination.k8s.io, resources: [leases],"
    " resourceNames: [node-1]}, {group: '', resources: [pods]}]\n",
)


@pytest.mark.parametrize("text", POLICIES)
def test_a_store_counts_what_the_rules_decide(text: str, engine: Engine) -> None:
    """The query of each rule, against the rules applied to each event."""
    policy = parse_policy(text)
    expected = Counter(decision.rule for decision in (decide(policy, body) for body in LOG))
    measured = costs(policy, engine, Window())
    assert {cost.rule: cost.events for cost in measured.rules if cost.events} == expected
    assert measured.events == len(LOG)


def test_a_budget_leaves_out_noise_and_no_attack(engine: Engine) -> None:
    written = policy_for(LIBRARY)
    all_events = costs(written.policy, engine, Window()).logged_a_day
    cheap = within_budget(written, LIBRARY, all_events * 8 // 10, engine, Window())
    assert cheap.logged is not None
    assert cheap.logged <= all_events * 8 // 10
    assert cheap.logged == costs(cheap.policy, engine, Window()).logged_a_day
    named = [
        hunt for hunt in LIBRARY if hunt.id in ("secret_get", "privileged_pod", "node_deleted")
    ]
    assert {sight.verdict for sight in sights(cheap.policy, named)} == {"sees"}


def test_a_budget_that_cannot_be_met_gives_the_least(engine: Engine) -> None:
    least = within_budget(policy_for(LIBRARY), LIBRARY, 1, engine, Window())
    assert least.logged is not None
    assert least.logged > 1


def test_noise_is_never_what_a_stolen_identity_reads_of_credentials(engine: Engine) -> None:
    policy = within_budget(policy_for(LIBRARY), LIBRARY, 1, engine, Window()).policy
    for _, rule in NOISE:
        for user in rule.users or ("x",):
            for name in CREDENTIALS:
                resource, _, subresource = name.partition("/")
                target = {"resource": resource, "subresource": subresource, "namespace": "shop"}
                who = {"username": user, "groups": list(rule.groups)}
                for verb in ("get", "list", "watch", "create"):
                    read_event = event() | {"user": who, "verb": verb, "objectRef": target}
                    assert decide(policy, read_event).level != "None"
