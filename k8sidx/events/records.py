"""What decoding makes of an input record: an event, something else, or a reject."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from k8sidx.errors import Where

JsonObject: TypeAlias = dict[str, Any]


class Context(NamedTuple):
    """What an envelope says of its events.

    :param provider: ``kube-apiserver``, ``eks``, ``gke``, ``aks``, ``openshift``, ``rancher``.
    :param cluster: the cluster's name, empty when the envelope has none.
    :param time: ISO-8601 time that the provider gives, for events without one of their own.
    """

    provider: str = "kube-apiserver"
    cluster: str = ""
    time: str = ""


class Event(NamedTuple):
    """One audit.k8s.io/v1 Event as a JSON object, with what its envelope said."""

    body: JsonObject
    context: Context
    where: Where


class Skipped(NamedTuple):
    """A record that is no audit event and never was one; ``kind`` says what it is."""

    kind: str
    where: Where


class Rejected(NamedTuple):
    """A record that should have been an event and cannot be stored.

    :param raw: the record as it was read, for the dead-letter file.
    """

    reason: str
    where: Where
    raw: bytes


Record: TypeAlias = Event | Skipped | Rejected
