"""The model of ordinary work: kinds of requests, measured on a real API server.

``traffic.ndjson.zst`` is made by ``benchmarks/measure_traffic.py``, which says how.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import zstandard

from k8sidx.events.accounts import SERVICE_ACCOUNT_PREFIX
from k8sidx.generate.template import Template

PEOPLE = {
    "alice": "198.51.100.21",
    "bob": "198.51.100.22",
    "carol@example.com": "198.51.100.23",
    "dave": "198.51.100.24",
    "erin": "203.0.113.60",
    "frank": "198.51.100.26",
}
"""The people of the recording, and the addresses they work from."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests that agree in who asked for what with which result.

    :param person: who of :data:`PEOPLE` asks; "" for a machine.
    :param stages: the request's events, in the order of their stages.
    :param reflector: account and resource of a reflector's list or watch; else empty.
    :param watches: whether it is the watch.
    """

    person: str
    stages: tuple[Template, ...]
    reflector: tuple[str, ...] = ()
    watches: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One recorded request.

    :param began: microseconds after the recording's beginning.
    :param took: microseconds from then to each stage's event.
    """

    began: int
    kind: Kind
    took: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """The recording.

    :param length: of the recording, in microseconds.
    :param requests: all requests, in the order in which they began.
    """

    length: int
    requests: tuple[Request, ...]

    def events(self, *, of_people: bool) -> int:
        """Return the number of events of people, or of machines."""
        return sum(
            len(request.took) for request in self.requests if bool(request.kind.person) is of_people
        )


@cache
def load_traffic() -> Traffic:
    """Return the model that comes with the package."""
    packed = files("k8sidx.generate").joinpath("traffic.ndjson.zst").read_bytes()
    header, *kinds = zstandard.ZstdDecompressor().decompress(packed).splitlines()
    requests = [request for line in kinds for request in _requests(json.loads(line))]
    requests.sort(key=lambda request: request.began)
    return Traffic(json.loads(header)["microseconds"], tuple(requests))


def _requests(model: dict[str, Any]) -> list[Request]:
    user = model["events"][0]["user"].get("username", "")
    person = user if user in PEOPLE else ""
    kind = Kind(
        person,
        tuple(Template(event, person, PEOPLE.get(person, "")) for event in model["events"]),
        _reflector(model["events"][0]),
        model["events"][0]["verb"] == "watch",
    )
    return [
        Request(began, kind, tuple(took))
        for began, took in zip(model["began"], model["took"], strict=True)
    ]


def _reflector(event: dict[str, Any]) -> tuple[str, ...]:
    user = event["user"].get("username", "")
    listed = event["verb"] == "list" and "resourceVersion=" in event["requestURI"]
    if not user.startswith(SERVICE_ACCOUNT_PREFIX) or not (listed or event["verb"] == "watch"):
        return ()
    return user, event.get("objectRef", {}).get("resource", "")
