"""A request of an attack, and the event that the API server writes of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

KUBECTL = "kubectl/v1.37.2 (linux/amd64) kubernetes/0000000"
_GROUPS = {
    "admissionregistration.k8s.io": (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apiregistration.k8s.io": ("apiservices",),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "authorization.k8s.io": ("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
    "batch": ("cronjobs", "jobs"),
    "certificates.k8s.io": ("certificatesigningrequests", "clustertrustbundles"),
    "discovery.k8s.io": ("endpointslices",),
    "coordination.k8s.io": ("leases",),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "rbac.authorization.k8s.io": (
        "clusterrolebindings",
        "clusterroles",
        "rolebindings",
        "roles",
    ),
    "scheduling.k8s.io": ("priorityclasses",),
    "snapshot.storage.k8s.io": ("volumesnapshots",),
}
API_GROUP = {resource: group for group, resources in _GROUPS.items() for resource in resources}
CLUSTER_WIDE = {
    "apiservices",
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "clustertrustbundles",
    "customresourcedefinitions",
    "flowschemas",
    "mutatingadmissionpolicies",
    "mutatingwebhookconfigurations",
    "namespaces",
    "nodes",
    "persistentvolumes",
    "priorityclasses",
    "runtimeclasses",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
}
NAMED_ONLY = {"namespaces"}
"""Cluster-wide, but an event about one names it as the namespace, too."""

METADATA_ONLY = {"secrets", "configmaps", "endpointslices", "leases", "tokenreviews"}
"""Resources that the recorded audit policy logs without bodies."""

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
NODE_NAME = "authentication.kubernetes.io/node-name"
ISSUED_ID = "authentication.kubernetes.io/issued-credential-id"

_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
}
_CREATED = 201
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Actor:
    """The client of a request: user, address and user agent.

    :param name: user name; "" for one whose credentials were refused.
    """

    name: str
    address: str
    agent: str = KUBECTL


@dataclass(frozen=True, slots=True)
class Step:
    """One request.

    :param seconds: after the attack's beginning.
    :param path: the request's URI when it does not follow from the rest.
    :param query: parameters of the URI.
    :param claimed: what X-Forwarded-For named, before the peer's own address.
    :param message: of a refusal, when it does not follow; ``{user}`` is the user of the request.
    :param user: name of another user than the attack's.
    :param credential: id of the token or certificate.
    :param node: the node that the token is bound to.
    :param groups: of the user; empty for those that such a user has.
    :param admitted: whether a refusal is one of admission, not of authorization.
    """

    verb: str
    resource: str = "pods"
    name: str = ""
    namespace: str = "shop"
    subresource: str = ""
    code: int = 200
    seconds: float = 0
    stage: str = "ResponseComplete"
    path: str = ""
    query: Sequence[tuple[str, str]] = ()
    body: Any = None
    message: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    impersonated: Mapping[str, Any] = field(default_factory=dict)
    claimed: Sequence[str] = ()
    address: str | None = None
    agent: str | None = None
    user: str | None = None
    credential: str = ""
    node: str = ""
    groups: Sequence[str] = ()
    admitted: bool = False

    def numbered(self, number: int, seconds: float) -> Step:
        """Return the same request later, with ``{n}`` in names replaced by that number."""
        return replace(
            self,
            name=self.name.replace("{n}", str(number)),
            namespace=self.namespace.replace("{n}", str(number)),
            seconds=self.seconds + seconds,
        )

    def by(self, actor: Actor) -> Actor:
        """Return the client of this request in the actor's attack."""
        return Actor(
            actor.name if self.user is None else self.user,
            actor.address if self.address is None else self.address,
            actor.agent if self.agent is None else self.agent,
        )

    def event(self, actor: Actor, identity: str, received: str, completed: str) -> dict[str, Any]:
        """Return the event, its keys in the API server's order.

        :param identity: the audit ID.
        """
        who = self.by(actor)
        made: dict[str, Any] = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": self._level(),
            "auditID": identity,
            "stage": self.stage,
            "requestURI": self._uri(),
            "verb": self.verb,
            "user": self._user(who.name),
            "impersonatedUser": dict(self.impersonated),
            "sourceIPs": [*self.claimed, who.address],
            "userAgent": who.agent,
            "objectRef": self._reference(),
            "responseStatus": self._status(who.name),
            "requestObject": self.body,
            "requestReceivedTimestamp": received,
            "stageTimestamp": completed,
            "annotations": self._annotations(who.name),
        }
        optional = ("impersonatedUser", "userAgent", "objectRef", "requestObject", "annotations")
        return {key: value for key, value in made.items() if value or key not in optional}

    def _user(self, name: str) -> dict[str, Any]:
        user = user_of(name)
        if self.credential:
            user |= {"extra": {CREDENTIAL_ID: [self.credential]}}
        if self.node:
            user["extra"] = user["extra"] | {NODE_NAME: [self.node]}
        if self.groups:
            user |= {"groups": [*self.groups, "system:authenticated"]}
        return user

    @property
    def _where(self) -> str:
        if self.resource in NAMED_ONLY:
            return self.name
        return "" if self.resource in CLUSTER_WIDE else self.namespace

    def _reference(self) -> dict[str, str]:
        members = {
            "resource": self.resource,
            "namespace": self._where,
            "name": self.name,
            "apiGroup": API_GROUP.get(self.resource, ""),
            "apiVersion": "v1",
            "subresource": self.subresource,
        }
        return {key: value for key, value in members.items() if value}

    def _uri(self) -> str:
        uri = self.path
        if not uri:
            group = API_GROUP.get(self.resource, "")
            uri = f"/apis/{group}/v1" if group else "/api/v1"
            if self._where and self.resource not in NAMED_ONLY:
                uri += f"/namespaces/{self._where}"
            for part in (self.resource, self.name, self.subresource):
                uri += f"/{part}" if part else ""
        return uri + (f"?{urlencode(self.query)}" if self.query else "")

    def _level(self) -> str:
        if self.resource in METADATA_ONLY and self.body is None:
            return "Metadata"
        return "Request"

    def _status(self, user: str) -> dict[str, Any]:
        if self.code < _REFUSED:
            return {"metadata": {}, "code": self.code}
        reason = _REASONS.get(self.code, "InternalError")
        status = {
            "metadata": {},
            "status": "Failure",
            "message": self.message.replace("{user}", user),
        }
        if not self.message:
            status["message"] = self._refusal(user) if self.code == 403 else reason
        return status | {"reason": reason, "code": self.code}

    def _refusal(self, user: str) -> str:
        group = API_GROUP.get(self.resource, "")
        what = self.resource + (f"/{self.subresource}" if self.subresource else "")
        scope = f'in the namespace "{self._where}"' if self._where else "at the cluster scope"
        named = f"{self.resource}{'.' + group if group else ''}"
        named += f' "{self.name}"' if self.name else ""
        return (
            f'{named} is forbidden: User "{user}" cannot {self.verb} resource "{what}" '
            f'in API group "{group}" {scope}'
        )

    def _annotations(self, user: str) -> dict[str, str]:
        if self.code == 401:
            return {}
        if self.code == 403 and not self.admitted:
            values = {"decision": "forbid", "reason": ""}
        else:
            values = {"decision": "allow", "reason": reason_for(user)}
        return {f"authorization.k8s.io/{key}": value for key, value in values.items()} | dict(
            self.annotations
        )


def user_of(name: str) -> dict[str, Any]:
    """Return ``user`` of an event, as the API server writes such users."""
    if not name:
        return {}
    if name == "system:anonymous":
        return {"username": name, "groups": ["system:unauthenticated"]}
    digest = sha256(name.encode()).hexdigest()
    _, _, rest = name.removeprefix("system:").partition(":")
    groups, extra = ["engineering"], f"X509SHA256={digest}"
    if name.startswith("system:serviceaccount:"):
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{rest.partition(':')[0]}"]
        extra = f"JTI={digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
    elif name.startswith("system:node:"):
        groups = ["system:nodes"]
    return {
        "username": name,
        "groups": [*groups, "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [extra]},
    }


def reason_for(name: str) -> str:
    """Return the reason that names the binding that allows the user's requests."""
    if name.startswith("system:serviceaccount:"):
        _, _, namespace, account = name.split(":", 3)
        return (
            f'RBAC: allowed by RoleBinding "{account}/{namespace}" of Role "{account}" '
            f'to ServiceAccount "{account}/{namespace}"'
        )
    if name.startswith("system:"):
        return ""
    return (
        'RBAC: allowed by ClusterRoleBinding "engineering" of ClusterRole "edit" '
        'to Group "engineering"'
    )


def ask(verb: str, resource: str = "pods", name: str = "", **more: Any) -> Step:
    """Return a request; the default code of one that creates something is 201."""
    if verb == "create" and "code" not in more:
        more["code"] = _CREATED
    return Step(verb, resource, name, **more)


def again(step: Step, count: int, every: float = 1) -> list[Step]:
    """Return the request that many times, so many seconds apart; see :meth:`Step.numbered`."""
    return [step.numbered(number, number * every) for number in range(count)]


def encoded(data: bytes) -> str:
    """Return bytes as a field of an object contains them."""
    return base64.b64encode(data).decode()
