"""OCSF output: requests as API Activity, findings as Detection Finding, one event per line.

The mapping of requests is that of OCSF's own example for EKS audit logs (ocsf/examples,
mappings/markdown/AWS/v1.5.0), with two differences: the address is the one that the API server saw,
not the one that a client claims, and ``action_id`` contains the decision. See docs/cli.md#ocsf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from k8sidx import __version__
from k8sidx.errors import UsageError
from k8sidx.hunt.attack.mitre import TECHNIQUES
from k8sidx.hunt.findings.record import finding_id
from k8sidx.hunt.result import Finding, HuntResult
from k8sidx.investigate.requests import Request
from k8sidx.show.render.escape import json_line
from k8sidx.show.render.formats.base import Format
from k8sidx.show.render.sheet import Sheet
from k8sidx.show.render.view import View

VERSION = "1.5.0"
"""Version of the schema that events conform to."""
_API_ACTIVITY, _APPLICATION = 6003, 6
_DETECTION_FINDING, _FINDINGS = 2004, 2
_ACTIVITIES = {
    "create": (1, "Create"), "post": (1, "Create"),
    "get": (2, "Read"), "list": (2, "Read"), "watch": (2, "Read"), "head": (2, "Read"),
    "update": (3, "Update"), "patch": (3, "Update"), "put": (3, "Update"),
    "delete": (4, "Delete"), "deletecollection": (4, "Delete"),
}  # fmt: skip
_SEVERITIES = {
    "informational": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"),
    "high": (4, "High"), "critical": (5, "Critical"),
}  # fmt: skip
_STATUS = {"success": (1, "Success"), "failure": (2, "Failure")}
_DENIED = (401, 403)


class OcsfFormat(Format):
    """OCSF as JSON Lines."""

    def sheet(self, sheet: Sheet) -> str:
        """Refuse rows that are neither requests nor findings.

        :raises UsageError: always.
        """
        raise UsageError(
            f"{sheet.title or 'this output'} has no form in OCSF.",
            remedy="-o ocsf writes the findings of hunt and the requests of search.",
        )

    def hunts(self, results: Sequence[HuntResult]) -> str:
        """Write a Detection Finding per finding."""
        return _lines(
            [
                detection_finding(finding, result)
                for result in results
                for finding in result.findings
            ]
        )

    def view(self, view: View) -> str:
        """Write an API Activity per request."""
        if view.requests is None:
            return self.sheet(view.sheet)
        return _lines([api_activity(request) for request in view.requests])


FORMAT = OcsfFormat()


def _lines(events: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f"{json_line(event)}\n" for event in events)


def api_activity(request: Request) -> dict[str, Any]:
    """Return the API Activity of a request."""
    activity, name = _ACTIVITIES.get(request.verb, (99, request.verb or "Other"))
    status, status_name = _STATUS.get(request.outcome, (0, "Unknown"))
    denied = request.code in _DENIED
    action, action_name = (2, "Denied") if denied else (1, "Allowed")
    if not denied and request.outcome == "unknown":
        action, action_name = 0, "Unknown"
    return _present(
        {
            **_class(_API_ACTIVITY, "API Activity", _APPLICATION, "Application Activity"),
            "activity_id": activity,
            "activity_name": name,
            "type_uid": _API_ACTIVITY * 100 + activity,
            "severity_id": 1,
            "severity": "Informational",
            "time": _milliseconds(request.time),
            "message": request.text,
            "status_id": status,
            "status": status_name,
            "status_code": str(request.code) if request.code is not None else "",
            "action_id": action,
            "action": action_name,
            "metadata": _metadata(
                request.id or request.audit_id, ["security_control"], request.level
            ),
            "actor": {
                "user": _present(
                    {"name": request.user or "unknown", "credential_uid": request.credential}
                )
            },
            "src_endpoint": {"ip": request.address} if request.address else {"name": "unknown"},
            "api": _present(
                {
                    "operation": request.verb or "unknown",
                    "service": {"name": "kube-apiserver"},
                    "group": {"name": request.group} if request.group else None,
                    "request": {"uid": request.audit_id},
                    "response": _present({"code": request.code}),
                }
            ),
            "http_request": _present({"user_agent": request.agent}),
            "resources": [
                _present(
                    {
                        "type": request.resource,
                        # A resource needs a name; of a list it is that of the collection.
                        "name": request.name or request.resource or "unknown",
                        "namespace": request.namespace,
                        "group": {"name": request.cluster} if request.cluster else None,
                    }
                )
            ],
            "unmapped": _present(
                {
                    "stage": request.stage,
                    "impersonatedUser.username": request.acting_as,
                    "claimed_address": request.claimed_address,
                    "orchestrator.cluster.name": request.cluster,
                }
            ),
        }
    )


def detection_finding(finding: Finding, result: HuntResult) -> dict[str, Any]:
    """Return the Detection Finding of a finding.

    :param result: of its hunt.
    """
    severity, name = _SEVERITIES.get(finding.level, (0, "Unknown"))
    return _present(
        {
            **_class(_DETECTION_FINDING, "Detection Finding", _FINDINGS, "Findings"),
            "activity_id": 1,
            "activity_name": "Create",
            "type_uid": _DETECTION_FINDING * 100 + 1,
            "severity_id": severity,
            "severity": name,
            "status_id": 1,
            "status": "New",
            "time": _milliseconds(finding.last_seen),
            "start_time": _milliseconds(finding.first_seen) if finding.first_seen else None,
            "end_time": _milliseconds(finding.last_seen) if finding.last_seen else None,
            "count": max(finding.count, 1),
            "message": finding.reason,
            "metadata": _metadata(finding_id(finding), [], ""),
            "finding_info": _present(
                {
                    "uid": finding_id(finding),
                    "title": result.title,
                    "desc": finding.reason,
                    "types": [finding.hunt],
                    "analytic": {"type_id": 1, "type": "Rule", "name": result.title,
                                 "uid": finding.hunt},
                    "attacks": _attacks(result.tags),
                    "first_seen_time": _milliseconds(finding.first_seen)
                    if finding.first_seen else None,
                    "last_seen_time": _milliseconds(finding.last_seen)
                    if finding.last_seen else None,
                }
            ),
            "evidences": [{"data": {"auditID": name}} for name in finding.audit_ids],
            "unmapped": _present(
                {"actor": finding.actor, "key": finding.key, "outcome": finding.outcome}
            ),
        }
    )  # fmt: skip


def _class(uid: int, name: str, category: int, category_name: str) -> dict[str, Any]:
    return {
        "class_uid": uid,
        "class_name": name,
        "category_uid": category,
        "category_name": category_name,
    }


def _metadata(uid: str, profiles: Sequence[str], level: str) -> dict[str, Any]:
    return _present(
        {
            "version": VERSION,
            "uid": uid,
            "product": {"name": "k8sidx", "vendor_name": "k8sidx", "version": __version__},
            "profiles": list(profiles),
            "log_name": "audit.k8s.io/v1",
            "log_level": level,
        }
    )


def _attacks(tags: Sequence[str]) -> list[dict[str, Any]]:
    names = [tag.removeprefix("attack.").upper() for tag in tags if tag.startswith("attack.t")]
    return [
        {"technique": {"uid": name, "name": TECHNIQUES[name].name}}
        for name in names
        if name in TECHNIQUES
    ]


def _milliseconds(moment: datetime | None) -> int:
    """Return milliseconds since 1970: 0 for an event without a time, since OCSF needs one."""
    return round(moment.timestamp() * 1000) if moment else 0


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
