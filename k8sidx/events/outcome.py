"""Outcome of a request: success, failure, denied or unknown.

The API server logs it in up to four places: the authorizer's decision, the HTTP code, ``status``
and ``reason`` of the Status object; converters of Google's logs leave gRPC's code where HTTP's
stands. Any of them can be missing, and a proxy or an aggregated API server can answer with another
code than the decision implies. :mod:`k8sidx.query.derived` has the same rules as conditions.
"""

from __future__ import annotations

SUCCESS, FAILURE, DENIED, UNKNOWN = "success", "failure", "denied", "unknown"
OUTCOMES = (SUCCESS, FAILURE, DENIED, UNKNOWN)

FORBID = "forbid"
"""``authorization.k8s.io/decision`` of a request that the authorizer denied."""

FAILED_STATUS, SUCCESSFUL_STATUS = "Failure", "Success"
"""``responseStatus.status`` (k8s.io/apimachinery, metav1.Status)."""

DENIED_REASONS = ("Forbidden", "Unauthorized")
GRPC_CODES = (1, 16)
"""First and last of gRPC's codes for errors (https://grpc.io/docs/guides/status-codes/)."""

DENIED_CODES = (401, 403, 7, 16)
"""HTTP's Unauthorized and Forbidden, gRPC's PERMISSION_DENIED and UNAUTHENTICATED."""


def outcome_of(
    decision: object = None, code: object = None, status: object = None, reason: object = None
) -> str:
    """Return the outcome by the fields of an event; ``None`` for a missing one."""
    number = code if type(code) is int else 0
    if decision == FORBID or number in DENIED_CODES:
        return DENIED
    if status == FAILED_STATUS:
        return DENIED if reason in DENIED_REASONS else FAILURE
    if number >= 400 or GRPC_CODES[0] <= number <= GRPC_CODES[1]:
        return FAILURE
    return SUCCESS if number >= 100 or status == SUCCESSFUL_STATUS else UNKNOWN


def ecs_outcome(outcome: str) -> str:
    """Return the value of ECS ``event.outcome``, which has no word for a denial."""
    return FAILURE if outcome == DENIED else outcome
