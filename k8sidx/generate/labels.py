"""Labels of the planted attacks, for judging hunts by them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from k8sidx.generate.ordinary import SECOND, people
from k8sidx.generate.plan import Plan, Planted


def labels_of(plan: Plan, crowd: int) -> dict[str, Any]:
    """Return the labels, after all lines were written.

    :param crowd: number of people who work with the cluster.
    """
    return {
        "since": f"{plan.halfway:%Y-%m-%dT%H:%M:%SZ}",
        "lists": _lists(plan, crowd),
        "attacks": [
            _label(planted)
            for planted in sorted(plan.planted, key=lambda planted: (planted.first, planted.hunts))
        ],
    }


def _label(planted: Planted) -> dict[str, Any]:
    return {
        "hunts": list(planted.hunts),
        "user": planted.actor.name,
        "sourceIPs": [planted.actor.address],
        "userAgent": planted.actor.agent,
        "codes": sorted({step.code for step in planted.attack.steps}),
        "start": _time(planted.first),
        "end": _time(planted.last),
        "events": planted.events,
        "alone": planted.attack.alone,
        "lists": sorted(planted.attack.lists),
        "auditIDs": planted.audit_ids,
        "beforeAuditIDs": planted.before,
    }


def _time(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / SECOND, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _lists(plan: Plan, crowd: int) -> dict[str, list[str]]:
    """Return the entries of the lists that hunts need, as an operator would write them."""
    lists: dict[str, set[str]] = {}
    for planted in plan.planted:
        for name, entries in planted.attack.lists.items():
            lists.setdefault(name, set()).update(entries)
    if "known_users" in lists:
        lists["known_users"].update(person.name for _, person in people(crowd))
        lists["known_users"].update(
            planted.actor.name
            for planted in plan.planted
            if "unlisted_user" not in planted.hunts and not planted.actor.name.startswith("system:")
        )
    return {name: sorted(entries - {""}) for name, entries in sorted(lists.items())}
