"""An audit policy that logs what chosen hunts need, and little else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from k8sidx.backends.protocol import Engine
from k8sidx.events.audit_policy import AuditPolicy, GroupResources, PolicyRule
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.time_window import Window, count_events
from k8sidx.hunt.policy.blind import sights
from k8sidx.hunt.policy.cost import condition_of, costs
from k8sidx.hunt.policy.requests import is_about_everything, requests_of
from k8sidx.query.algebra import And, Not, Or

_READS = ("get", "list", "watch")
NOISE = (
    ("leases that components hold", PolicyRule(
        "None", verbs=(*_READS, "update", "patch"),
        groups=("system:nodes", "system:serviceaccounts:kube-system"),
        resources=(GroupResources("coordination.k8s.io", ("leases",)),),
    )),
    ("leases of the scheduler and the controller manager", PolicyRule(
        "None", users=("system:kube-scheduler", "system:kube-controller-manager"),
        verbs=(*_READS, "update", "patch"),
        resources=(GroupResources("coordination.k8s.io", ("leases",)),),
    )),
    ("what the scheduler and the controller manager read", PolicyRule(
        "None", users=("system:kube-scheduler", "system:kube-controller-manager"), verbs=_READS,
    )),
    ("what nodes watch and read of pods, nodes and services", PolicyRule(
        "None", verbs=_READS, groups=("system:nodes",),
        resources=(GroupResources("", ("pods", "nodes", "nodes/status", "services")),),
    )),
    ("what kube-proxy watches", PolicyRule(
        "None", users=("system:kube-proxy", "system:serviceaccount:kube-system:kube-proxy"),
        verbs=_READS,
    )),
    ("watches of the accounts of kube-system", PolicyRule(
        "None", verbs=("watch",), groups=("system:serviceaccounts:kube-system",),
    )),
    ("Kubernetes events", PolicyRule(
        "None", verbs=("create", "patch", "update"),
        resources=(GroupResources("", ("events",)), GroupResources("events.k8s.io", ("events",))),
    )),
    ("status of nodes", PolicyRule(
        "None", verbs=("patch", "update"), groups=("system:nodes",),
        resources=(GroupResources("", ("nodes/status", "pods/status")),),
    )),
    ("health checks and discovery", PolicyRule(
        "None",
        urls=("/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*", "/swagger*"),
    )),
)  # fmt: skip
"""Requests of a cluster's own machinery, by the cost of most clusters."""

CREDENTIALS = frozenset({"secrets", "configmaps", "serviceaccounts/token"})
"""Resources whose bodies are credentials, or may be."""


class _Need(NamedTuple):
    """An audit level that a hunt needs of a resource, with its subresource."""

    level: str
    group: str
    resource: str


@dataclass(frozen=True, slots=True)
class Written:
    """A policy, with what there is to say of it.

    :param comments: one for each rule.
    :param before_noise: how many rules come before those against noise: what they log is
        logged of everybody.
    :param logged: events a day that it logs, as measured; ``None`` if they were not.
    """

    policy: AuditPolicy
    comments: tuple[str, ...]
    before_noise: int
    logged: int | None = None


def policy_for(hunts: Sequence[Hunt]) -> Written:
    """Return the policy with which every one of the hunts sees what it is about."""
    everything = {hunt.id for hunt in hunts if is_about_everything(hunt)}
    needs = _needs(hunts)
    bodies = {key: ids for key, ids in needs.items() if key.level != "Metadata"}
    read = {key.resource for key in bodies}
    wanted = CREDENTIALS if everything else CREDENTIALS & {key.resource for key in needs}
    entries = _metadata(wanted - read, "Credentials: without content.")
    entries += _rules(bodies)
    entries += _metadata(wanted & read, "What else is done with them: without content.")
    before_noise = len(entries)
    if everything:
        text = f"All other requests: {_ids_text(everything)}"
        entries.append((PolicyRule("Metadata"), text))
    else:
        rest = {key: ids for key, ids in needs.items() if key.level == "Metadata"}
        entries += _rules({k: ids for k, ids in rest.items() if k.resource not in CREDENTIALS})
    rules, comments = zip(*entries, strict=True) if entries else ((), ())
    return Written(AuditPolicy(rules, ("RequestReceived",)), comments, before_noise)


def _metadata(names: Iterable[str], comment: str) -> list[tuple[PolicyRule, str]]:
    """Return the rule that logs resources of the core group without their bodies."""
    resources = (GroupResources("", tuple(sorted(names))),)
    rule = PolicyRule("Metadata", resources=resources)
    return [(rule, comment)] if resources[0].resources else []


def within_budget(
    written: Written, hunts: Sequence[Hunt], budget: int, engine: Engine, window: Window
) -> Written:
    """Return a policy that logs about so many events a day, as measured in a store.

    Rules against noise are added, those that save most first, but none that hides from a hunt
    what its attack or its condition names. The policy may log more than the budget still.

    :param budget: events a day.
    """
    policy, before = written.policy, written.before_noise
    measured = costs(policy, engine, window)
    logged = measured.logged_a_day
    comments = list(written.comments)
    hidden = _hidden_from(policy, hunts)
    always = Or(tuple(condition_of(rule) for rule in policy.rules[:before]))
    saving = {
        name: measured.a_day(count_events(And((condition_of(rule), Not(always))), engine, window))
        for name, rule in NOISE
    }
    for name, rule in sorted(NOISE, key=lambda entry: saving[entry[0]], reverse=True):
        if logged <= budget or not saving[name]:
            break
        rules = (*policy.rules[:before], rule, *policy.rules[before:])
        tried = AuditPolicy(rules, policy.omit_stages)
        if _hidden_from(tried, hunts) == hidden:
            policy, logged = tried, costs(tried, engine, window).logged_a_day
            comments.insert(before, f"Noise: {name}.")
    return Written(policy, tuple(comments), before, logged)


def _hidden_from(policy: AuditPolicy, hunts: Iterable[Hunt]) -> int:
    """Return how many kinds of requests a policy hides from hunts that are about a resource."""
    about = (hunt for hunt in hunts if not is_about_everything(hunt))
    return sum(len(sight.hidden) for sight in sights(policy, about))


def _needs(hunts: Iterable[Hunt]) -> dict[_Need, dict[str, set[str]]]:
    """Return the ids of the hunts that need a level of a resource, by verb."""
    needs: dict[_Need, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for hunt in hunts:
        for request in requests_of(hunt):
            target = request.event.get("objectRef") or {}
            resource = str(target.get("resource") or "")
            if not resource:
                continue
            if target.get("subresource"):
                resource += f"/{target['subresource']}"
            key = _Need(request.level, str(target.get("apiGroup") or ""), resource)
            needs[key][str(request.event["verb"])].add(hunt.id)
    return needs


def _rules(needs: Mapping[_Need, Mapping[str, set[str]]]) -> list[tuple[PolicyRule, str]]:
    """Return rules, those that log bodies first, each with the hunts that need it."""
    resources: dict[tuple[str, tuple[str, ...]], dict[str, set[str]]] = defaultdict(
        lambda: defaultdict(set)
    )
    ids: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for need, verbs in needs.items():
        key = (need.level, tuple(sorted(verbs)))
        resources[key][need.group].add(need.resource)
        ids[key].update(*verbs.values())
    return [
        (
            PolicyRule(
                key[0],
                verbs=key[1],
                resources=tuple(
                    GroupResources(group, tuple(sorted(names)))
                    for group, names in sorted(resources[key].items())
                ),
            ),
            _ids_text(ids[key]),
        )
        for key in sorted(resources, key=lambda key: (key[0] == "Metadata", key[1]))
    ]


def _ids_text(ids: set[str]) -> str:
    shown = sorted(ids)[:4]
    more = len(ids) - len(shown)
    return ", ".join(shown) + (f" and {more} more hunts" if more else "") + "."


def policy_text(written: Written, heading: Sequence[str]) -> str:
    """Return the policy as YAML, ready for ``--audit-policy-file``."""
    lines = [f"# {line}" for line in heading]
    lines += ["apiVersion: audit.k8s.io/v1", "kind: Policy"]
    if written.policy.omit_stages:
        lines += ["omitStages:", *(f"- {stage}" for stage in written.policy.omit_stages)]
    lines.append("rules:")
    for rule, comment in zip(written.policy.rules, written.comments, strict=True):
        lines.append(f"# {comment}")
        lines += _yaml(rule)
    return "\n".join(lines) + "\n"


def _yaml(rule: PolicyRule) -> list[str]:
    document = _document(rule)
    level = document.pop("level")
    if not document:
        return [f"- level: {level}"]
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=90)
    return [f"- level: {level}", *(f"  {line}" for line in text.rstrip("\n").split("\n"))]


def _document(rule: PolicyRule) -> dict[str, Any]:
    entries = [
        {"group": entry.group}
        | ({"resources": list(entry.resources)} if entry.resources else {})
        | ({"resourceNames": list(entry.names)} if entry.names else {})
        for entry in rule.resources
    ]
    document = {
        "level": rule.level,
        "users": list(rule.users),
        "userGroups": list(rule.groups),
        "verbs": list(rule.verbs),
        "namespaces": list(rule.namespaces),
        "resources": entries,
        "nonResourceURLs": list(rule.urls),
        "omitStages": list(rule.omit_stages),
    }
    return {key: value for key, value in document.items() if value}
