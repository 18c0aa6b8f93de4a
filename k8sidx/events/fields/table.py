"""The field table: one record for each field that k8sidx stores.

The store's columns, the index mappings, the validation of queries and
``docs/fields.md`` are made from it. The order is the order of the columns.

Names are audit.k8s.io/v1 paths as kubectl and the article write them; added
fields have ECS names where ECS has one.
"""

from __future__ import annotations

from k8sidx.events.fields.field import NAME_LENGTH, TEXT_LENGTH, Field, Kind, flag, keyword
from k8sidx.events.fields.objects import OBJECTS, POD, RBAC

__all__ = ["FIELDS", "FROM_BODIES", "Field", "Kind"]


IDENTITY: tuple[Field, ...] = (
    keyword(
        "event.id",
        "128-bit digest of the canonical, redacted event, as 32 hexadecimal digits: the "
        "document id. Never the client-settable auditID.",
        aliases=("_id",),
        example="5c1f6a0e9d0b4f3a8f2f3d5a9be1c774",
    ),
    Field(
        "@timestamp",
        Kind.TIME,
        "When it happened: stageTimestamp, else requestReceivedTimestamp, else the time the "
        "provider gives. Missing when none of them is a date after year 1.",
        aliases=("timestamp",),
        example="2026-11-23T20:27:30.064501Z",
    ),
    keyword(
        "message",
        "The event in one line: who did what to which object, and the answer.",
        length=TEXT_LENGTH,
        aliases=("@message",),
        example="bob list secrets in kube-system: 403 Forbidden",
    ),
)

AUDIT: tuple[Field, ...] = (
    keyword(
        "auditID",
        "Id of the request. Clients can choose it.",
        audit=True,
        length=512,
        example="86940068-c5dd-4065-883a-18ebbed20863",
    ),
    keyword(
        "stage",
        "RequestReceived, ResponseStarted, ResponseComplete or Panic.",
        audit=True,
        length=64,
        example="ResponseComplete",
    ),
    keyword(
        "level",
        "How much the audit policy kept: Metadata, Request, RequestResponse.",
        audit=True,
        length=64,
        example="Metadata",
    ),
    keyword(
        "verb",
        "The request's verb; for other than resource requests the HTTP method.",
        audit=True,
        length=64,
        ecs="event.action",
        example="list",
    ),
    keyword(
        "requestURI",
        "The request as the client sent it, bearer tokens removed.",
        audit=True,
        length=TEXT_LENGTH,
        ecs="url.original",
        example="/api/v1/namespaces/shop/secrets?limit=500",
    ),
    Field(
        "requestReceivedTimestamp",
        Kind.TIME,
        "When the API server received the request.",
        audit=True,
        example="2026-11-23T20:27:30.061865Z",
    ),
    Field(
        "stageTimestamp",
        Kind.TIME,
        "When the request reached this stage.",
        audit=True,
        example="2026-11-23T20:27:30.064501Z",
    ),
    keyword(
        "user.username",
        "The authenticated user. With impersonation, the impersonator.",
        audit=True,
        length=NAME_LENGTH,
        ecs="user.name",
        example="system:node:node-1",
    ),
    keyword("user.uid", "The user's uid.", audit=True, ecs="user.id"),
    keyword(
        "user.groups",
        "The user's groups.",
        audit=True,
        many=True,
        length=NAME_LENGTH,
        ecs="user.roles",
        positions=2,
        example="system:masters",
    ),
    keyword(
        "impersonatedUser.username",
        "Whom the user impersonated.",
        audit=True,
        length=NAME_LENGTH,
        example="alice",
    ),
    keyword("impersonatedUser.uid", "Uid of the impersonated user.", audit=True),
    keyword(
        "impersonatedUser.groups",
        "Groups of the impersonated user.",
        audit=True,
        many=True,
        length=NAME_LENGTH,
        positions=2,
    ),
    Field(
        "sourceIPs",
        Kind.ADDRESS,
        "Addresses as the API server logged them: X-Forwarded-For first, the peer last.",
        audit=True,
        many=True,
        positions=2,
        example="10.0.1.11",
    ),
    keyword(
        "userAgent",
        "The client's User-Agent header.",
        audit=True,
        length=2048,
        ecs="user_agent.original",
        example="kubectl/v1.37.2 (linux/amd64) kubernetes/0000000",
    ),
    keyword(
        "objectRef.resource",
        "Resource, plural.",
        audit=True,
        ecs="orchestrator.resource.type",
        example="pods",
    ),
    keyword("objectRef.subresource", "Sub-resource.", audit=True, example="exec"),
    keyword(
        "objectRef.namespace",
        "Namespace of the object.",
        audit=True,
        ecs="orchestrator.namespace",
        example="kube-system",
    ),
    keyword(
        "objectRef.name",
        "Name of the object; absent for lists and refused creates.",
        audit=True,
        length=NAME_LENGTH,
        ecs="orchestrator.resource.name",
    ),
    keyword("objectRef.uid", "Uid of the object.", audit=True, ecs="orchestrator.resource.id"),
    keyword(
        "objectRef.apiGroup",
        "API group; `core` where Kubernetes has the empty group.",
        audit=True,
        aliases=("objectReg.apigroup", "objectRef.apigroup"),
        example="apps",
    ),
    keyword(
        "objectRef.apiVersion",
        "API version.",
        audit=True,
        ecs="orchestrator.api_version",
        example="v1",
    ),
    keyword("objectRef.resourceVersion", "Resource version that the request named.", audit=True),
    Field(
        "responseStatus.code",
        Kind.INTEGER,
        "HTTP status code.",
        audit=True,
        ecs="http.response.status_code",
        example="403",
    ),
    keyword(
        "responseStatus.status", "Success or Failure.", audit=True, length=64, example="Failure"
    ),
    keyword(
        "responseStatus.reason",
        "Machine-readable reason of a failure.",
        audit=True,
        example="Forbidden",
    ),
    keyword(
        "responseStatus.message",
        "Human-readable reason of a failure.",
        audit=True,
        length=TEXT_LENGTH,
        ecs="error.message",
    ),
    keyword(
        "annotations.authorization.k8s.io/decision",
        "The authorizer's word: allow or forbid.",
        audit=True,
        length=64,
        example="forbid",
    ),
    keyword(
        "annotations.authorization.k8s.io/reason",
        "Which grant allowed the request.",
        audit=True,
        length=TEXT_LENGTH,
        example='RBAC: allowed by ClusterRoleBinding "view" of ClusterRole "view" to …',
    ),
    keyword(
        "annotations.pod-security.kubernetes.io/enforce-policy",
        "Pod Security level and version that was enforced.",
        audit=True,
        example="restricted:latest",
    ),
    keyword(
        "annotations.pod-security.kubernetes.io/audit-violations",
        "What Pod Security would have refused.",
        audit=True,
        length=TEXT_LENGTH,
    ),
    keyword(
        "annotations.authentication.kubernetes.io/issued-credential-id",
        "Id of the token that the request minted.",
        audit=True,
        example="JTI=2f6f0a38-…",
    ),
    keyword(
        "annotations.authentication.k8s.io/legacy-token",
        "The service account whose token out of a secret was used.",
        audit=True,
        example="system:serviceaccount:ci:deployer",
    ),
    keyword(
        "annotations.audit.k8s.io/truncated",
        "`true` when the API server cut the bodies.",
        audit=True,
        length=64,
    ),
)


def _body(body: str, where: str) -> tuple[Field, ...]:
    """Fields promoted from one of the two bodies; `where` says what the body is."""
    return (
        keyword(f"{body}.kind", f"Kind of the object {where}.", example="Pod"),
        keyword(f"{body}.metadata.name", f"Name of the object {where}.", length=NAME_LENGTH),
        keyword(f"{body}.metadata.namespace", f"Namespace of the object {where}."),
        keyword(
            f"{body}.roleRef.kind", f"Kind of role in the binding {where}.", example="ClusterRole"
        ),
        keyword(
            f"{body}.roleRef.name",
            f"Role in the binding {where}.",
            length=NAME_LENGTH,
            example="cluster-admin",
        ),
        keyword(
            f"{body}.subjects.kind",
            f"Kinds of the subjects in the binding {where}.",
            many=True,
            positions=1,
            example="ServiceAccount",
        ),
        keyword(
            f"{body}.subjects.name",
            f"Names of the subjects in the binding {where}.",
            many=True,
            positions=1,
            length=NAME_LENGTH,
        ),
        keyword(
            f"{body}.subjects.namespace",
            f"Namespaces of the subjects in the binding {where}; empty where a subject has none.",
            many=True,
            positions=1,
        ),
    )


BODIES: tuple[Field, ...] = (
    *_body("requestObject", "that the client sent"),
    *_body("responseObject", "that the API server answered"),
    keyword("responseObject.metadata.uid", "Uid of the object that the API server answered."),
    keyword(
        "responseObject.metadata.annotations.kubernetes.io/psp",
        "PodSecurityPolicy that admitted the pod (before Kubernetes 1.25).",
        example="eks.privileged",
    ),
    keyword(
        "responseObject.status.reason", "`status.reason` of the object answered.", example="Evicted"
    ),
)

DERIVED: tuple[Field, ...] = (
    keyword(
        "event.outcome",
        "success, failure or unknown, by the authorizer's decision, the code (HTTP's or gRPC's) "
        "and the status. Rules can also compare it with `denied`, the failures that are denials "
        "(decision forbid, 401, 403): ECS has no word for them.",
        length=64,
        example="failure",
    ),
    Field(
        "event.duration",
        Kind.INTEGER,
        "Nanoseconds from requestReceivedTimestamp to stageTimestamp.",
        example="2636000",
    ),
    Field(
        "event.bytes",
        Kind.INTEGER,
        "Size of the event's JSON without its envelope: as read where it is text, in compact form "
        "where it is part of a larger object.",
        example="1226",
    ),
    keyword(
        "event.provider",
        "What wrote the event: kube-apiserver, eks, gke, aks, openshift, rancher.",
        length=64,
        example="eks",
    ),
    keyword(
        "orchestrator.cluster.name",
        "The cluster: `--cluster`, else what the envelope says.",
        example="prod-eu",
    ),
    keyword(
        "user.effective.name",
        "The person or account the request counts for: impersonatedUser, else user.",
        length=NAME_LENGTH,
        example="alice",
    ),
    keyword(
        "user.effective.namespace",
        "Namespace of the effective user, if it is a service account.",
        example="kube-system",
    ),
    keyword(
        "user.effective.account",
        "Name of the effective user without `system:serviceaccount:NAMESPACE:` or `system:node:`; "
        "with `user.kind` and `user.effective.namespace` it names one user.",
        length=NAME_LENGTH,
        example="deployment-controller",
    ),
    keyword(
        "user.effective.groups", "Groups of the effective user.", many=True, length=NAME_LENGTH
    ),
    keyword(
        "user.kind",
        "human, serviceaccount, node, control-plane, anonymous or unknown, of the effective user.",
        length=64,
        example="human",
    ),
    flag(
        "user.controller",
        "The request is of one of Kubernetes' own controllers that make pods and ReplicaSets out "
        "of somebody's workload; not through impersonation.",
    ),
    keyword("user.extra.arn", "EKS: IAM principal.", length=2048),
    keyword("user.extra.accessKeyId", "EKS: access key."),
    keyword("user.extra.sessionName", "EKS: session name of the assumed role."),
    keyword(
        "user.extra.authentication.kubernetes.io/credential-id",
        "Which certificate or token was used.",
        length=512,
        example="JTI=967ff8d6-…",
    ),
    keyword(
        "user.extra.authentication.kubernetes.io/pod-name",
        "Pod that the service account token was bound to.",
    ),
    keyword(
        "user.extra.authentication.kubernetes.io/node-name",
        "Node that the service account token was bound to.",
    ),
    Field(
        "source.ip",
        Kind.ADDRESS,
        "The address the API server saw: the last of sourceIPs.",
        ecs="source.ip",
        example="10.0.1.11",
    ),
    keyword(
        "source.network",
        "Network of source.ip: /24 of IPv4, /48 of IPv6.",
        length=64,
        example="10.0.1.0/24",
    ),
    Field(
        "source.claimed_ip",
        Kind.ADDRESS,
        "The address the client claims: the first of sourceIPs.",
        example="203.0.113.7",
    ),
    Field(
        "source.as.number",
        Kind.INTEGER,
        "Number of the autonomous system of source.ip, from an address database.",
        ecs="source.as.number",
        example="64501",
    ),
    keyword(
        "source.as.organization.name",
        "Organization of the autonomous system of source.ip, from an address database.",
        length=NAME_LENGTH,
        ecs="source.as.organization.name",
        example="Example Networks",
    ),
    keyword(
        "source.geo.country_iso_code",
        "Country of source.ip (ISO 3166-1 alpha-2), from an address database.",
        length=64,
        ecs="source.geo.country_iso_code",
        example="DE",
    ),
    keyword(
        "source.geo.city_name",
        "City of source.ip, in English, from an address database.",
        length=NAME_LENGTH,
        ecs="source.geo.city_name",
        example="Berlin",
    ),
    keyword(
        "source.geo.location",
        "Latitude and longitude of source.ip in degrees, from an address database.",
        length=64,
        point=True,
        ecs="source.geo.location",
        example="52.5200,13.4050",
    ),
    flag("source.forwarded", "The claimed and the seen address differ."),
    keyword(
        "annotation.keys",
        "Keys of the audit annotations that have no field of their own.",
        many=True,
        length=NAME_LENGTH,
        example="failed-open.validating.webhook.admission.k8s.io/round_0_index_1",
    ),
    keyword(
        "user_agent.name",
        "Product in userAgent, without its version.",
        length=NAME_LENGTH,
        ecs="user_agent.name",
        example="kubectl",
    ),
    keyword(
        "user_agent.version",
        "Version of that product.",
        ecs="user_agent.version",
        example="v1.37.2",
    ),
    keyword(
        "url.path",
        "Path of requestURI, percent-decoded, where objectRef does not say it: requests for no "
        "resource, and proxies.",
        length=TEXT_LENGTH,
        ecs="url.path",
        example="/healthz",
    ),
    flag("request.dry_run", "The request was a dry run: allowed, answered, nothing stored."),
    flag("request.json_patch", "The body is a JSON patch (RFC 6902): a list, no object."),
    keyword(
        "exec.command",
        "Arguments of exec, from requestURI, else from the request's body.",
        many=True,
        length=TEXT_LENGTH,
        example="/bin/sh",
    ),
    keyword(
        "exec.command_line",
        "exec.command joined by blanks.",
        length=TEXT_LENGTH,
        ecs="process.command_line",
        example="/bin/sh -c id",
    ),
    keyword("exec.container", "Container of exec, attach or logs."),
    keyword(
        "target.resource", "Resource and sub-resource in one.", length=512, example="pods/exec"
    ),
    keyword(
        "target.name",
        "objectRef.name, else the name in the answer (objects made with generateName).",
        length=NAME_LENGTH,
    ),
    flag(
        "event.truncated",
        "Bodies were cut by the API server or the provider: what needs them cannot be judged.",
    ),
    flag(
        "event.redacted",
        "Values of the event were replaced by redaction (docs/secrets.md): `[redacted by k8sidx]` "
        "stands for them.",
    ),
)

WHOLE: tuple[Field, ...] = (
    Field("requestObject", Kind.JSON, "The object the client sent, redacted.", audit=True),
    Field("responseObject", Kind.JSON, "The object the API server answered, redacted.", audit=True),
    Field("user.extra", Kind.JSON, "What the authenticator says of the user.", audit=True),
    Field("impersonatedUser.extra", Kind.JSON, "The same of the impersonated user.", audit=True),
    Field("responseStatus.details", Kind.JSON, "Details of a failure.", audit=True),
    Field("annotations", Kind.JSON, "Annotations that have no field of their own.", audit=True),
    Field(
        "rest",
        Kind.JSON,
        "What else the event held: with the fields above it makes the whole event.",
        audit=True,
    ),
)

FIELDS: tuple[Field, ...] = (*IDENTITY, *AUDIT, *BODIES, *DERIVED, *POD, *RBAC, *OBJECTS, *WHOLE)
"""All stored fields, in column order."""

FROM_BODIES = frozenset(
    {"requestObject", "responseObject", "target.name", "message", "event.truncated"}
    | {"event.redacted"}
    | {"exec.command", "exec.command_line", "exec.container", "request.json_patch"}
    | {field.name for field in (*BODIES, *POD, *RBAC, *OBJECTS)}
)
"""Names of the fields that come from the request and response objects."""
