"""Conditions that several panels share."""

from __future__ import annotations

from k8sidx.query.algebra import And, Compare, Condition, Not, OneOf, Or, Present

ANSWERED: Condition = Or(
    (
        OneOf("stage", ("ResponseComplete", "Panic")),
        # A 401 has no other stage.
        And((Compare("stage", "=", "ResponseStarted"), Compare("responseStatus.code", "=", 401))),
        Not(Present("stage")),
    )
)
"""One event for each request: its last stage."""

WRITES = ("create", "update", "patch", "delete", "deletecollection")
WRITTEN: Condition = OneOf("verb", WRITES)
SUCCEEDED: Condition = Compare("event.outcome", "=", "success")
FAILED: Condition = Compare("event.outcome", "=", "failure")
PEOPLE: Condition = OneOf("user.kind", ("human", "anonymous"))
"""Not the cluster's own components: people, and whoever did not say who they are."""
SHORT: Condition = And(
    (Not(OneOf("verb", ("watch",))), Not(Compare("responseStatus.code", "=", 101)))
)
"""Not a watch, an exec or the like, which last as long as their client wants."""


def requests(*conditions: Condition) -> Condition:
    """Requests, each once, for which all of the conditions hold."""
    return And((ANSWERED, *conditions))


def of(*resources: str) -> Condition:
    """About one of the resources, ``pods`` or ``pods/exec``."""
    return OneOf("target.resource", resources)
