"""Events that each rule of an audit policy would log, as measured in a store.

A store has what the policy that was in force logged: what that one left out is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from k8sidx.backends.protocol import Engine
from k8sidx.events.audit_policy import AuditPolicy, GroupResources, PolicyRule
from k8sidx.hunt.kinds.evidence import as_count
from k8sidx.hunt.kinds.time_window import EXTENT, Window
from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Condition,
    Metric,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Wildcard,
)
from k8sidx.query.wildcard import escape

RESOURCE, SUBRESOURCE = "objectRef.resource", "objectRef.subresource"
_LEAST = timedelta(hours=1)
"""Shortest period from which a rate a day is computed."""


@dataclass(frozen=True, slots=True)
class RuleCost:
    """Events that one rule decides about.

    :param rule: ``None`` for the events that no rule matches.
    :param events: of the period.
    :param bytes: of these events as sent.
    """

    rule: PolicyRule | None
    events: int
    bytes: int


class Costs(NamedTuple):
    """Events that the rules of a policy decide about.

    :param days: length of the period that the events are of; 0 without events.
    """

    rules: list[RuleCost]
    days: float

    @property
    def events(self) -> int:
        """All events of the period."""
        return sum(cost.events for cost in self.rules)

    def a_day(self, events: int) -> int:
        """Return a number of events as a rate a day."""
        return round(events / self.days) if self.days else 0

    @property
    def logged_a_day(self) -> int:
        """Events a day that the policy logs at some level."""
        logged = (cost for cost in self.rules if cost.rule and cost.rule.level != "None")
        return self.a_day(sum(cost.events for cost in logged))


def costs(policy: AuditPolicy, engine: Engine, window: Window) -> Costs:
    """Return how many events each rule of a policy would log, and its default."""
    rules: list[RuleCost] = []
    earlier: Condition = NEVER
    for rule in (*policy.rules, None):
        own = Always() if rule is None else condition_of(rule)
        rules.append(_cost(rule, And((own, Not(earlier))), engine, window))
        earlier = Or((earlier, own))
    return Costs(rules, _days(engine, window))


def _cost(rule: PolicyRule | None, where: Condition, engine: Engine, window: Window) -> RuleCost:
    metrics = (Metric("events", "count"), Metric("bytes", "sum", "event.bytes"))
    result = engine.run(Query(where=where, since=window.since, until=window.until, metrics=metrics))
    events, size = result.rows[0]
    return RuleCost(rule, as_count(events), int(float(str(size or 0))))


def _days(engine: Engine, window: Window) -> float:
    row = engine.run(EXTENT.replace(since=window.since, until=window.until)).rows[0]
    first, last = (datetime.fromisoformat(str(value)) if value else None for value in row)
    if first is None or last is None:
        return 0.0
    return max(last - first, _LEAST) / timedelta(days=1)


def condition_of(rule: PolicyRule) -> Condition:
    """Return the condition of the events that a rule matches.

    Stages that a rule omits are not part of it.
    """
    parts: list[Condition] = []
    if rule.users:
        parts.append(OneOf("user.username", rule.users))
    if rule.groups:
        parts.append(OneOf("user.groups", rule.groups))
    if rule.verbs:
        parts.append(OneOf("verb", rule.verbs))
    if rule.namespaces or rule.resources:
        parts.append(Present(RESOURCE))
        if rule.namespaces:
            parts.append(_equal_or_missing("objectRef.namespace", rule.namespaces))
        if rule.resources:
            parts.append(Or(tuple(_resources(entry) for entry in rule.resources)))
    elif rule.urls:
        parts.append(Not(Present(RESOURCE)))
        parts.append(Or(tuple(_path(url) for url in rule.urls)))
    return And(tuple(parts))


def _equal_or_missing(field: str, values: tuple[str, ...]) -> Condition:
    """Return the condition of the events that have one of the values; "" is none at all."""
    present = OneOf(field, tuple(value for value in values if value))
    return Or((present, Not(Present(field)))) if "" in values else present


def _resources(entry: GroupResources) -> Condition:
    parts: list[Condition] = [Compare("objectRef.apiGroup", "=", entry.group or "core")]
    if entry.resources:
        parts.append(Or(tuple(_resource(form) for form in entry.resources)))
    if entry.names:
        parts.append(_equal_or_missing("objectRef.name", entry.names))
    return And(tuple(parts))


def _resource(form: str) -> Condition:
    resource, slash, subresource = form.partition("/")
    if form == "*":
        return Always()
    if subresource == "*":
        return Compare(RESOURCE, "=", resource)
    if resource == "*" and slash:
        return Compare(SUBRESOURCE, "=", subresource)
    own = Compare(SUBRESOURCE, "=", subresource) if slash else Not(Present(SUBRESOURCE))
    return And((Compare(RESOURCE, "=", resource), own))


def _path(url: str) -> Condition:
    if url.endswith("*"):
        return Wildcard("url.path", escape(url.rstrip("*")) + "*")
    return Compare("url.path", "=", url)
