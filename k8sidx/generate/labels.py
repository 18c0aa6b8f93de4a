"""Labels of the planted attacks, for judging hunts by them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from k8sidx.generate.ordinary import SECOND, people
from k8sidx.generate.plan import Plan, Planted


def labels_of(plan: Plan, crowd: int) -> dict[str, Any]:
    """The labels, once all lines were written.

    :param crowd: number of people who work with the cluster.
    """
    return {
        "since": f"{plan.halfway:%Y-%m-%dT%H:%M:%SZ}",
        "lists": _lists(plan, crowd),
        "attacks": [
            _label(one) for one in sorted(plan.planted, key=lambda one: (one.first, one.hunts))
        ],
    }


def _label(one: Planted) -> dict[str, Any]:
    return {
        "hunts": list(one.hunts),
        "user": one.actor.name,
        "sourceIPs": [one.actor.address],
        "userAgent": one.actor.agent,
        "codes": sorted({step.code for step in one.attack.steps}),
        "start": _time(one.first),
        "end": _time(one.last),
        "events": one.events,
        "alone": one.attack.alone,
        "lists": sorted(one.attack.lists),
        "auditIDs": one.audit_ids,
        "beforeAuditIDs": one.before,
    }


def _time(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / SECOND, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _lists(plan: Plan, crowd: int) -> dict[str, list[str]]:
    """Entries of the lists that hunts need, as somebody who knows this cluster writes them."""
    lists: dict[str, set[str]] = {}
    for one in plan.planted:
        for name, entries in one.attack.lists.items():
            lists.setdefault(name, set()).update(entries)
    if "known_users" in lists:
        lists["known_users"].update(person.name for _, person in people(crowd))
        lists["known_users"].update(
            one.actor.name
            for one in plan.planted
            if "unlisted_user" not in one.hunts and not one.actor.name.startswith("system:")
        )
    return {name: sorted(entries - {""}) for name, entries in sorted(lists.items())}
