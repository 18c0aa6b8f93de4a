"""Findings of several actors are one story where an address or a credential ties them together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.protocol import Engine
from k8sidx.hunt.actor_timeline import ActorTimeline, timelines_of
from k8sidx.hunt.attack.chain import tactics_by_hunt
from k8sidx.hunt.impersonators import TrustedImpersonator
from k8sidx.hunt.library.load import load_hunts
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.hunt.run import Window, run_hunts
from k8sidx.hunt.ties import with_ties
from tests.building import START, event, normalized, write_log
from tests.cli.conftest import k8sidx
from tests.conformance.index_events import fill
from tests.hunt.library.cases import burst
from tests.stores import stored

ATTACKER, OFFICE, NODE_ADDRESS = "192.0.2.66", "198.51.100.9", "10.0.1.11"
ACCOUNT, NODE, ANONYMOUS = "system:serviceaccount:shop:cart", "system:node:n1", "system:anonymous"
CREDENTIAL = "authentication.kubernetes.io/credential-id"
ISSUED = "authentication.kubernetes.io/issued-credential-id"
DAY = 86_400
TACTICS = {
    "scan": ("discovery",),
    "dump": ("credential-access",),
    "escalate": ("privilege-escalation",),
    "backdoor": ("persistence",),
}
PROXY = TrustedImpersonator("gateway", "system:serviceaccount:proxy:gateway", ("10.9.0.0/16",))
_number = count()

Act = tuple[str, dict[str, Any]]


def act(hunt: str, user: str, address: str = ATTACKER, minutes: float = 0, **more: Any) -> Act:
    """Return a finding's hunt and its event."""
    credential, issued = more.pop("credential", ""), more.pop("issued", "")
    body = event(user=user, source=address, seconds=60 * minutes, **more)
    body["auditID"] = more.get("auditID", f"audit-{next(_number)}")
    if credential:
        body["user"] = body["user"] | {"extra": {CREDENTIAL: [credential]}}
    if issued:
        body["annotations"] = body["annotations"] | {ISSUED: issued}
    return hunt, body


def stories(
    folder: Path, acts: Sequence[Act], others: Sequence[dict[str, Any]] = ()
) -> list[ActorTimeline]:
    """Return the stories of findings of medium level, each of one event."""
    findings = [
        Finding(
            hunt, "medium", {"user.username": body["user"]["username"]}, 1,
            START + timedelta(minutes=number), START + timedelta(minutes=number), "…",
            (body["auditID"],),
        )
        for number, (hunt, body) in enumerate(acts)
    ]  # fmt: skip
    result = HuntResult("x", "x", "medium", "duckdb", True, (), [], findings)
    store = stored(folder / "store", [*(body for _, body in acts), *others])
    with store.engine() as engine:
        (tied,) = with_ties([result], (PROXY,), engine, Window(since=START))
    return timelines_of(tied.findings, tactics=TACTICS)


def chains(made: Sequence[ActorTimeline]) -> list[list[str]]:
    return [[finding.hunt for finding in story.chain] for story in made if story.chain]


ONE_ADDRESS = [
    act("scan", ANONYMOUS, code=403),
    act("dump", ACCOUNT, minutes=1),
    act("escalate", ACCOUNT, minutes=2, code=403),
]


def test_a_scanner_that_becomes_a_service_account_is_one_story(tmp_path: Path) -> None:
    (story,) = stories(tmp_path, ONE_ADDRESS)
    assert story.actor == f"{ANONYMOUS} and {ACCOUNT} from {ATTACKER}"
    assert story.level == "critical"
    assert story.chain_text == (
        f"discovery (scan by {ANONYMOUS}, failed), "
        f"then credential access (dump by {ACCOUNT}, succeeded), "
        f"then privilege escalation (escalate by {ACCOUNT}, failed)"
    )
    assert story.outcome == "failure"


def test_findings_of_the_same_actors_from_elsewhere_stay_their_own(tmp_path: Path) -> None:
    made = stories(tmp_path, [*ONE_ADDRESS, act("scan", ACCOUNT, "10.244.1.5", minutes=3)])
    assert chains(made) == [["scan", "dump", "escalate"]]
    assert [story.actor for story in made][1:] == [ACCOUNT]
    assert sum(len(story.findings) for story in made) == 4, "each finding is in one story"


def in_an_office(*names: str, days: float = 0) -> list[dict[str, Any]]:
    return [
        event(user=name, source=OFFICE, seconds=30 + number - days * DAY, name=f"p{days}")
        for number, name in enumerate(names)
    ]


OF_TWO = [act("scan", "alice", OFFICE), act("dump", "bob", OFFICE), act("escalate", "bob", OFFICE)]
PEOPLE = {
    "a gateway of many": (OF_TWO, in_an_office("carol", "dave", "erin")),
    "two who have done nothing": (OF_TWO, in_an_office("carol", "dave")),
    "two who shared it the day before": (OF_TWO, in_an_office("alice", "bob", days=2)),
    "a node": (
        [act("scan", "alice", NODE_ADDRESS), *(act(hunt, ACCOUNT, NODE_ADDRESS)
                                                for hunt in ("dump", "escalate"))],
        [event(user=NODE, source=NODE_ADDRESS)],
    ),
    "a trusted proxy": (
        [act("scan", "alice", "10.9.0.4"), act("dump", ACCOUNT, "10.9.0.4"),
         act("escalate", ACCOUNT, "10.9.0.4")],
        [event(user=PROXY.account, source="10.9.0.4", impersonatedUser={"username": "zoe"})],
    ),
    "the API server's own machine": (
        [act("scan", "alice", "127.0.0.1"), act("dump", "bob", "127.0.0.1"),
         act("escalate", "bob", "127.0.0.1")],
        [],
    ),
    "several addresses": (
        [act("scan", "alice", OFFICE), act("dump", "bob", ATTACKER),
         act("escalate", "bob", ATTACKER)],
        [],
    ),
    "two acts of three": ([act("scan", ANONYMOUS), act("dump", ACCOUNT)], []),
    "not in order": (
        [act("escalate", ANONYMOUS), act("dump", ACCOUNT), act("scan", ACCOUNT)], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PEOPLE)
def test_people_and_components_behind_one_address_are_not_tied_together(
    case: str, tmp_path: Path
) -> None:
    acts, others = PEOPLE[case]
    made = stories(tmp_path, acts, others)
    assert chains(made) == []
    assert len({story.actor for story in made}) == 2


def test_one_bystander_does_not_hide_an_attacker(tmp_path: Path) -> None:
    made = stories(tmp_path, ONE_ADDRESS, [event(user="eve", source=ATTACKER)])
    assert chains(made) == [["scan", "dump", "escalate"]]


def test_an_audit_id_of_somebody_else_moves_nobody_into_a_story(tmp_path: Path) -> None:
    """Clients choose auditIDs: those of alice's requests, sent from the attacker's address."""
    alice = [act(hunt, "alice", OFFICE, minutes=n) for n, hunt in enumerate(("dump", "escalate"))]
    forged = [
        event(user="mallory", source=ATTACKER, seconds=5) | {"auditID": body["auditID"]}
        for _, body in alice
    ]
    made = stories(tmp_path, [act("scan", "mallory"), *alice], forged)
    assert chains(made) == []


def test_who_minted_a_token_and_who_used_it_are_one_story(tmp_path: Path) -> None:
    acts = [
        act("scan", "alice", "10.244.1.1"),
        act("dump", "alice", "10.244.1.1", issued="JTI=m", verb="create"),
        act("escalate", ACCOUNT, "10.244.2.2", credential="JTI=m"),
        act("backdoor", ACCOUNT, "10.244.2.3", credential="JTI=own"),
    ]
    made = stories(tmp_path, acts)
    assert chains(made) == [["scan", "dump", "escalate"]]
    assert made[0].actor == f"alice and {ACCOUNT} with JTI=m"
    assert [story.actor for story in made][1:] == [ACCOUNT], "with a token of its own"


def test_a_kubelet_that_mints_the_tokens_of_its_pods_is_not_tied_to_them(tmp_path: Path) -> None:
    acts = [
        act("scan", NODE, "10.0.1.11", issued="JTI=m", verb="create"),
        act("dump", ACCOUNT, "10.244.2.2", credential="JTI=m"),
        act("escalate", ACCOUNT, "10.244.2.2", credential="JTI=m"),
    ]
    assert chains(stories(tmp_path, acts)) == []


def test_an_actors_own_chain_is_not_torn_apart(tmp_path: Path) -> None:
    acts = [
        act("scan", "alice", OFFICE),
        act("scan", ANONYMOUS),
        act("dump", "alice"),
        act("escalate", "alice"),
        act("dump", ANONYMOUS),
    ]
    made = stories(tmp_path, acts)
    assert chains(made) == [["scan", "dump", "escalate"]]
    assert made[0].actor == "alice"


CHAIN = ("anonymous_endpoint_scan", "secret_dump_all_namespaces", "cluster_admin_binding")


def attack_from_one_address() -> list[dict[str, Any]]:
    subjects = [{"kind": "User", "name": "mallory"}]
    role = {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"}
    events = [
        *burst(6, user=ANONYMOUS, resource="kind{n}", code=403, source=ATTACKER),
        event("list", "secrets", namespace="", user=ACCOUNT, source=ATTACKER, seconds=90),
        event(
            "create", "clusterrolebindings", namespace="", name="x", user=ACCOUNT, source=ATTACKER,
            seconds=120, code=201, level="RequestResponse",
            requestObject={"roleRef": role, "subjects": subjects},
        ),
    ]  # fmt: skip
    events[-1]["objectRef"] |= {"apiGroup": "rbac.authorization.k8s.io"}
    return events


def text_of_chain(engine: Engine) -> str:
    hunts = load_hunts(CHAIN)
    results = run_hunts(hunts, engine, Window())
    findings = [finding for result in results for finding in result.findings]
    (story,) = timelines_of(findings, tactics=tactics_by_hunt(hunts))
    return story.chain_text


def test_the_same_story_is_made_on_every_engine(
    cluster: Cluster, prefix: str, tmp_path: Path
) -> None:
    events = attack_from_one_address()
    with stored(tmp_path / "store", events).engine() as engine:
        expected = text_of_chain(engine)
    assert expected == (
        f"discovery (anonymous_endpoint_scan by {ANONYMOUS}, failed), "
        f"then credential access (secret_dump_all_namespaces by {ACCOUNT}, succeeded), "
        f"then privilege escalation (cluster_admin_binding by {ACCOUNT}, succeeded)"
    )
    assert text_of_chain(fill(cluster, prefix, [normalized(body) for body in events])) == expected


def test_text_json_and_report_tell_the_chain_with_its_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path / "audit.log", attack_from_one_address())
    asked = ("hunt", *CHAIN, "--input", log, "--group", "actor")
    (story,) = json.loads(k8sidx(*asked, "-o", "json").stdout)
    assert story["actor"] == f"{ANONYMOUS} and {ACCOUNT} from {ATTACKER}"
    assert (story["level"], story["chain"]) == ("critical", list(CHAIN))
    assert story["outcome"] == "success"
    assert story["chain_text"].endswith(f"(cluster_admin_binding by {ACCOUNT}, succeeded)")
    printed = " ".join(k8sidx(*asked, "-o", "table").stdout.split())
    assert f"secret_dump_all_namespaces by {ACCOUNT}, succeeded" in printed
    page = tmp_path / "report.html"
    hunts = load_hunts(CHAIN)  # the whole library takes long
    monkeypatch.setattr("k8sidx.cli.report.selected_hunts", lambda *_: hunts)
    report = k8sidx("report", "--input", log, "-o", page)
    assert report.exit_code == 0, report.output
    assert f"by {ACCOUNT}, succeeded" in page.read_text("utf-8")
