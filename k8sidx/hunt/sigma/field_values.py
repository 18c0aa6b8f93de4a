"""Values that fields of audit events can have, for the tests of rules."""

from __future__ import annotations

from k8sidx.events.accounts import (
    ANONYMOUS,
    CONTROL_PLANE,
    HUMAN,
    NODE,
    SERVICE_ACCOUNT,
    UNKNOWN,
)
from k8sidx.events.fields.lookup import BY_NAME
from k8sidx.events.fields.table import Field
from k8sidx.query.algebra import Compare

_REQUESTS = "get list watch create update patch delete deletecollection proxy"
_METHODS = "get post put patch delete head options connect trace"
_VALUES = {
    "stage": frozenset({"RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"}),
    "level": frozenset({"Metadata", "Request", "RequestResponse"}),
    "verb": frozenset((*_REQUESTS.split(), *_METHODS.split())),
    "annotations.authorization.k8s.io/decision": frozenset({"allow", "forbid"}),
    "event.outcome": frozenset({"success", "failure", "denied", "unknown"}),
    "user.kind": frozenset({ANONYMOUS, CONTROL_PLANE, HUMAN, NODE, SERVICE_ACCOUNT, UNKNOWN}),
}
"""All values of fields that have few: the constants of audit.k8s.io/v1, and the verbs of requests
for resources and, in lower case, the methods of others (k8s.io/apiserver, RequestInfo). Verbs that
only RBAC checks, for example impersonate, bind or escalate, are of no request."""
_PARTS_OF_TARGET = ("objectRef.resource", "objectRef.subresource")
_TARGET = BY_NAME["target.resource"]


def is_value(leaf: Compare) -> bool:
    """Whether an event can have a value that equals this one."""
    values = _VALUES.get(leaf.field)
    text = str(leaf.value)
    if values is None or leaf.op != "=":
        return True
    if leaf.ignore_case:
        return text.lower() in {value.lower() for value in values}
    return text in values


def with_subresource(name: str, field: Field, text: str) -> tuple[str, Field]:
    """Return the field that a rule means by a resource: neither a resource nor a subresource
    contains a slash, so that ``pods/exec`` is the two together, as in the rules of RBAC."""
    if name in _PARTS_OF_TARGET and "/" in text:
        return _TARGET.name, _TARGET
    return name, field
