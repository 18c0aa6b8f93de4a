"""Events as the API server wrote them, with what is new in each one left open.

Open are the audit id and the two times, which every event has anew, and what differs from one
object to the next: UIDs, the random end of a pod's name, resource versions, dates, and who of
the people it was. The latter are filled together (:class:`Filling`), so that events that are
filled alike speak of the same objects.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

RECORDED = datetime(2026, 11, 23, 20, tzinfo=UTC)
"""The hour of the recording, which dates inside of objects are relative to."""

SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of which Kubernetes makes up the ends of names."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OPEN = "|".join(
    (
        r'(?P<id>(?<="auditID":")[^"]+)',
        r'(?P<received>(?<="requestReceivedTimestamp":")[^"]+)',
        r'(?P<stage>(?<="stageTimestamp":")[^"]+)',
        r"(?P<kept>JTI=[-0-9a-f]+)",
        rf"(?P<uid>{_UUID})",
        r'(?P<version>(?<="resourceVersion":")[1-9][0-9]*|(?<=resourceVersion=)[1-9][0-9]*)',
        r"(?P<date>2026-11-23T[0-9]{2}(?=:))",
    )
)
_PERSON = (
    r"(?P<person>(?<![-\w]){name}(?![-\w]))|(?P<address>{address})"
    r"|(?P<key>(?<=X509SHA256=)[0-9a-f]+)"
)
_POD = re.compile(rf"(.*-)[{SAFE}]{{5}}")
_EVERY = ("id", "received", "stage")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works with the cluster.

    :param address: where from.
    :param key: SHA-256 of the client certificate, in hexadecimal.
    """

    name: str
    address: str
    key: str


@dataclass(slots=True)
class Filling:
    """Names of objects for a while.

    :param hour: dates inside of objects lie around it.
    :param version: resource versions are near it.
    """

    hour: datetime
    version: int
    random: Random
    _made: dict[str, bytes] = field(default_factory=dict)

    def value(self, kind: str, recorded: str) -> bytes:
        """Return the replacement of a recorded text."""
        made = self._made.get(recorded)
        if made is None:
            made = self._made[recorded] = self._make(kind, recorded).encode()
        return made

    def _make(self, kind: str, recorded: str) -> str:
        if kind == "uid":
            return uuid_text(self.random)
        if kind == "version":
            return str(self.version + int(recorded) % 10_000)
        if kind == "date":
            hours = timedelta(hours=int(recorded[-2:]) - RECORDED.hour)
            return f"{self.hour + hours:%Y-%m-%dT%H}"
        return recorded[:-5] + "".join(self.random.choices(SAFE, k=5))


def uuid_text(random: Random) -> str:
    """A random UUID (version 4)."""
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


Head = tuple[bytes, bytes, bytes, bytes]
"""A line but for the audit id, the time of the request, and that of the stage."""


class Template:
    """One recorded event.

    :param person: the one whose name, address and certificate are left open; "" for none.
    """

    def __init__(self, event: dict[str, Any], person: str, address: str) -> None:
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        pattern = _OPEN
        if pod := _pod_name(event):
            pattern += f"|(?P<pod>{re.escape(pod)})"
        if person:
            pattern += "|" + _PERSON.format(name=re.escape(person), address=re.escape(address))
        self._pieces: list[tuple[bytes, str, str]] = []
        end = 0
        for match in re.finditer(pattern, text):
            kind = match.lastgroup or ""
            if kind != "kept":
                self._pieces.append((text[end : match.start()].encode(), kind, match[0]))
                end = match.end()
        self._tail = text[end:].encode()

    def filled(self, filling: Filling, person: Person | None) -> Head:
        """The line in four parts, around what every event has anew."""
        parts: list[bytes] = []
        current: list[bytes] = []
        for before, kind, recorded in self._pieces:
            current.append(before)
            if kind in _EVERY:
                parts.append(b"".join(current))
                current = []
            elif kind in ("person", "address", "key"):
                current.append(_of_person(kind, recorded, person))
            else:
                current.append(filling.value(kind, recorded))
        current.append(self._tail)
        first, second, third = parts
        return first, second, third, b"".join(current) + b"\n"


def _of_person(kind: str, recorded: str, person: Person | None) -> bytes:
    if person is None:
        return recorded.encode()
    return {"person": person.name, "address": person.address, "key": person.key}[kind].encode()


def certificate_of(name: str) -> str:
    """Return the id of that person's certificate."""
    return sha256(name.encode()).hexdigest()


def _pod_name(event: dict[str, Any]) -> str:
    """The pod's name, when its end was made up."""
    reference = event.get("objectRef", {})
    name = reference.get("name", "") if reference.get("resource") == "pods" else ""
    if not name and isinstance(body := event.get("responseObject"), dict):
        name = body.get("metadata", {}).get("name", "") if body.get("kind") == "Pod" else ""
    return name if isinstance(name, str) and _POD.fullmatch(name) else ""
