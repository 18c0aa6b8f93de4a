"""Selectors: conditions for the events of an actor, an address, a credential or an object."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from k8sidx.errors import UsageError
from k8sidx.events.kinds import is_cluster_scoped, is_known, plural
from k8sidx.query.algebra import And, Compare, Condition, InNetwork, Leaf, OneOf, Or, Wildcard
from k8sidx.query.wildcard import escape

ACTOR_FIELDS = ("user.username", "impersonatedUser.username")
CREDENTIAL_FIELDS = (
    "user.extra.authentication.kubernetes.io/credential-id",
    "annotations.authentication.kubernetes.io/issued-credential-id",
    "user.extra.accessKeyId",
)


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """An object of Kubernetes, or with ``*`` in its name several.

    :param resource: plural, in lower case.
    :param namespace: empty for any: objects outside of namespaces have none.
    :param name: ``*`` for any.
    """

    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.resource} {path}"


def by_actor(name: str) -> Condition:
    """Return the condition of the requests of a user, and of those that others made in its name.

    :param name: user name; ``*`` stands for any characters. A service account may be given as
        ``NAMESPACE:NAME``.
    """
    return Or(tuple(leaf for field in ACTOR_FIELDS for leaf in _names(field, name)))


def full_name(name: str) -> str:
    """Return the user name of an actor; that of a service account for ``NAMESPACE:NAME``."""
    if name.count(":") == 1 and not name.startswith("system:"):
        return f"system:serviceaccount:{name}"
    return name


def _names(field: str, name: str) -> list[Leaf]:
    return [_matching(field, text) for text in dict.fromkeys((name, full_name(name)))]


def by_address(text: str) -> Condition:
    """Return the condition of the requests from an address or network, claimed ones included.

    :raises UsageError: when it is not an address or a network.
    """
    try:
        network = str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not an address.",
            remedy="Write an address or a network, for example 203.0.113.9 or 10.0.0.0/8.",
        ) from error
    return InNetwork("sourceIPs", (network,))


def by_credential(identifier: str) -> Condition:
    """Return the condition of the requests that used a credential, and of the one that issued it.

    :param identifier: a credential id (``JTI=…``, ``X509SHA256=…``), with or without what comes
        before ``=``, or an access key of AWS.
    """
    names = [identifier]
    if "=" not in identifier:
        names += [f"JTI={identifier}", f"X509SHA256={identifier}"]
    return Or(tuple(OneOf(field, tuple(names)) for field in CREDENTIAL_FIELDS))


def by_object(reference: ObjectReference) -> Condition:
    """Return the condition of the requests about an object, refused ones included."""
    parts: list[Condition] = list(of_collection(reference))
    if reference.name != "*":
        parts.append(
            Or(
                (
                    _matching("target.name", reference.name),
                    _matching("requestObject.metadata.name", reference.name),
                )
            )
        )
    return And(tuple(parts))


def of_collection(reference: ObjectReference) -> tuple[Condition, ...]:
    """Return the conditions of the requests about the kind in the namespace of an object."""
    kind = Compare("objectRef.resource", "=", reference.resource)
    if not reference.namespace or is_cluster_scoped(reference.resource):
        return (kind,)
    return kind, _matching("objectRef.namespace", reference.namespace)


def _matching(field: str, text: str) -> Leaf:
    if "*" not in text:
        return Compare(field, "=", text)
    return Wildcard(field, "*".join(escape(part) for part in text.split("*")))


def parse_object(text: str, namespace: str = "") -> ObjectReference:
    """Parse an object: ``shop/deployment/web``, ``deployment/web`` or ``deployment shop/web``.

    :param namespace: of the option ``-n``, for texts without one.
    :raises UsageError: when the text names no kind or no object.
    """
    words = text.replace(" ", "/").strip("/").split("/")
    if any(not word for word in words) or not 2 <= len(words) <= 3:
        raise _not_an_object(text)
    if len(words) == 2:
        kind, name = words
        return ObjectReference(plural(kind), namespace, name)
    first, second, name = words
    begins_with_kind = " " in text.strip() or (is_known(first) and not is_known(second))
    kind, inside = (first, second) if begins_with_kind else (second, first)
    if namespace and inside != namespace:
        raise UsageError(
            f"{text!r} and --namespace name two namespaces.", remedy="Give one of them."
        )
    return ObjectReference(plural(kind), inside, name)


def _not_an_object(text: str) -> UsageError:
    return UsageError(
        f"{text!r} does not name an object.",
        remedy="Write NAMESPACE/KIND/NAME, KIND/NAME with -n NAMESPACE, or "
        "'KIND NAMESPACE/NAME', for example shop/deployment/web.",
    )
