"""Requests that a hunt is about, as examples: of its attack, and of what its condition names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from k8sidx.events.fields.lookup import resolve
from k8sidx.generate.attacks import ATTACKS
from k8sidx.generate.step import API_GROUP, Actor, Step
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.visibility import LEVELS, needs_bodies
from k8sidx.query.algebra import And, Compare, Condition, Leaf, OneOf, Or

_NOBODY = Actor("jane.doe", "192.0.2.1")
_RESOURCE = ("objectRef.resource", "target.resource")
_TIME = "2026-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Request:
    """An example of a request that a hunt is about.

    :param event: the event as audit.k8s.io/v1 JSON.
    :param level: the lowest audit level at which the hunt can judge it.
    """

    event: dict[str, Any]
    level: str

    @property
    def text(self) -> str:
        """Verb and resource, or the path of a request for no resource."""
        target = self.event.get("objectRef") or {}
        if not target.get("resource"):
            return f"{self.event['verb']} {str(self.event['requestURI']).partition('?')[0]}"
        group = f".{target['apiGroup']}" if target.get("apiGroup") else ""
        subresource = f"/{target['subresource']}" if target.get("subresource") else ""
        return f"{self.event['verb']} {target['resource']}{group}{subresource}"


def requests_of(hunt: Hunt) -> list[Request]:
    """Return requests that a hunt must see, one of each kind.

    Those of the attack that ``k8sidx generate`` plants for it, and for each resource that its
    condition names the like of it. Empty for a rule of one's own that names no resource.
    """
    level = hunt.level_needed if needs_bodies(hunt) else LEVELS[0]
    requests: dict[tuple[str, str, str], Request] = {}
    for event in (*_attack(hunt), *_named(hunt)):
        request = Request(event, level)
        who = str((event.get("user") or {}).get("username"))
        requests.setdefault((request.text, who, str(event["stage"])), request)
    return list(requests.values())


def is_about_everything(hunt: Hunt) -> bool:
    """Whether a hunt is about requests for any resource, as the top-N tables are."""
    return not any(True for _ in _values(hunt.condition, _RESOURCE)) and not any(
        True for _ in _values(hunt.condition, ("url.path", "requestURI"))
    )


def _attack(hunt: Hunt) -> Iterator[dict[str, Any]]:
    attack = ATTACKS.get(hunt.id)
    if attack is None:
        return
    actor = Actor(
        _NOBODY.name if attack.user is None else attack.user,
        attack.address or _NOBODY.address,
        attack.agent or _NOBODY.agent,
    )
    for step in (*attack.before, *attack.steps):
        yield step.event(actor, "", _TIME, _TIME)


def _named(hunt: Hunt) -> Iterator[dict[str, Any]]:
    resources = sorted(set(_values(hunt.condition, _RESOURCE)))
    verbs = sorted(set(_values(hunt.condition, ("verb",)))) or _verbs_of_attack(hunt)
    for name in resources:
        resource, _, subresource = name.partition("/")
        if not resource or any(sign in name for sign in "*?"):
            continue
        for verb in verbs:
            group = API_GROUP.get(resource)
            if group is None and resource not in _core_resources():
                continue  # of an API group that is not known here
            step = Step(verb, resource, "example", subresource=subresource)
            yield step.event(_NOBODY, "", _TIME, _TIME)


def _verbs_of_attack(hunt: Hunt) -> list[str]:
    attack = ATTACKS.get(hunt.id)
    return sorted({step.verb for step in attack.steps}) if attack else []


@cache
def _core_resources() -> frozenset[str]:
    return frozenset(
        step.resource
        for attack in ATTACKS.values()
        for step in attack.steps
        if step.resource not in API_GROUP
    )


def _values(condition: Condition, fields: tuple[str, ...]) -> Iterator[str]:
    """Yield the values with which a condition compares fields, not what it excludes."""
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _values(part, fields)
        case Compare(op="=", value=value) if _is_of(condition, fields):
            yield str(value)
        case OneOf(values=values) if _is_of(condition, fields):
            yield from map(str, values)


def _is_of(leaf: Leaf, fields: tuple[str, ...]) -> bool:
    return resolve(leaf.field).field.name in fields
