"""Conditions that several panels share."""

from __future__ import annotations

from k8sidx.query.algebra import And, Compare, Condition, Not, OneOf, Or, Present
from k8sidx.query.derived import outcomes

ANSWERED: Condition = Or(
    (
        OneOf("stage", ("ResponseComplete", "Panic")),
        # A 401 has no other stage.
        And((Compare("stage", "=", "ResponseStarted"), Compare("responseStatus.code", "=", 401))),
        Not(Present("stage")),
    )
)
"""One event per request: its last stage."""

WRITES = ("create", "update", "patch", "delete", "deletecollection")
WRITTEN: Condition = OneOf("verb", WRITES)
SUCCEEDED: Condition = outcomes()["success"]
FAILED: Condition = outcomes()["failure"]
REFUSED: Condition = outcomes()["denied"]
UNAUTHENTICATED: Condition = OneOf("responseStatus.code", (401, 16))
PEOPLE: Condition = OneOf("user.kind", ("human", "anonymous"))
"""People and anonymous clients, not the cluster's own components."""
SHORT: Condition = And(
    (Not(OneOf("verb", ("watch",))), Not(Compare("responseStatus.code", "=", 101)))
)
"""Excludes watches, execs and the like, which last as long as their client wants."""


def requests(*conditions: Condition) -> Condition:
    """Return the condition for requests, each counted once, that match all conditions."""
    return And((ANSWERED, *conditions))


def for_resources(*resources: str) -> Condition:
    """Return the condition for requests about these resources, ``pods`` or ``pods/exec``."""
    return OneOf("target.resource", resources)
