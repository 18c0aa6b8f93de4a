"""Events as the API server writes them: to its log, to a webhook, today and long ago.

Kubernetes API reference, "kube-apiserver Audit Configuration (v1)": Event, EventList.
The items of a webhook's EventList have neither kind nor apiVersion.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.events.decode.envelope import AuditObject, NotAnEvent, Part, Reader, at, elements, text
from k8sidx.events.decode.event_model import GROUP, V1
from k8sidx.events.decode.flat_keys import is_flat, unflatten
from k8sidx.events.decode.plain_values import with_plain_values
from k8sidx.events.decode.providers.openshift import restore_level
from k8sidx.events.records import Context, JsonObject

_LEGACY = (f"{GROUP}v1alpha1", f"{GROUP}v1beta1")
# Where shippers put the time, for events without a time of their own.
_SHIPPER_TIMES = ("timestamp", "@timestamp", "time", "p_event_time")


def read_event(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Read an audit event that is not wrapped, whatever keys a shipper put beside its own."""
    if not is_event(record):
        return None
    if is_flat(record):
        record = unflatten(record)
    body, context = restore_level(with_plain_values(record), context)
    if text(body.get("apiVersion")) in _LEGACY or "metadata" in body:
        body, context = _convert(body, context)
    if not context.time and "stageTimestamp" not in body:
        context = context._replace(time=_shipper_time(body))
    return (AuditObject(body, context),)


def read_list(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Bodies of the webhook backend, and lists of events from other sources."""
    if type(record.get("items")) is not list:
        return None
    kind, version = record.get("kind"), text(record.get("apiVersion"))
    if kind == "EventList" and version and not version.startswith(GROUP):
        return (NotAnEvent("Kubernetes Event object"),)
    if kind not in ("EventList", "List", None):
        return None
    return elements(record, "items", context)


def is_event(record: JsonObject) -> bool:
    """Whether an object that is none of the well-known others is an audit event.

    Enough are the type, or auditID and stage, or (events in test suites and reports) a
    verb with a user and a target.
    """
    version = record.get("apiVersion")
    if type(version) is str and version.startswith(GROUP):
        return record.get("kind") in ("Event", None)
    if record.get("kind") not in ("Event", None):
        return False
    if "auditID" in record and "stage" in record:
        return True
    if "verb" not in record:
        return False
    if record.get("kind") == "Event":
        return True
    return "user" in record and ("objectRef" in record or "requestURI" in record)


def is_rancher_api_log(record: JsonObject) -> bool:
    """Rancher's audit log of its own API: another format with some of the same keys."""
    if "requestURI" not in record or "kind" in record:
        return False
    if "method" in record and "verb" not in record and "stage" not in record:
        return "auditID" in record
    user = record.get("user")
    return type(user) is dict and "name" in user and "username" not in user


def _convert(record: JsonObject, context: Context) -> tuple[JsonObject, Context]:
    """audit.k8s.io/v1alpha1 and v1beta1 (removed in Kubernetes 1.24) → v1.

    Both had a timestamp and an object's metadata, which v1 dropped; in v1alpha1 the
    version of objectRef held the group, too.
    """
    body = {key: value for key, value in record.items() if key not in ("timestamp", "metadata")}
    created = text(record.get("timestamp")) or text(at(record, "metadata", "creationTimestamp"))
    if created and "stageTimestamp" not in body and "requestReceivedTimestamp" not in body:
        context = context._replace(time=created)
    if body.get("apiVersion") in _LEGACY:
        body["apiVersion"] = V1
    reference = body.get("objectRef")
    if type(reference) is dict and "apiGroup" not in reference:
        group, slash, version = text(reference.get("apiVersion")).rpartition("/")
        if slash:
            body["objectRef"] = {**reference, "apiGroup": group, "apiVersion": version}
    return body, context


def _shipper_time(record: JsonObject) -> str:
    return next((time for key in _SHIPPER_TIMES if (time := text(record.get(key)))), "")


_FORMATS = ("apiserver", "eks", "aks", "openshift", "rancher", "shipper")
EVENTS = Reader(
    "apiserver", _FORMATS, frozenset({"apiVersion", "auditID", "verb"}), arrays=(), read=read_event
)
LISTS = Reader("apiserver", _FORMATS, frozenset({"items"}), arrays=("items",), read=read_list)
