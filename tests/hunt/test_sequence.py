"""Sequence hunts: requests of several rules, by one key, within a time span."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8sidx.errors import InvalidHunt
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds import correlated_events
from k8sidx.hunt.kinds.sequence import SequenceHunt
from k8sidx.hunt.kinds.windows import Request, SequenceMatcher
from k8sidx.hunt.sigma.loader import read_hunts
from tests.building import START, event
from tests.hunt.run_hunt import results

RULE = """---
title: Verb {verb}
name: {verb}
logsource: {{product: kubernetes, service: audit}}
detection: {{s: {{verb: {verb}}}, condition: s}}
"""


def sequence(kind: str, *verbs: str, more: str = "") -> SequenceHunt:
    """A correlation of rules that each match one verb, within a minute, by user."""
    text = f"""
title: A sequence
correlation:
  type: {kind}
  rules: [{", ".join(verbs)}]
  group-by: [user.username]
  timespan: 1m
{more}
""" + "".join(RULE.format(verb=verb) for verb in verbs)
    (hunt,) = read_hunts(text, file="sequence.yml", stem="sequence")
    assert isinstance(hunt, SequenceHunt)
    return hunt


def of(*moments: tuple[str, float], user: str = "eve") -> list[dict[str, Any]]:
    return [event(verb, user=user, seconds=seconds, name=f"{seconds}") for verb, seconds in moments]


@pytest.mark.parametrize(
    ("kind", "moments", "counts"),
    [
        ("temporal", [("get", 0), ("list", 60)], [2]),
        ("temporal", [("list", 0), ("get", 60)], [2]),
        ("temporal", [("get", 0), ("list", 61)], []),
        ("temporal", [("get", 0), ("get", 1)], []),
        ("temporal", [("get", 50), ("list", 70), ("get", 80)], [3]),
        ("temporal", [("get", 0), ("list", 5), ("get", 500), ("list", 505)], [2, 2]),
        ("temporal_ordered", [("get", 0), ("list", 60)], [2]),
        ("temporal_ordered", [("get", 0), ("list", 61)], []),
        ("temporal_ordered", [("list", 0), ("get", 60)], []),
        ("temporal_ordered", [("list", 0), ("get", 1), ("list", 2)], [2]),
        ("temporal_ordered", [("get", 0), ("get", 40), ("list", 70)], [2]),
        ("temporal_ordered", [("get", 0), ("list", 5), ("list", 6)], [3]),
        ("temporal_ordered", [("get", 0), ("list", 5), ("get", 500), ("list", 505)], [2, 2]),
    ],
)
def test_two_rules(
    kind: str, moments: list[tuple[str, float]], counts: list[int], tmp_path: Path
) -> None:
    found = results(tmp_path, of(*moments), sequence(kind, "get", "list"))
    assert [finding.count for finding in found.findings] == counts


def test_each_key_is_looked_at_by_itself(tmp_path: Path) -> None:
    events = [*of(("get", 0), user="eve"), *of(("list", 1), user="bob")]
    assert results(tmp_path, events, sequence("temporal", "get", "list")).findings == []


def test_a_finding_has_key_numbers_times_and_evidence(tmp_path: Path) -> None:
    events = of(("get", 0), ("delete", 1), ("list", 2))
    found = results(tmp_path, events, sequence("temporal_ordered", "get", "list"))
    (finding,) = found.findings
    assert finding.key == {"user.username": "eve"}
    assert list(finding.audit_ids) == [events[0]["auditID"], events[2]["auditID"]]
    assert finding.first_seen == START + timedelta(milliseconds=2)
    assert finding.reason == (
        "A sequence: Verb get, then Verb list, within 1 minute by user.username eve"
    )
    assert found.columns == ("user.username", "first_seen", "last_seen", "count")
    assert found.rows == [("eve", finding.first_seen, finding.last_seen, 2)]


def test_some_of_the_rules_can_be_enough(tmp_path: Path) -> None:
    hunt = sequence("temporal", "get", "list", "watch", more="  condition: {gte: 2}")
    assert len(results(tmp_path / "a", of(("get", 0), ("watch", 5)), hunt).findings) == 1
    assert results(tmp_path / "b", of(("get", 0), ("get", 5)), hunt).findings == []


def test_one_event_is_not_one_after_the_other(tmp_path: Path) -> None:
    text = """
title: The same event twice
correlation: {type: temporal_ordered, rules: [a, b], group-by: [user.username], timespan: 1m}
""" + "".join(RULE.format(verb="get").replace("name: get", f"name: {n}") for n in "ab")
    (hunt,) = read_hunts(text, file="f.yml", stem="f")
    assert results(tmp_path / "a", of(("get", 0)), hunt).findings == []
    assert len(results(tmp_path / "b", of(("get", 0), ("get", 1)), hunt).findings) == 1


SELF_APPROVED = """
title: The same user requests and approves a certificate
correlation:
  type: temporal_ordered
  rules: [csr_requested, csr_approved]
  aliases:
    request:
      csr_requested: target.name
      csr_approved: objectRef.name
  group-by: [user.effective.name, request]
  timespan: 5m
level: high
k8sidx:
  reason: "{user.effective.name} requested the certificate {request} and approved it {within}"
---
title: Certificate requested
name: csr_requested
logsource: {product: kubernetes, service: audit}
detection:
  s: {objectRef.resource: certificatesigningrequests, verb: create}
  condition: s
---
title: Certificate approved
name: csr_approved
logsource: {product: kubernetes, service: audit}
detection:
  s:
    objectRef.resource: certificatesigningrequests
    objectRef.subresource: approval
    verb: [update, patch]
  condition: s
"""


def csr(verb: str, name: str, seconds: float, **more: Any) -> dict[str, Any]:
    return event(verb, "certificatesigningrequests", name=name, seconds=seconds, **more)


def test_fields_of_different_names_are_one_key_by_alias(tmp_path: Path) -> None:
    (hunt,) = read_hunts(SELF_APPROVED, file="csr.yml", stem="csr")
    answered = {"metadata": {"name": "eve-1"}, "kind": "CertificateSigningRequest"}
    events = [
        csr("create", "", 0, user="eve", responseObject=answered),
        csr("update", "eve-1", 60, user="eve", subresource="approval"),
        csr("create", "other", 0, user="bob"),
        csr("update", "another", 10, user="bob", subresource="approval"),
        csr("update", "other", 20, user="carol", subresource="approval"),
    ]
    found = results(tmp_path, events, hunt)
    (finding,) = found.findings
    assert finding.key == {"user.effective.name": "eve", "request": "eve-1"}
    assert finding.reason.startswith("eve requested the certificate eve-1 and approved it")
    assert finding.level == "high"


COUNTED = """
title: Many by either
correlation:
  type: event_count
  rules: [get, list]
  aliases: {who: {get: user.username, list: impersonatedUser.username}}
  group-by: [who]
  timespan: 1m
  condition: {gte: 4}
""" + RULE.format(verb="get") + RULE.format(verb="list")  # fmt: skip


def test_a_threshold_counts_the_requests_of_aliased_rules_together(tmp_path: Path) -> None:
    (hunt,) = read_hunts(COUNTED, file="f.yml", stem="f")
    listed = [
        event("list", user="proxy", seconds=n, impersonatedUser={"username": "eve"}) for n in (5, 6)
    ]
    found = results(tmp_path, [*of(("get", 1), ("get", 2)), *listed], hunt)
    assert [(f.key, f.count) for f in found.findings] == [({"who": "eve"}, 4)]


def test_a_request_that_both_aliased_rules_match_counts_once(tmp_path: Path) -> None:
    text = COUNTED.replace("verb: list", "verb: get").replace("impersonatedUser", "user.effective")
    text = text.replace("user.effective.username", "user.effective.name")
    (hunt,) = read_hunts(text, file="f.yml", stem="f")
    assert results(tmp_path / "a", of(*[("get", n) for n in range(3)]), hunt).findings == []
    found = results(tmp_path / "b", of(*[("get", n) for n in range(4)]), hunt)
    assert [f.count for f in found.findings] == [4]


def naive(moments: list[tuple[int, int]], length: int, steps: int) -> bool:
    """Whether some requests, one after the other, match all steps within the length."""
    best: list[set[int]] = [set() for _ in range(steps)]
    for time, step in moments:
        starts = {time} if step == 0 else {s for s in best[step - 1] if time - s <= length}
        best[step] |= starts
    return bool(best[-1])


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 2)), max_size=30, unique_by=lambda m: m[0]
    )
)
def test_a_chain_is_found_when_there_is_one(moments: list[tuple[int, int]]) -> None:
    chain = SequenceMatcher(timedelta(seconds=10), 3)
    for place, (time, step) in enumerate(sorted(moments)):
        chain.add(step, Request(START + timedelta(seconds=time), event_id=str(place)))
    assert bool(chain.bursts) == naive(sorted(moments), 10, 3)


@pytest.mark.parametrize("kind", ["temporal", "temporal_ordered"])
def test_portions_and_intervals_change_nothing(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = random.Random(7)  # noqa: S311
    events = [
        one
        for user in ("a", "b", "c", "d", "e")
        for one in of(
            *[(chosen.choice(["get", "list", "watch"]), chosen.randrange(3000)) for _ in range(40)],
            user=user,
        )
    ]
    hunt = sequence(kind, "get", "list", "watch")
    whole = results(tmp_path / "a", events, hunt)
    assert whole.findings
    monkeypatch.setattr(correlated_events, "KEYS_AT_ONCE", 2)
    monkeypatch.setattr(correlated_events, "EVENTS_AT_ONCE", 7)
    assert results(tmp_path / "b", events, hunt).rows == whole.rows


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("temporal_ordered", "  condition: {gte: 1}", "asks for 1 of 2 rules"),
        ("temporal", "  condition: {gte: 3}", "asks for 3 of 2 rules"),
        ("temporal", "  condition: get and not list", "'get and not list' is not supported"),
        ("temporal", "  aliases: {who: {get: verb}}\n  group-by: [who]",
         "alias 'who' has no field of the rule 'list'"),
        ("temporal", "k8sidx: {reason: '{wat}'}", "'wat' is not a known name"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(kind: str, more: str, message: str) -> None:
    with pytest.raises(InvalidHunt, match=message):
        sequence(kind, "get", "list", more=more)


@pytest.mark.parametrize(("said", "at_least"), [("get and list", 2), ("get or list", 1)])
def test_a_condition_in_words(said: str, at_least: int) -> None:
    assert sequence("temporal", "get", "list", more=f"  condition: {said}").at_least == at_least


def test_a_sequence_of_one_rule_is_none() -> None:
    with pytest.raises(InvalidHunt, match="two rules or more"):
        sequence("temporal", "get")


def test_hunts_know_their_kind() -> None:
    hunt: Hunt = sequence("temporal", "get", "list")
    assert hunt.kind == "sequence"
