"""Derived fields as conditions on the event hold where the normalizer says that they do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8sidx.backends.cluster.schema.foreign import ForeignProfile
from k8sidx.events import accounts
from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import (
    Compare,
    Condition,
    InNetwork,
    Leaf,
    OneOf,
    Present,
    Regex,
    Wildcard,
    rewritten,
)
from k8sidx.query.derived import DERIVED
from k8sidx.show.translate.cloudwatch_fields import COLUMNS, in_cloudwatch
from tests.building import event, row
from tests.query.evaluate import Values, holds

Event = dict[str, Any]

TAILS = ("", "x", "kube-system:x", "p.gserviceaccount.com", ".gserviceaccount.com")
NAMES = (
    *accounts.ANONYMOUS_NAMES,
    *sorted(accounts.UNPREFIXED_PLATFORM),
    *sorted(accounts.WORKLOAD_CONTROLLERS),
    *(
        prefix + tail
        for prefix in (
            accounts.SERVICE_ACCOUNT_PREFIX,
            accounts.NODE_PREFIX,
            *accounts.CONTROL_PLANE_PREFIXES,
        )
        for tail in TAILS
    ),
    *("alice", "System:anonymous", "SYSTEM:NODE:x", "aksservice", "masterclient", "x\nsystem:y"),
    *("ci@p.iam.gserviceaccount.com", "gserviceaccount.com", "é:system:", "*", "system"),
)
RESOURCES = ("pods", "rolebindings", "clusterroles", "deployments")
SUBRESOURCES = ("exec", "status")
GROUPS = ("apps", "rbac.authorization.k8s.io", "batch")
"""API groups are DNS names in lower case, and none is called core."""
URIS = (
    *("/api", "/api?dryRun=All", "/api?dryRun=all", "/api?a=b&dryRun=All", "/api?dryRun=All&a"),
    *("/api?xdryRun=All", "/api?dryRun=Allx", "/api?a=?dryRun=All", "/a/dryRun=All?"),
)
CUT = "skipped-too-big-size-object"
ROLES = ("cluster-admin", "view")
DECISIONS = ("allow", "forbid", "Forbid")
CODES = (
    -(2**31),
    -1,
    0,
    1,
    5,
    7,
    16,
    17,
    99,
    100,
    101,
    199,
    200,
    399,
    400,
    401,
    403,
    500,
    599,
    600,
    2**31 - 1,
)


def members(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    """Objects that may lack any of the members."""
    return st.fixed_dictionaries({}, optional=values)


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


USERS = members(
    username=some(*NAMES), groups=st.lists(some("a", "b", "system:masters"), min_size=1, max_size=3)
)
BODIES = some(CUT) | members(
    kind=some("RoleBinding", "DeleteOptions"),
    metadata=members(name=some("x", "y")),
    roleRef=members(name=some(*ROLES)),
    dryRun=st.lists(some("All", "None"), max_size=2),
)
WITH_KIND = st.fixed_dictionaries(
    {"kind": st.just("DeleteOptions")}, optional={"dryRun": st.lists(some("All", "None"))}
)
_MISSING: Event = dict.fromkeys(
    ("user", "objectRef", "responseStatus", "annotations", "verb", "level", "requestURI",
     "sourceIPs")
)  # fmt: skip


def whole(drawn: Event) -> Event:
    """An event with the members that were drawn, and no others that a condition reads."""
    body = {**event(), **_MISSING, **drawn}
    return {key: value for key, value in body.items() if value is not None}


MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "user": USERS,
    "impersonatedUser": USERS,
    "objectRef": members(
        resource=some(*RESOURCES),
        subresource=some(*SUBRESOURCES),
        apiGroup=some(*GROUPS),
        name=some("x", "z"),
    ),
    "responseStatus": members(
        code=some(*CODES),
        status=some("Success", "Failure", "failure"),
        reason=some("Forbidden", "Conflict"),
    ),
    "annotations": st.fixed_dictionaries(
        {},
        optional={
            "authorization.k8s.io/decision": some(*DECISIONS),
            "audit.k8s.io/truncated": some("true", "false"),
        },
    ),
    "verb": some("get", "create", "update", "patch", "delete", "deletecollection"),
    "level": some("Metadata", "Request", "RequestResponse"),
    "requestURI": some(*URIS),
    "requestObject": BODIES,
    "responseObject": BODIES,
    "sourceIPs": st.lists(some("10.0.0.7", "192.0.2.1", "2001:db8::1"), max_size=3),
}
_USER = ("user", "impersonatedUser")
_REQUEST = ("verb", "level", "requestURI", "objectRef", "requestObject", "responseObject")
DERIVED_FROM = {
    "event.outcome": ("responseStatus", "annotations"),
    "user.kind": _USER,
    "user.controller": _USER,
    "user.effective.name": _USER,
    "user.effective.groups": _USER,
    "target.resource": ("objectRef",),
    "objectRef.apiGroup": ("objectRef",),
    "target.name": ("objectRef", "responseObject"),
    "request.dry_run": _REQUEST,
    "rbac.role": _REQUEST,
    "event.truncated": ("annotations", "requestObject", "responseObject"),
    "source.claimed_ip": ("sourceIPs",),
    "source.ip": ("sourceIPs",),
}
"""Members of an event that a field depends on; others do not matter."""


def events(name: str) -> st.SearchStrategy[Event]:
    """Events that differ in what a derived field depends on."""
    drawn = {member: MEMBERS[member] for member in DERIVED_FROM[name]}
    if name == "request.dry_run":  # CloudWatch finds a body by its kind, which the API logs.
        drawn["requestObject"] = WITH_KIND
    return members(**drawn).map(whole)


FLAGS = (True, False, "true", "True", "FALSE", "x", 1)
TARGETS = (
    *RESOURCES,
    *(f"{resource}/{sub}" for resource in RESOURCES for sub in SUBRESOURCES),
    *("exec", "pods/exec/x", "/exec", "pods/", ""),
)
VALUES: dict[str, tuple[Any, ...]] = {
    "event.outcome": ("failure", "success", "unknown", "Failure", "", True, 1),
    "user.kind": (*accounts.KINDS, "Human", "root", ""),
    "user.controller": FLAGS,
    "user.effective.name": NAMES[::4],
    "user.effective.groups": ("a", "b", "A", "c"),
    "target.resource": TARGETS,
    "objectRef.apiGroup": (*GROUPS, "core", "CORE", "Core", "autoscaling", ""),
}
IN_CLOUDWATCH: dict[str, tuple[Any, ...]] = VALUES | {
    "target.name": ("x", "y", "z", "Z"),
    "request.dry_run": FLAGS,
    "rbac.role": (*ROLES, "View"),
    "event.truncated": FLAGS,
    "source.claimed_ip": ("10.0.0.7", "192.0.2.1"),
    "source.ip": ("10.0.0.7", "192.0.2.1"),
}
PATTERNS = ("*", "system:*", "?*", "*:x", "A*")


def comparisons(name: str, values: tuple[Any, ...]) -> list[Leaf]:
    """Comparisons with a derived field: with each value, some of them, and patterns."""
    leaves: list[Leaf] = [Present(name), OneOf(name, ()), OneOf(name, values[:2])]
    if name.startswith("source."):
        return [*leaves, InNetwork(name, ("10.0.0.0/8", "2001:db8::/32"))]
    for fold in (False, True):
        leaves += [Compare(name, "=", value, fold) for value in values]
        leaves += [OneOf(name, values[1:3], fold), OneOf(name, values, fold)]
        if name.startswith("user.effective."):
            leaves += [Wildcard(name, pattern, fold) for pattern in PATTERNS]
            leaves += [Regex(name, pattern, fold) for pattern in ("^s", "x$")]
    return leaves


def stored_values(body: Event) -> Values:
    """The values of fields in the row that the normalizer makes of an event."""
    fields = row(body)

    def values(name: str) -> list[Any]:
        value = fields.get(resolve(name).field.name)
        return value if isinstance(value, list) else [] if value is None else [value]

    return values


def at_path(value: Any, path: str) -> list[Any]:
    """The values at a JSON path whose keys may hold dots; digits are places in lists."""
    if not path:
        return value if isinstance(value, list) else [] if value is None else [value]
    if isinstance(value, list):
        head, _, tail = path.partition(".")
        is_place = head.isdecimal() and int(head) < len(value)
        return at_path(value[int(head)], tail) if is_place else []
    if not isinstance(value, Mapping):
        return []
    keys = [key for key in value if path == key or path.startswith(f"{key}.")]
    return [found for key in keys for found in at_path(value[key], path[len(key) + 1 :])]


class Documents:
    """An index that has an event, and perhaps others."""

    def __init__(self, body: Event, impersonates: bool) -> None:
        self.impersonates = impersonates or "username" in body.get("impersonatedUser", {})

    def count(self, query: Mapping[str, Any]) -> int:
        return int(self.impersonates)

    def single(self, path: str) -> bool:
        return True


def in_index(condition: Condition, profile: ForeignProfile) -> Condition:
    """The condition as the compiler for clusters has it, on fields of the documents."""

    def change(leaf: Leaf) -> Condition:
        instead = profile.rewrite(leaf)
        return leaf if instead is None else in_index(instead, profile)

    return rewritten(condition, change)


def check_index(name: str, body: Event, *, impersonates: bool) -> None:
    """Compare the conditions over an index with those over what k8sidx stores."""
    stored, raw = stored_values(body), partial(at_path, body)
    profile = ForeignProfile("", {}, Documents(body, impersonates))
    for leaf in comparisons(name, VALUES[name]):
        assert holds(in_index(leaf, profile), raw) == holds(leaf, stored), leaf


def check_cloudwatch(name: str, body: Event) -> None:
    """The same for CloudWatch."""

    def raw(field: str) -> list[Any]:
        return next((values for path in _paths(field) if (values := at_path(body, path))), [])

    stored = stored_values(body)
    for leaf in comparisons(name, IN_CLOUDWATCH[name]):
        assert holds(in_cloudwatch(leaf), raw) == holds(leaf, stored), leaf


def _paths(field: str) -> list[str]:
    """The paths of a column, the first that is there counts."""
    coalesced = re.fullmatch(r"coalesce\((.*)\)", COLUMNS.get(field, ""))
    return coalesced[1].split(", ") if coalesced else [field]


@pytest.mark.parametrize("name", DERIVED)
def test_every_derived_field_is_compared_with_the_normalizer(name: str) -> None:
    assert name in VALUES


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_conditions_of_an_index_agree_with_the_normalizer(name: str, data: st.DataObject) -> None:
    body = data.draw(events(name))
    for impersonates in (False, True):
        check_index(name, body, impersonates=impersonates)


@pytest.mark.parametrize("name", IN_CLOUDWATCH)
@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_conditions_of_cloudwatch_agree_with_the_normalizer(name: str, data: st.DataObject) -> None:
    check_cloudwatch(name, data.draw(events(name)))


@pytest.mark.parametrize("name", ["user.kind", "user.controller"])
def test_conditions_agree_for_each_reserved_name(name: str) -> None:
    for username in NAMES:
        for user in ("user", "impersonatedUser"):
            body = whole({"user": {"username": "alice"}, user: {"username": username}})
            check_index(name, body, impersonates=False)
            check_cloudwatch(name, body)


def test_conditions_agree_for_each_code_and_decision() -> None:
    statuses = (None, "Success", "Failure")
    for code, word, decision in product((None, *CODES), statuses, (None, *DECISIONS)):
        notes = {} if decision is None else {"authorization.k8s.io/decision": decision}
        members_of_status = {"code": code, "status": word}
        status = {key: value for key, value in members_of_status.items() if value is not None}
        body = whole({"responseStatus": status, "annotations": notes})
        check_index("event.outcome", body, impersonates=False)
        check_cloudwatch("event.outcome", body)
