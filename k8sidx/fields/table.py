"""The field table: one record for each field that k8sidx stores.

The store's columns, the index mappings, the validation of queries and
``docs/fields.md`` are made from it. The order is the order of the columns.

Names are audit.k8s.io/v1 paths as kubectl and the article write them; added
fields have ECS names where ECS has one.
"""

from __future__ import annotations

from k8sidx.fields.field import NAME_LENGTH, TEXT_LENGTH, Field, Kind

__all__ = ["FIELDS", "FROM_BODIES", "Field", "Kind"]


def _keyword(name: str, about: str, **more: object) -> Field:
    return Field(name, Kind.KEYWORD, about, **more)  # type: ignore[arg-type]


def _flag(name: str, about: str) -> Field:
    return Field(name, Kind.BOOLEAN, about, example="true")


IDENTITY: tuple[Field, ...] = (
    _keyword(
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
    _keyword(
        "message",
        "The event in one line: who did what to which object, and the answer.",
        length=TEXT_LENGTH,
        aliases=("@message",),
        example="bob list secrets in kube-system: 403 Forbidden",
    ),
)

AUDIT: tuple[Field, ...] = (
    _keyword(
        "auditID",
        "Id of the request. Clients can choose it.",
        audit=True,
        length=512,
        example="86940068-c5dd-4065-883a-18ebbed20863",
    ),
    _keyword(
        "stage",
        "RequestReceived, ResponseStarted, ResponseComplete or Panic.",
        audit=True,
        length=64,
        example="ResponseComplete",
    ),
    _keyword(
        "level",
        "How much the audit policy kept: Metadata, Request, RequestResponse.",
        audit=True,
        length=64,
        example="Metadata",
    ),
    _keyword(
        "verb",
        "The request's verb; for other than resource requests the HTTP method.",
        audit=True,
        length=64,
        ecs="event.action",
        example="list",
    ),
    _keyword(
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
    _keyword(
        "user.username",
        "The authenticated user. With impersonation, the impersonator.",
        audit=True,
        length=NAME_LENGTH,
        ecs="user.name",
        example="system:node:node-1",
    ),
    _keyword("user.uid", "The user's uid.", audit=True, ecs="user.id"),
    _keyword(
        "user.groups",
        "The user's groups.",
        audit=True,
        many=True,
        length=NAME_LENGTH,
        ecs="user.roles",
        positions=2,
        example="system:masters",
    ),
    _keyword(
        "impersonatedUser.username",
        "Whom the user impersonated.",
        audit=True,
        length=NAME_LENGTH,
        example="alice",
    ),
    _keyword("impersonatedUser.uid", "Uid of the impersonated user.", audit=True),
    _keyword(
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
    _keyword(
        "userAgent",
        "The client's User-Agent header.",
        audit=True,
        length=2048,
        ecs="user_agent.original",
        example="kubectl/v1.37.2 (linux/amd64) kubernetes/0000000",
    ),
    _keyword(
        "objectRef.resource",
        "Resource, plural.",
        audit=True,
        ecs="orchestrator.resource.type",
        example="pods",
    ),
    _keyword("objectRef.subresource", "Sub-resource.", audit=True, example="exec"),
    _keyword(
        "objectRef.namespace",
        "Namespace of the object.",
        audit=True,
        ecs="orchestrator.namespace",
        example="kube-system",
    ),
    _keyword(
        "objectRef.name",
        "Name of the object; absent for lists and refused creates.",
        audit=True,
        length=NAME_LENGTH,
        ecs="orchestrator.resource.name",
    ),
    _keyword("objectRef.uid", "Uid of the object.", audit=True, ecs="orchestrator.resource.id"),
    _keyword(
        "objectRef.apiGroup",
        "API group; `core` where Kubernetes has the empty group.",
        audit=True,
        aliases=("objectReg.apigroup", "objectRef.apigroup"),
        example="apps",
    ),
    _keyword(
        "objectRef.apiVersion",
        "API version.",
        audit=True,
        ecs="orchestrator.api_version",
        example="v1",
    ),
    _keyword("objectRef.resourceVersion", "Resource version that the request named.", audit=True),
    Field(
        "responseStatus.code",
        Kind.INTEGER,
        "HTTP status code.",
        audit=True,
        ecs="http.response.status_code",
        example="403",
    ),
    _keyword(
        "responseStatus.status", "Success or Failure.", audit=True, length=64, example="Failure"
    ),
    _keyword(
        "responseStatus.reason",
        "Machine-readable reason of a failure.",
        audit=True,
        example="Forbidden",
    ),
    _keyword(
        "responseStatus.message",
        "Human-readable reason of a failure.",
        audit=True,
        length=TEXT_LENGTH,
        ecs="error.message",
    ),
    _keyword(
        "annotations.authorization.k8s.io/decision",
        "The authorizer's word: allow or forbid.",
        audit=True,
        length=64,
        example="forbid",
    ),
    _keyword(
        "annotations.authorization.k8s.io/reason",
        "Which grant allowed the request.",
        audit=True,
        length=TEXT_LENGTH,
        example='RBAC: allowed by ClusterRoleBinding "view" of ClusterRole "view" to …',
    ),
    _keyword(
        "annotations.pod-security.kubernetes.io/enforce-policy",
        "Pod Security level and version that was enforced.",
        audit=True,
        example="restricted:latest",
    ),
    _keyword(
        "annotations.pod-security.kubernetes.io/audit-violations",
        "What Pod Security would have refused.",
        audit=True,
        length=TEXT_LENGTH,
    ),
    _keyword(
        "annotations.authentication.kubernetes.io/issued-credential-id",
        "Id of the token that the request minted.",
        audit=True,
        example="JTI=2f6f0a38-…",
    ),
    _keyword(
        "annotations.authentication.k8s.io/legacy-token",
        "The service account whose token out of a secret was used.",
        audit=True,
        example="system:serviceaccount:ci:deployer",
    ),
    _keyword(
        "annotations.audit.k8s.io/truncated",
        "`true` when the API server cut the bodies.",
        audit=True,
        length=64,
    ),
)


def _body(body: str, where: str) -> tuple[Field, ...]:
    """Fields promoted from one of the two bodies; `where` says what the body is."""
    return (
        _keyword(f"{body}.kind", f"Kind of the object {where}.", example="Pod"),
        _keyword(f"{body}.metadata.name", f"Name of the object {where}.", length=NAME_LENGTH),
        _keyword(f"{body}.metadata.namespace", f"Namespace of the object {where}."),
        _keyword(
            f"{body}.roleRef.kind", f"Kind of role in the binding {where}.", example="ClusterRole"
        ),
        _keyword(
            f"{body}.roleRef.name",
            f"Role in the binding {where}.",
            length=NAME_LENGTH,
            example="cluster-admin",
        ),
        _keyword(
            f"{body}.subjects.kind",
            f"Kinds of the subjects in the binding {where}.",
            many=True,
            positions=1,
            example="ServiceAccount",
        ),
        _keyword(
            f"{body}.subjects.name",
            f"Names of the subjects in the binding {where}.",
            many=True,
            positions=1,
            length=NAME_LENGTH,
        ),
        _keyword(
            f"{body}.subjects.namespace",
            f"Namespaces of the subjects in the binding {where}; empty where a subject has none.",
            many=True,
            positions=1,
        ),
    )


BODIES: tuple[Field, ...] = (
    *_body("requestObject", "that the client sent"),
    *_body("responseObject", "that the API server answered"),
    _keyword("responseObject.metadata.uid", "Uid of the object that the API server answered."),
    _keyword(
        "responseObject.metadata.annotations.kubernetes.io/psp",
        "PodSecurityPolicy that admitted the pod (before Kubernetes 1.25).",
        example="eks.privileged",
    ),
    _keyword(
        "responseObject.status.reason", "`status.reason` of the object answered.", example="Evicted"
    ),
)

DERIVED: tuple[Field, ...] = (
    _keyword(
        "event.outcome",
        "success, failure or unknown: failure when the decision is forbid or the code is 400 "
        "or more, success for 101, 2xx and 3xx.",
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
        "Size of the event's JSON as it was read, without what wrapped it.",
        example="1226",
    ),
    _keyword(
        "event.provider",
        "What wrote the event: kube-apiserver, eks, gke, aks, openshift, rancher.",
        length=64,
        example="eks",
    ),
    _keyword(
        "orchestrator.cluster.name",
        "The cluster: `--cluster`, else what the envelope says.",
        example="prod-eu",
    ),
    _keyword(
        "user.effective.name",
        "The person or account the request counts for: impersonatedUser, else user.",
        length=NAME_LENGTH,
        example="alice",
    ),
    _keyword(
        "user.effective.groups", "Groups of the effective user.", many=True, length=NAME_LENGTH
    ),
    _keyword(
        "user.kind",
        "human, serviceaccount, node, control-plane, anonymous or unknown, of the effective user.",
        length=64,
        example="human",
    ),
    _flag(
        "user.controller",
        "The request is of one of Kubernetes' own controllers that make pods and ReplicaSets out "
        "of somebody's workload; not through impersonation.",
    ),
    _keyword("user.extra.arn", "EKS: IAM principal.", length=2048),
    _keyword("user.extra.accessKeyId", "EKS: access key."),
    _keyword("user.extra.sessionName", "EKS: session name of the assumed role."),
    _keyword(
        "user.extra.authentication.kubernetes.io/credential-id",
        "Which certificate or token was used.",
        length=512,
        example="JTI=967ff8d6-…",
    ),
    _keyword(
        "user.extra.authentication.kubernetes.io/pod-name",
        "Pod that the service account token was bound to.",
    ),
    _keyword(
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
    Field(
        "source.claimed_ip",
        Kind.ADDRESS,
        "The address the client claims: the first of sourceIPs.",
        example="203.0.113.7",
    ),
    _flag("source.forwarded", "The claimed and the seen address differ."),
    _keyword(
        "user_agent.name",
        "Product in userAgent, without its version.",
        length=NAME_LENGTH,
        ecs="user_agent.name",
        example="kubectl",
    ),
    _keyword(
        "user_agent.version",
        "Version of that product.",
        ecs="user_agent.version",
        example="v1.37.2",
    ),
    _keyword(
        "url.path",
        "Path of requestURI, percent-decoded, where objectRef does not say it: requests for no "
        "resource, and proxies.",
        length=TEXT_LENGTH,
        ecs="url.path",
        example="/healthz",
    ),
    _flag("request.dry_run", "The request was a dry run: allowed, answered, nothing stored."),
    _flag("request.json_patch", "The body is a JSON patch (RFC 6902): a list, no object."),
    _keyword(
        "exec.command",
        "Arguments of exec, from requestURI, else from the request's body.",
        many=True,
        length=TEXT_LENGTH,
        example="/bin/sh",
    ),
    _keyword(
        "exec.command_line",
        "exec.command joined by blanks.",
        length=TEXT_LENGTH,
        ecs="process.command_line",
        example="/bin/sh -c id",
    ),
    _keyword("exec.container", "Container of exec, attach or logs."),
    _keyword(
        "target.resource", "Resource and sub-resource in one.", length=512, example="pods/exec"
    ),
    _keyword(
        "target.name",
        "objectRef.name, else the name in the answer (objects made with generateName).",
        length=NAME_LENGTH,
    ),
    _flag(
        "event.truncated",
        "Bodies were cut by the API server or the provider: what needs them cannot be judged.",
    ),
)

POD: tuple[Field, ...] = (
    _keyword(
        "pod.owner_kind", "Kind of the controller that owns the object.", example="ReplicaSet"
    ),
    _keyword(
        "pod.workload",
        "The workload that the pod or template belongs to: the Deployment behind a ReplicaSet and "
        "its pods, the CronJob behind a Job; the object's own name where no controller owns it.",
        length=NAME_LENGTH,
        example="web",
    ),
    _flag("pod.mirror", "The pod mirrors a static pod: a file on its node made it."),
    _flag("pod.privileged", "A container of the pod (or pod template) is privileged."),
    _flag("pod.host_network", "The pod uses the node's network."),
    _flag("pod.host_pid", "The pod sees the node's processes."),
    _flag("pod.host_ipc", "The pod shares the node's IPC."),
    _flag("pod.allow_privilege_escalation", "A container may gain privileges."),
    _flag(
        "pod.run_as_root", "runAsUser is 0 or runAsNonRoot is false, for the pod or a container."
    ),
    _keyword(
        "pod.host_paths",
        "Node paths that the pod mounts, without `//` and `/./`.",
        many=True,
        length=NAME_LENGTH,
        example="/var/run/docker.sock",
    ),
    _keyword(
        "pod.capabilities",
        "Kernel capabilities that a container adds.",
        many=True,
        example="SYS_ADMIN",
    ),
    _keyword(
        "pod.images",
        "Images of all containers, init and ephemeral ones included.",
        many=True,
        length=NAME_LENGTH,
        example="alpine:3.20",
    ),
    _keyword(
        "pod.image_names",
        "Last part of each image's name, without registry, tag and digest.",
        many=True,
        length=NAME_LENGTH,
        example="alpine",
    ),
    _keyword("pod.containers", "Names of all containers.", many=True),
    _keyword(
        "pod.commands",
        "Commands and arguments of all containers, one line each.",
        many=True,
        length=TEXT_LENGTH,
    ),
    _keyword("pod.service_account", "Service account of the pod."),
    _keyword(
        "pod.host_ports",
        "Ports of the node that containers take, without those of a pod on the node's network.",
        many=True,
        example="8080",
    ),
    _keyword(
        "pod.unconfined",
        "What of seccomp, apparmor and proc (procMount) does not confine a container.",
        many=True,
        example="seccomp",
    ),
    _keyword("pod.node_name", "Node that the request chose, past the scheduler."),
    _flag("pod.tolerates_all", "The pod tolerates every taint, also those of the control plane."),
    _keyword("pod.priority_class", "Priority class of the pod.", example="system-cluster-critical"),
)

RBAC: tuple[Field, ...] = (
    _keyword(
        "rbac.role",
        "Role that a binding grants, from the request, else the answer.",
        length=NAME_LENGTH,
        example="cluster-admin",
    ),
    _keyword("rbac.role_kind", "Its kind.", example="ClusterRole"),
    _keyword(
        "rbac.subjects",
        "Subjects of a binding as kind/namespace/name, kept together.",
        many=True,
        length=2048,
        example="ServiceAccount/shop/cart",
    ),
    _keyword("rbac.verbs", "Verbs in the rules of a role.", many=True, example="*"),
    _keyword("rbac.resources", "Resources in the rules of a role.", many=True, example="secrets"),
    _keyword(
        "rbac.api_groups", "API groups in the rules of a role; `core` for the empty one.", many=True
    ),
    _keyword(
        "rbac.rules",
        "What each rule allows as verb:group/resource, so that verb and resource of one rule "
        "stay together.",
        many=True,
        length=NAME_LENGTH,
        example="get:core/secrets",
    ),
    _keyword(
        "csr.subject",
        "Subject of a certificate request (RFC 4514).",
        length=NAME_LENGTH,
        example="O=system:masters,CN=mallory",
    ),
    _keyword(
        "csr.signer_name",
        "Signer of a certificate request.",
        example="kubernetes.io/kube-apiserver-client",
    ),
    _keyword("csr.usages", "Usages of a certificate request.", many=True, example="client auth"),
)

OBJECTS: tuple[Field, ...] = (
    _keyword("service.type", "Type of a service.", length=64, example="NodePort"),
    _keyword("service.ports", "Ports of a service.", many=True, example="6379"),
    _keyword(
        "service.external_ips",
        "Addresses outside the cluster that a service takes (spec.externalIPs).",
        many=True,
        example="203.0.113.7",
    ),
    _keyword(
        "service.apps",
        "What a service is in front of: its name, and the values of app labels of it and of its "
        "selector.",
        many=True,
        length=NAME_LENGTH,
        example="kubernetes-dashboard",
    ),
    _flag(
        "service.internal",
        "The load balancer of a service is internal, or takes listed address ranges only.",
    ),
    _flag("ingress.without_tls", "The Ingress that the request holds has no TLS."),
    _keyword(
        "namespace.pod_security",
        "Pod Security level that the request enforces in a namespace; `none` where it takes the "
        "label away.",
        example="privileged",
    ),
    _keyword(
        "serviceaccount.image_pull_secrets",
        "Secrets that a service account pulls images with, of the request.",
        many=True,
    ),
    _keyword(
        "volume.host_path",
        "Node path behind a PersistentVolume, of hostPath or local.",
        length=NAME_LENGTH,
        example="/var/lib/docker",
    ),
    _keyword(
        "configmap.credentials",
        "Keys of a ConfigMap whose values look like credentials: a password, a passphrase, an "
        "access key or a private key. The values are redacted.",
        many=True,
        example="application.properties",
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
    | {"exec.command", "exec.command_line", "exec.container", "request.json_patch"}
    | {field.name for field in (*BODIES, *POD, *RBAC, *OBJECTS)}
)
"""Names of the fields that come from the request and response objects."""
