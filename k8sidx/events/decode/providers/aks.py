"""Azure Kubernetes Service: diagnostic settings, in the forms of each destination.

Azure Monitor reference: resource logs of Microsoft.ContainerService/managedClusters, the
tables AzureDiagnostics, AKSAudit, AKSAuditAdmin and NCCKubernetesAPIAuditLogs. Categories
other than ``kube-audit`` and ``kube-audit-admin`` are text of other components.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from k8sidx.events.decode.envelope import (
    AuditObject,
    Malformed,
    Nested,
    NotAnEvent,
    Part,
    Reader,
    at,
    elements,
    text,
)
from k8sidx.events.decode.json_repair import UnreadableError, parse
from k8sidx.events.records import Context, JsonObject

_OTHER = NotAnEvent("AKS log of another category")

_COLUMNS = {
    "AuditId": "auditID",
    "Level": "level",
    "Stage": "stage",
    "RequestUri": "requestURI",
    "Verb": "verb",
    "User": "user",
    "ImpersonatedUser": "impersonatedUser",
    "SourceIps": "sourceIPs",
    "UserAgent": "userAgent",
    "ObjectRef": "objectRef",
    "ResponseStatus": "responseStatus",
    "RequestObject": "requestObject",
    "ResponseObject": "responseObject",
    "RequestReceivedTime": "requestReceivedTimestamp",
    "StageReceivedTime": "stageTimestamp",
    "Annotations": "annotations",
}
"""Columns of AKSAudit and AKSAuditAdmin → keys of audit.k8s.io/v1."""
_NEXUS_COLUMNS = {
    "RequestReceivedTimestamp": "requestReceivedTimestamp",
    "TimeGenerated": "stageTimestamp",
}
"""Further columns of NCCKubernetesAPIAuditLogs: its time is that of the audit stage."""
_LOG_COLUMNS = ("log_s", "properties_log_s")
_TEXTS = frozenset(
    {"auditID", "level", "stage", "requestURI", "verb", "userAgent", "stageTimestamp"}
) | {"requestReceivedTimestamp"}


def read(record: JsonObject, context: Context) -> Iterable[Part] | None:
    """Read a resource log record, a table's row, or lists of them."""
    if type(record.get("properties")) is dict and type(record.get("category")) is str:
        return (_resource_log(record, context),)
    for column in _LOG_COLUMNS:
        if column in record and ("Category" in record or "category_s" in record):
            return (_diagnostics_row(record, column, context),)
    if "AuditId" in record and ("Verb" in record or "Stage" in record):
        return (_audit_row(record, context),)
    if type(record.get("records")) is list:
        return elements(record, "records", context)
    if type(record.get("tables")) is list:
        return _tables(record["tables"], context)
    if "azure" in record and type(platform := at(record, "azure", "platformlogs")) is dict:
        return (_elastic_agent(record, platform, context),)
    return None


def _resource_log(record: JsonObject, context: Context) -> Part:
    """Event Hubs, storage account: the event as text (or object) in ``properties.log``."""
    if not _is_audit(record["category"]):
        return _OTHER
    context = _context(record.get("resourceId"), record.get("time"), context)
    return _log(record["properties"], context)


def _log(properties: Any, context: Context) -> Part:
    log = at(properties, "log")
    if log is None:
        return Malformed("the AKS audit record has no properties.log", context)
    return Nested(log, context)


def _diagnostics_row(record: JsonObject, column: str, context: Context) -> Part:
    if not _is_audit(record.get("Category") or record.get("category_s")):
        return _OTHER
    resource = record.get("ResourceId") or record.get("_ResourceId") or record.get("resourceId_s")
    return Nested(record[column], _context(resource, record.get("TimeGenerated"), context))


def _audit_row(record: JsonObject, context: Context) -> Part:
    body: JsonObject = {"kind": "Event", "apiVersion": "audit.k8s.io/v1"}
    for column, key in _COLUMNS.items():
        value = record.get(column)
        if value is not None and value != "":
            body[key] = value if key in _TEXTS else _dynamic(value)
    if "ResponseStatusCode" in record:
        _add_nexus(record, body)
        context = context._replace(cluster=text(record.get("ClusterName")) or context.cluster)
    resource = record.get("_ResourceId") or record.get("ResourceId")
    return AuditObject(body, _context(resource, record.get("TimeGenerated"), context))


def _add_nexus(record: JsonObject, body: JsonObject) -> None:
    """Add the columns of Operator Nexus, which has the status code alone and users as text."""
    for column, key in _NEXUS_COLUMNS.items():
        if value := text(record.get(column)):
            body.setdefault(key, value)
    if (code := record["ResponseStatusCode"]) is not None:
        body.setdefault("responseStatus", {"code": code})
    if type(user := body.get("user")) is str:
        body["user"] = {"username": user}


def _dynamic(value: Any) -> Any:
    """Read a dynamic column, which some exports write as JSON text."""
    if type(value) is str and value[:1] in ("{", "["):
        try:
            return parse(value.encode("utf-8", "replace"))
        except UnreadableError:
            return value
    return value


def _tables(tables: list[Any], context: Context) -> Iterator[Part]:
    """Read a response of the Log Analytics query API."""
    for table in tables:
        columns, rows = at(table, "columns"), at(table, "rows")
        if type(columns) is not list or type(rows) is not list:
            yield Nested(table, context)
            continue
        names = [text(at(column, "name")) for column in columns]
        for row in rows:
            if type(row) is list:
                record = dict(zip(names, row, strict=False))
                yield Nested(record, context, record)
            else:
                yield Nested(row, context)


def _elastic_agent(record: JsonObject, platform: JsonObject, context: Context) -> Part:
    """Elastic Agent's azure-eventhub input keeps the record below azure.platformlogs."""
    resource = at(record, "azure", "resource", "id")
    context = _context(resource, record.get("@timestamp"), context)
    if not _is_audit(platform.get("category")):
        return _OTHER
    return _log(platform.get("properties"), context)


def _is_audit(category: Any) -> bool:
    return text(category).lower() in ("kube-audit", "kube-audit-admin")


def _context(resource: Any, time: Any, context: Context) -> Context:
    # Azure writes its names in either case; they mean the same.
    cluster = text(resource).rstrip("/").rpartition("/")[2].lower()
    return Context("aks", cluster or context.cluster, text(time) or context.time)


READER = Reader(
    "aks",
    ("aks",),
    frozenset({"properties", *_LOG_COLUMNS, "AuditId", "records", "tables", "azure"}),
    arrays=("records",),
    read=read,
)
