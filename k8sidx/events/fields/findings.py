"""The fields of a saved finding (``hunt --save``), named by the Elastic Common Schema.

What a finding has in common with events (``@timestamp``, ``user.effective.name``,
``source.ip``, …) keeps the name and type that it has in the field table of events.
"""

from __future__ import annotations

from k8sidx.events.fields.field import NAME_LENGTH, Field, Kind

FROM_EVENTS = (
    "event.id",
    "@timestamp",
    "message",
    "user.effective.name",
    "user.kind",
    "user.username",
    "impersonatedUser.username",
    "impersonatedUser.groups",
    "source.ip",
    "source.claimed_ip",
    "verb",
    "target.resource",
    "objectRef.namespace",
    "target.name",
    "orchestrator.cluster.name",
)
"""Fields of the event table that findings have, too. ``@timestamp`` is when the finding was
last seen, ``message`` its sentence, ``event.id`` what makes it the same finding next time."""

FINDING_ONLY: tuple[Field, ...] = (
    Field("event.kind", Kind.KEYWORD, "Always `alert`.", length=64, example="alert"),
    Field(
        "event.severity",
        Kind.INTEGER,
        "The level as a number: informational 0, low 25, medium 50, high 75, critical 100.",
        example="75",
    ),
    Field("event.start", Kind.TIME, "When the finding was first seen in the events."),
    Field("event.end", Kind.TIME, "When the finding was last seen in the events."),
    Field("event.created", Kind.TIME, "When the finding was first saved."),
    Field("rule.id", Kind.KEYWORD, "The hunt's id.", example="cluster_admin_binding"),
    Field("rule.uuid", Kind.KEYWORD, "The hunt's Sigma id."),
    Field("rule.name", Kind.KEYWORD, "The hunt's title.", length=NAME_LENGTH),
    Field(
        "rule.level",
        Kind.KEYWORD,
        "Sigma level: informational, low, medium, high, critical.",
        length=64,
        example="high",
    ),
    Field(
        "threat.tactic.name",
        Kind.KEYWORD,
        "ATT&CK tactics of the hunt.",
        many=True,
        example="credential-access",
    ),
    Field(
        "threat.technique.id",
        Kind.KEYWORD,
        "ATT&CK techniques of the hunt.",
        many=True,
        example="T1552.007",
    ),
    Field(
        "finding.actor",
        Kind.KEYWORD,
        "Whom the finding is about: the caller, or the person behind a trusted proxy.",
        length=NAME_LENGTH,
        example="system:serviceaccount:ci:deployer",
    ),
    Field("finding.count", Kind.INTEGER, "Requests behind the finding.", example="84"),
    Field(
        "finding.audit_ids",
        Kind.KEYWORD,
        "Evidence: up to 20 auditIDs, earliest first.",
        many=True,
        length=512,
    ),
    Field(
        "finding.query",
        Kind.KEYWORD,
        "KQL that matches the events of the evidence, for links and search bars.",
        length=8_191,
        example='auditID: ("86940068-c5dd-4065-883a-18ebbed20863")',
    ),
    Field("finding.key", Kind.JSON, "The fields that tell this finding from the hunt's others."),
)
"""Fields that only findings have."""
