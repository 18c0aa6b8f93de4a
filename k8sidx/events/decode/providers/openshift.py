"""OpenShift: plain events from its nodes, and the data model of its cluster logging (ViaQ).

Cluster logging puts the event's keys at the top level, writes "info" over ``level`` and
keeps the audit level in a key of its own; the newer collector, made with Vector, keeps the
event under ``structured``. The same stream holds lines of auditd and OVN.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8sidx.events.decode.envelope import Nested, NotAnEvent, Part, Reader, at, text
from k8sidx.events.records import Context, JsonObject

_LEVELS = ("k8s_audit_level", "openshift_audit_level")
_MARKS = (*_LEVELS, "viaq_msg_id", "viaq_index_name")
_OTHER_SOURCES = {"ovn": "OVN audit line", "auditd": "Linux audit line"}


def restore_level(record: JsonObject, context: Context) -> tuple[JsonObject, Context]:
    """Undo what cluster logging did to an event; anything else stays as it is."""
    if not any(mark in record for mark in _MARKS):
        return record, context
    context = _context(record, context)
    level = next((level for key in _LEVELS if (level := text(record.get(key)))), "")
    return ({**record, "level": level} if level else record), context


def read(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Records of cluster logging that are not events themselves."""
    source = text(record.get("log_source"))
    if source in _OTHER_SOURCES:
        return (NotAnEvent(_OTHER_SOURCES[source]),)
    if "audit.linux" in record:
        return (NotAnEvent("Linux audit line"),)
    structured = record.get("structured")
    if type(structured) is dict and ("log_type" in record or "log_source" in record):
        return (Nested(structured, _context(record, context)),)
    return None


def _context(record: JsonObject, context: Context) -> Context:
    return Context(
        provider="openshift",
        cluster=text(at(record, "openshift", "cluster_id")) or context.cluster,
        time=text(record.get("@timestamp")) or context.time,
    )


READER = Reader(
    "openshift",
    ("openshift",),
    frozenset({"log_source", "audit.linux", "structured"}),
    arrays=(),
    read=read,
)
