"""Audit policies of the API server: reading, and the decision about an event.

Source: ``audit.k8s.io/v1`` ``Policy`` (https://kubernetes.io/docs/reference/config-api/
apiserver-audit.v1/); rules match as in ``k8s.io/apiserver/pkg/audit/policy/checker.go``: the
first rule that matches decides, and a request that no rule matches is not logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from k8sidx.errors import UsageError, Where

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
"""Audit levels, those that record less first."""
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_API_VERSIONS = ("audit.k8s.io/v1", "audit.k8s.io/v1beta1")
_TEXT_LISTS = ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "omitStages")
_RULE_KEYS = {"level", "resources", "omitManagedFields", *_TEXT_LISTS}


@dataclass(frozen=True, slots=True)
class GroupResources:
    """Resources of an API group; no resources means all of them, no names every name."""

    group: str
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule; an empty part matches every request."""

    level: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    urls: tuple[str, ...] = ()
    omit_stages: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class AuditPolicy:
    """An audit policy.

    :param file: the name of the file that it was read from.
    """

    rules: tuple[PolicyRule, ...]
    omit_stages: tuple[str, ...] = ()
    file: str = "-"


@dataclass(frozen=True, slots=True)
class Decision:
    """Level at which a policy logs an event, and the rule that decides.

    :param level: at which it is logged; ``None`` for not at all.
    :param rule: the rule that decides; ``None`` if no rule matches.
    """

    level: str
    rule: PolicyRule | None


def read_policy(path: Path) -> AuditPolicy:
    """Read an audit policy.

    :raises UsageError: if the file cannot be read or is not a valid policy.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(
            f"the audit policy cannot be read: {reason}.",
            remedy="Give the file that the API server has as --audit-policy-file.",
            where=Where(str(path)),
        ) from error
    return parse_policy(text, str(path))


def parse_policy(text: str, file: str = "-") -> AuditPolicy:
    """Return the audit policy of a YAML or JSON document.

    :raises UsageError: with the file and the line, if it is not a valid policy.
    """
    try:
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        document = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1 if mark else 0)
        raise UsageError(
            f"not valid YAML: {error.problem or error.context}.", where=where
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"not valid YAML: {error}.", where=Where(file)) from error
    if not isinstance(document, dict) or document.get("kind") != "Policy":
        raise _invalid("the document is not of the kind Policy", Where(file, 1))
    if document.get("apiVersion") not in _API_VERSIONS:
        raise _invalid("its apiVersion is not audit.k8s.io/v1", Where(file, 1))
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules:
        raise _invalid("it has no rules: the API server logs nothing with it", Where(file, 1))
    lines = _lines_of_rules(node) if isinstance(node, yaml.MappingNode) else []
    omitted = _stages(document.get("omitStages"), "omitStages", Where(file, 1))
    return AuditPolicy(
        tuple(_rule(rule, Where(file, line)) for rule, line in zip(rules, lines, strict=True)),
        omitted,
        file,
    )


def _lines_of_rules(node: yaml.MappingNode) -> list[int]:
    for key, value in node.value:
        if key.value == "rules":
            return [child.start_mark.line + 1 for child in value.value]
    return []


def _invalid(message: str, where: Where) -> UsageError:
    return UsageError(
        f"not a valid audit policy: {message}.",
        remedy="See https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy.",
        where=where,
    )


def _rule(rule: Any, where: Where) -> PolicyRule:
    if not isinstance(rule, dict):
        raise _invalid("a rule is not a mapping", where)
    if unknown := sorted(map(str, rule.keys() - _RULE_KEYS)):
        raise _invalid(f"a rule has no field {unknown[0]!r}", where)
    level = rule.get("level")
    if level not in LEVELS:
        raise _invalid(f"level {level!r} is not one of {', '.join(LEVELS)}", where)
    texts = {key: _texts(rule.get(key), key, where) for key in _TEXT_LISTS}
    resources = rule.get("resources") or []
    if not isinstance(resources, list):
        raise _invalid("resources is not a list", where)
    if texts["nonResourceURLs"] and (resources or texts["namespaces"]):
        raise _invalid("a rule has either resources and namespaces or nonResourceURLs", where)
    for url in texts["nonResourceURLs"]:
        if url != "*" and (not url.startswith("/") or "*" in url[:-1]):
            raise _invalid(
                f"nonResourceURLs has {url!r}: a path begins with / and has * at its end only",
                where,
            )
    return PolicyRule(
        level,
        texts["users"],
        texts["userGroups"],
        texts["verbs"],
        texts["namespaces"],
        tuple(_resources(entry, where) for entry in resources),
        texts["nonResourceURLs"],
        _stages(rule.get("omitStages"), "omitStages", where),
        where.record,
    )


def _texts(value: Any, key: str, where: Where) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
        raise _invalid(f"{key} is not a list of strings", where)
    return tuple(value)


def _stages(value: Any, key: str, where: Where) -> tuple[str, ...]:
    stages = _texts(value, key, where)
    for stage in stages:
        if stage not in STAGES:
            raise _invalid(f"{key} has {stage!r}, which is not one of {', '.join(STAGES)}", where)
    return stages


def _resources(entry: Any, where: Where) -> GroupResources:
    if not isinstance(entry, dict) or entry.keys() - {"group", "resources", "resourceNames"}:
        raise _invalid(
            "an entry of resources has other fields than group, resources and resourceNames", where
        )
    group = entry.get("group", "")
    if not isinstance(group, str):
        raise _invalid("group is not a string", where)
    resources = _texts(entry.get("resources"), "resources", where)
    names = _texts(entry.get("resourceNames"), "resourceNames", where)
    if names and not resources:
        raise _invalid("resourceNames needs resources", where)
    return GroupResources(group, resources, names)


def decide(policy: AuditPolicy, event: Mapping[str, Any]) -> Decision:
    """Return what a policy does with an event, given as audit.k8s.io/v1 JSON.

    The API server evaluates its policy before impersonation: ``user`` counts.
    """
    rule = next((rule for rule in policy.rules if _matches(rule, event)), None)
    if rule is None:
        return Decision("None", None)
    if event.get("stage") in (*policy.omit_stages, *rule.omit_stages):
        return Decision("None", rule)
    return Decision(rule.level, rule)


def _matches(rule: PolicyRule, event: Mapping[str, Any]) -> bool:
    user = event.get("user") or {}
    if rule.users and user.get("username") not in rule.users:
        return False
    if rule.groups and not set(rule.groups) & set(user.get("groups") or ()):
        return False
    if rule.verbs and event.get("verb") not in rule.verbs:
        return False
    target = event.get("objectRef") or {}
    if rule.namespaces or rule.resources:
        return _matches_resource(rule, target)
    if rule.urls:
        path = str(event.get("requestURI") or "").partition("?")[0]
        return not target.get("resource") and any(path_matches(path, url) for url in rule.urls)
    return True


def path_matches(path: str, url: str) -> bool:
    """Whether a path matches an entry of ``nonResourceURLs``."""
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _matches_resource(rule: PolicyRule, target: Mapping[str, Any]) -> bool:
    resource = str(target.get("resource") or "")
    if not resource:
        return False
    if rule.namespaces and (target.get("namespace") or "") not in rule.namespaces:
        return False
    if not rule.resources:
        return True
    subresource = str(target.get("subresource") or "")
    forms = set(resource_forms(resource, subresource))
    return any(
        entry.group == (target.get("apiGroup") or "")
        and (not entry.resources or bool(forms.intersection(entry.resources)))
        and (not entry.names or (target.get("name") or "") in entry.names)
        for entry in rule.resources
    )


def resource_forms(resource: str, subresource: str) -> Iterator[str]:
    """Yield the ways in which a rule can name a resource."""
    yield "*"
    yield f"{resource}/{subresource}" if subresource else resource
    if subresource:
        yield f"*/{subresource}"
    yield f"{resource}/*"
