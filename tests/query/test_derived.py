"""Derived fields as conditions on the event hold where the normalizer says that they do."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from tests.query.evaluate import holds

Event = dict[str, Any]

TAILS = ("", "x", "kube-system:x", "p.gserviceaccount.com", ".gserviceaccount.com")
NAMES = (
    *accounts.ANONYMOUS_NAMES,
    *sorted(accounts.AKS_PLATFORM),
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
GROUPS = ("apps", "rbac.authorization.k8s.io", "Core")
URIS = (
    *("/api", "/api?dryRun=All", "/api?dryRun=all", "/api?a=b&dryRun=All", "/api?dryRun=All&a"),
    *("/api?xdryRun=All", "/api?dryRun=Allx", "/api?a=?dryRun=All", "/a/dryRun=All?"),
)
CUT = "skipped-too-big-size-object"
ROLES = ("cluster-admin", "view")
DECISIONS = ("allow", "forbid", "Forbid")
CODES = (-(2**31), -1, 0, 1, 99, 100, 101, 199, 200, 399, 400, 401, 403, 500, 599, 600, 2**31 - 1)


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
_MISSING: Event = dict.fromkeys(
    ("user", "objectRef", "responseStatus", "annotations", "verb", "level", "requestURI",
     "sourceIPs")
)  # fmt: skip


def whole(drawn: Event) -> Event:
    """An event with the members that were drawn, and no others that a condition reads."""
    body = {**event(), **_MISSING, **drawn}
    return {key: value for key, value in body.items() if value is not None}


EVENTS = members(
    user=USERS,
    impersonatedUser=USERS,
    objectRef=members(
        resource=some(*RESOURCES),
        subresource=some(*SUBRESOURCES),
        apiGroup=some(*GROUPS),
        name=some("x", "z"),
    ),
    responseStatus=members(code=some(*CODES), reason=some("Forbidden")),
    annotations=st.fixed_dictionaries(
        {},
        optional={
            "authorization.k8s.io/decision": some(*DECISIONS),
            "audit.k8s.io/truncated": some("true", "false"),
        },
    ),
    verb=some("get", "create", "update", "patch", "delete", "deletecollection"),
    level=some("Metadata", "Request", "RequestResponse"),
    requestURI=some(*URIS),
    requestObject=BODIES,
    responseObject=BODIES,
    sourceIPs=st.lists(some("10.0.0.7", "192.0.2.1", "2001:db8::1"), max_size=3),
).map(whole)
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
    "user.effective.name": NAMES,
    "user.effective.groups": ("a", "b", "A", "c"),
    "target.resource": TARGETS,
    "objectRef.apiGroup": (*GROUPS, "core", "CORE", "batch", ""),
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


def comparisons(name: str, values: tuple[Any, ...]) -> st.SearchStrategy[Leaf]:
    """Comparisons with a derived field."""
    value, fold = st.sampled_from(values), st.booleans()
    several = st.lists(value, max_size=3).map(tuple)
    found: st.SearchStrategy[Leaf] = st.one_of(
        st.just(Present(name)),
        st.builds(Compare, st.just(name), st.just("="), value, fold),
        st.builds(OneOf, st.just(name), several, fold),
    )
    if name.startswith("user.effective."):
        return (
            found
            | st.builds(Wildcard, st.just(name), some(*PATTERNS), fold)
            | st.builds(Regex, st.just(name), some("^s", "x$"), fold)
        )
    if name.startswith("source."):
        return st.just(InNetwork(name, ("10.0.0.0/8", "2001:db8::/32"))) | st.just(Present(name))
    return found


def of_row(body: Event) -> dict[str, list[Any]]:
    """Values of the stored fields."""
    fields = row(body).items()
    return {name: value if isinstance(value, list) else [value] for name, value in fields}


def stored_holds(leaf: Leaf, body: Event) -> bool:
    """Whether the comparison holds for the row that the normalizer makes of the event."""
    values = of_row(body)
    return holds(leaf, lambda name: values.get(resolve(name).field.name, ()))


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
    """What an index of one event says of its documents."""

    def __init__(self, body: Event) -> None:
        self.body = body

    def count(self, query: Mapping[str, Any]) -> int:
        return len(at_path(self.body, query["exists"]["field"]))

    def single(self, path: str) -> bool:
        return len(at_path(self.body, path)) < 2


def in_index(condition: Condition, profile: ForeignProfile) -> Condition:
    """The condition as the compiler for clusters asks it, of fields that documents have."""

    def change(leaf: Leaf) -> Condition:
        instead = profile.instead(leaf)
        return leaf if instead is None else in_index(instead, profile)

    return rewritten(condition, change)


@pytest.mark.parametrize("name", DERIVED)
def test_every_derived_field_is_compared_with_the_normalizer(name: str) -> None:
    assert name in VALUES


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("impersonates", [False, True])
@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_a_condition_of_an_index_agrees_with_the_normalizer(
    name: str, impersonates: bool, data: st.DataObject
) -> None:
    body = data.draw(EVENTS)
    if not impersonates:
        body.pop("impersonatedUser", None)
    leaf = data.draw(comparisons(name, VALUES[name]))
    condition = in_index(leaf, ForeignProfile("", {}, Documents(body)))
    assert holds(condition, lambda field: at_path(body, field)) == stored_holds(leaf, body)


@pytest.mark.parametrize("name", IN_CLOUDWATCH)
@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_a_condition_of_cloudwatch_agrees_with_the_normalizer(
    name: str, data: st.DataObject
) -> None:
    body = data.draw(EVENTS)
    leaf = data.draw(comparisons(name, IN_CLOUDWATCH[name]))

    def values(field: str) -> list[Any]:
        for path in _paths(field):
            if found := at_path(body, path):
                return found
        return []

    assert holds(in_cloudwatch(leaf), values) == stored_holds(leaf, body)


def _paths(field: str) -> list[str]:
    """The paths of which a column is the first that is there."""
    coalesced = re.fullmatch(r"coalesce\((.*)\)", COLUMNS.get(field, ""))
    return coalesced[1].split(", ") if coalesced else [field]
