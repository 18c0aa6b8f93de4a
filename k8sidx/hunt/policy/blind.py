"""Hunts that an audit policy blinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from k8sidx.events.audit_policy import LEVELS, AuditPolicy, Decision, decide
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.policy.requests import Request, requests_of


class Hidden(NamedTuple):
    """A request that a hunt is about and that a policy hides from it."""

    request: Request
    decision: Decision

    @property
    def reason(self) -> str:
        """Clause on how the policy hides the request, with its line."""
        level, rule = self.decision.level, self.decision.rule
        if rule is None:
            return "no rule matches it"
        if level == "None":
            stage = self.request.event["stage"]
            how = f"stage {stage} omitted" if rule.level != "None" else "not logged"
            return f"{how}, line {rule.line}"
        return f"logged at {level}, {self.request.level} is needed, line {rule.line}"


@dataclass(frozen=True, slots=True)
class Sight:
    """Requests of a hunt that a policy logs or hides.

    :param requests: how many kinds of requests were tried; 0 if none is known.
    """

    hunt: Hunt
    requests: int
    hidden: tuple[Hidden, ...]

    @property
    def verdict(self) -> str:
        """``sees``, ``partly blind``, ``blind``, or ``unknown``."""
        if not self.requests:
            return "unknown"
        if not self.hidden:
            return "sees"
        return "blind" if len(self.hidden) == self.requests else "partly blind"


def only_dropping(policy: AuditPolicy) -> AuditPolicy:
    """Return the policy as ``ship --drop`` applies it: what it logs at all is kept as it is."""
    rules = tuple(
        rule if rule.level == "None" else replace(rule, level=LEVELS[-1]) for rule in policy.rules
    )
    return replace(policy, rules=rules)


def sights(policy: AuditPolicy, hunts: Iterable[Hunt]) -> list[Sight]:
    """Return what a policy lets each hunt see, by the requests that it is about."""
    return [_sight(policy, hunt) for hunt in hunts]


def _sight(policy: AuditPolicy, hunt: Hunt) -> Sight:
    requests = requests_of(hunt)
    hidden = []
    for request in requests:
        decision = decide(policy, request.event)
        if LEVELS.index(decision.level) < LEVELS.index(request.level):
            hidden.append(Hidden(request, decision))
    return Sight(hunt, len(requests), tuple(hidden))
