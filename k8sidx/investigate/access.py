"""Rights that an actor used, as roles of RBAC.

Only requests that the API server allowed are rights; refused ones are listed apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from k8sidx.backends.protocol import Engine
from k8sidx.backends.result import Value
from k8sidx.investigate.scope import Period
from k8sidx.query.algebra import And, Compare, Condition, Metric, Not, Or, Query, Terms

_KEYS = (
    "objectRef.namespace", "objectRef.apiGroup", "objectRef.resource", "objectRef.subresource",
    "url.path", "verb",
)  # fmt: skip
_DECISION = "annotations.authorization.k8s.io/decision"
DENIED = Or((Compare(_DECISION, "=", "forbid"), Compare("responseStatus.code", "=", 403)))
MAX_NAMES = 20
"""Names of objects up to which a rule lists them."""


@dataclass(slots=True)
class Access:
    """Rights that were used and refused.

    :ivar allowed: events of allowed requests.
    :ivar denied: refused requests as ``verb resource (namespace)``, with their events.
    :ivar roles: manifests of roles.
    """

    allowed: int = 0
    denied: dict[str, int] = field(default_factory=dict)
    roles: list[dict[str, Any]] = field(default_factory=list)


_Rules = dict[tuple[str, str], dict[str, set[str]]]
"""Names of objects by verb, by group and resource."""


def access_of(
    engine: Engine, actor: str, period: Period, name: str, *, with_names: bool = False
) -> Access:
    """Return the rights that an actor used, those of others in its name included.

    :param actor: full user name.
    :param name: of the roles.
    :param with_names: restrict rules to the objects that were named, where they are few.
    :raises StoreError: when the store cannot be read.
    """
    access = Access()
    where = Compare("user.effective.name", "=", actor)
    by_namespace: dict[str, _Rules] = defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
    paths: dict[str, set[str]] = defaultdict(set)
    more = ("objectRef.name",) if with_names else ()
    for row in _rows(engine, And((where, Not(DENIED))), period, more):
        namespace, group, resource, subresource, path, verb, *named, count = row
        access.allowed += int(count) if isinstance(count, int) else 0
        if not resource:
            if path:
                paths[str(path)].add(str(verb))
            continue
        target = f"{resource}/{subresource}" if subresource else str(resource)
        api_group = "" if group in (None, "core") else str(group)
        space = "" if resource == "namespaces" else str(namespace or "")
        name_of_object = str(named[0] or "") if named else ""
        by_namespace[space][(api_group, target)][str(verb)].add(name_of_object)
    for row in _rows(engine, And((where, DENIED)), period, ()):
        namespace, _, resource, subresource, path, verb, count = row
        target = f"{resource}/{subresource}" if subresource else str(resource or path or "?")
        key = f"{verb} {target}" + (f" in {namespace}" if namespace else "")
        access.denied[key] = access.denied.get(key, 0) + (count if isinstance(count, int) else 0)
    for space in sorted(by_namespace):
        if rules := _rules(by_namespace[space], with_names=with_names):
            access.roles.append(_role(name, space, rules))
    everywhere = _impersonated(engine, actor, period)
    everywhere += [
        {"nonResourceURLs": [path], "verbs": sorted(paths[path])} for path in sorted(paths)
    ]
    if everywhere:
        cluster = next((role for role in access.roles if role["kind"] == "ClusterRole"), None)
        if cluster is None:
            cluster = _role(name, "", [])
            access.roles.insert(0, cluster)
        cluster["rules"] += everywhere
    return access


def _rows(
    engine: Engine, where: Condition, period: Period, more: tuple[str, ...]
) -> list[tuple[Value, ...]]:
    query = Query(
        where=where,
        since=period.since,
        until=period.until,
        group_by=tuple(Terms(key, keep_missing=True) for key in (*_KEYS, *more)),
        metrics=(Metric("n", "count"),),
    )
    return engine.run(query).rows


def _impersonated(engine: Engine, actor: str, period: Period) -> list[dict[str, Any]]:
    """Return the rule that lets the actor act as the users that it acted as."""
    where = And((Compare("user.username", "=", actor), Not(DENIED)))
    query = Query(
        where=where,
        since=period.since,
        until=period.until,
        group_by=(Terms("impersonatedUser.username"),),
        metrics=(Metric("n", "count"),),
    )
    names = sorted(str(row[0]) for row in engine.run(query).rows)
    if not names:
        return []
    rule = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}
    return [rule | {"resourceNames": names}]


def _rules(
    used: Mapping[tuple[str, str], Mapping[str, set[str]]], *, with_names: bool
) -> list[dict[str, Any]]:
    """Return the rules of a role; resources with the same verbs share one."""
    gathered: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, target), verbs in sorted(used.items()):
        by_names: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for verb, names in sorted(verbs.items()):
            restricted = with_names and "" not in names and len(names) <= MAX_NAMES
            # Creation cannot be restricted by name: the authorizer does not see it.
            key = tuple(sorted(names)) if restricted and verb != "create" else ()
            by_names[key].append(verb)
        for key, alike in by_names.items():
            gathered[(group, tuple(alike), key)].append(target)
    rules = []
    for (group, alike_verbs, only), targets in sorted(gathered.items()):
        rule: dict[str, Any] = {
            "apiGroups": [group],
            "resources": sorted(targets),
            "verbs": list(alike_verbs),
        }
        if only:
            rule["resourceNames"] = list(only)
        rules.append(rule)
    return rules


def _role(name: str, namespace: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    metadata = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": rules,
    }
