"""Native core: which one runs and why, and the Python side of it.

The core (``core/``, in Rust) does the plain events of a chunk: most of them, whole. Python is
the reference and does the others. What the core cannot know it gets from here: names, places
and lengths of fields from the field table; the parts that repeat, made once each by
:mod:`k8sidx.events.normalize.parts`; what redaction makes of a body or a URI that may hold a
secret; and what is promoted from bodies. Redaction of a body's applied configuration, which is
what most of them need, is the core's own.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, Protocol

import msgspec

from k8sidx.errors import UsageError
from k8sidx.events.core_parts import made, makers
from k8sidx.events.decode.event_model import decode_text
from k8sidx.events.normalize.bodies import (
    WORKLOADS,
    WRITES,
    may_hold_secrets,
    promoted_again,
    promoted_fields,
)
from k8sidx.events.normalize.custom_workload import CUSTOM_WORKLOADS
from k8sidx.events.normalize.event import Normalizer
from k8sidx.events.normalize.json_tree import Fields
from k8sidx.events.normalize.parts import Part
from k8sidx.events.normalize.places import AddressDatabases
from k8sidx.events.normalize.program_names import COMMAND_TEXT_HINTS
from k8sidx.events.normalize.redact import redact_json
from k8sidx.events.normalize.redact_container import redact_promoted
from k8sidx.events.normalize.redact_hints import (
    BODY_HINTS,
    ESCAPE_HINTS,
    KIND_HINTS,
    KUBECTL_FIELD,
    KUBECTL_KEY,
    KUBECTL_MARK,
    LAST_APPLIED,
    LIKE_MARK,
    PACKED_HINTS,
)
from k8sidx.events.normalize.redact_kinds import PARTS
from k8sidx.events.normalize.redact_lines import ASSIGNED_HINTS
from k8sidx.events.normalize.redact_marks import MARK, MARK_START, URI_MARK
from k8sidx.events.normalize.redact_names import LABEL_NAMES, NAME_WORDS, VALUE_NAMES
from k8sidx.events.normalize.redact_text import TEXT_HINTS, URL_HINT, VALUE_HINTS, redact_uri
from k8sidx.events.normalize.redact_walk import OBJECT_TEXT_HINTS, READ_BY_NAME, redact_objects
from k8sidx.events.normalize.request import LOG, query_fields
from k8sidx.events.normalize.truncate import LENGTHS, cut
from k8sidx.events.records import Context

VARIABLE = "K8SIDX_CORE"
"""Environment variable: ``python`` for the reference, ``native`` to fail without the core."""
PARTS_KEPT = 20_000
"""Distinct parts of all families that are remembered before the memory is emptied."""

BODY_TEXTS = (
    "requestObject.kind",
    "requestObject.metadata.name",
    "requestObject.metadata.namespace",
    "responseObject.kind",
    "responseObject.metadata.name",
    "responseObject.metadata.namespace",
    "responseObject.metadata.uid",
    "responseObject.status.reason",
)
"""Fields that are a text at their own path in a body: the core reads them."""
_BODIES = ("requestObject", "responseObject")


class Choice(NamedTuple):
    """Which core runs.

    :param name: ``native`` or ``python``.
    :param reason: why, in words.
    """

    name: str
    reason: str


@dataclass(slots=True)
class Rows:
    """The plain events of a chunk, as the core returns them.

    :ivar columns: buffers of the columns, by the names that the core gives them.
    :ivar families: the parts of each family, in the order of its places.
    :ivar own_texts: names of the columns of texts before those of :data:`BODY_TEXTS`.
    :ivar extra: further fields of rows that have any.
    """

    columns: dict[str, Any]
    families: Sequence[Sequence[Part]]
    own_texts: Sequence[str]
    extra: dict[int, Fields] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of the events."""
        return int(self.columns["count"])

    @property
    def redacted(self) -> int:
        """Number of the events with values that redaction replaced."""
        return int(self.columns["redacted"][0])

    @property
    def body_bytes(self) -> int:
        """Bytes of their bodies."""
        return int(self.columns["body_bytes"])

    @property
    def odd(self) -> list[int]:
        """Numbers of the lines or texts that are left to Python, ascending."""
        numbers: list[int] = self.columns["odd"]
        return numbers

    @property
    def odd_spans(self) -> list[tuple[int, int]]:
        """Start and end of each of them in the data."""
        spans: list[tuple[int, int]] = self.columns["odd_spans"]
        return spans


class _Core(Protocol):
    """The class of ``k8sidx._core`` (core/src/python.rs)."""

    def own_texts(self) -> list[str]: ...
    def read_lines(self, data: bytes, context: bytes) -> None: ...
    def read_texts(self, data: bytes, spans: list[tuple[int, int, bytes]]) -> None: ...
    def unknown(self, family: int) -> list[bytes]: ...
    def learn(self, family: int, flags: int, canonical: bytes, label: bytes) -> None: ...
    def fragments(self) -> list[bytes]: ...
    def judge(self, unchanged: list[bool]) -> None: ...
    def doubts(self, data: bytes) -> list[tuple[int, str, Any, int]]: ...
    def give_up(self, number: int) -> None: ...
    def replace(self, number: int, is_response: bool, body: bytes) -> None: ...
    def rows(self, data: bytes) -> dict[str, Any]: ...
    def forget(self) -> None: ...


@cache
def _loaded() -> tuple[Callable[..., _Core] | None, str]:
    try:
        module = importlib.import_module("k8sidx._core")
    except ImportError as error:
        return None, f"the native core is not installed ({error.msg})"
    return module.Core, ""


def choice() -> Choice:
    """Return which core runs, and why.

    :raises UsageError: when the environment names an unknown one, or the native one and it is
        not installed.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "native", "python"):
        raise UsageError(
            f"{VARIABLE}={wanted!r} is not a known core.", remedy="Known cores: native, python."
        )
    if wanted == "python":
        return Choice("python", f"{VARIABLE}=python")
    problem = _loaded()[1] or _difference()
    if problem:
        if wanted:
            raise UsageError(
                f"{VARIABLE}=native: {problem}.",
                remedy="Install k8sidx where cargo is found, or leave the variable out.",
            )
        return Choice("python", problem)
    return Choice(
        "native", f"{VARIABLE}=native" if wanted else "it is installed and gives the same ids"
    )


_SAMPLE = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a",'
    b'"stage":"ResponseComplete","requestURI":"/api/v1/pods?limit=5","verb":"create",'
    b'"user":{"username":"u","groups":["g"]},"sourceIPs":["192.0.2.1"],"userAgent":"k/1",'
    b'"objectRef":{"resource":"services","namespace":"n","apiVersion":"v1"},'
    b'"responseStatus":{"metadata":{},"code":201},"requestObject":{},"responseObject":'
    b'{"kind":"Service","b":"\\u00e9","a":[1, 2],"metadata":{"name":"s"}},'
    b'"requestReceivedTimestamp":"2026-11-23T20:27:30.061865Z",'
    b'"stageTimestamp":"2026-11-23T20:27:30.061866Z","annotations":{"x":"y"}}'
)


@cache
def _difference() -> str:
    """Compare the core with the reference on one event: it may be of other sources.

    :returns: the fault; empty when it gives the same id.
    """
    audit = decode_text(_SAMPLE)
    if audit is None:
        raise ValueError("the sample is not an event")
    expected = Normalizer().normalize(audit, None, Context(), len(_SAMPLE)).values.id
    try:
        rows = CoreReader().read_lines(_SAMPLE, Context())
        made, spans = rows.columns["ids"], rows.odd_spans
    except Exception as error:  # noqa: BLE001 - whatever it is, the reference does without
        return f"the native core does not work: {type(error).__name__}"
    return (
        "" if made == expected and not spans else "the native core is of another version of k8sidx"
    )


class CoreReader:
    """Reads chunks with the native core, for one worker.

    :param bodies: as that of :class:`k8sidx.events.normalize.event.Normalizer`.
    :param places: as there.
    """

    def __init__(self, *, bodies: bool = True, places: AddressDatabases | None = None) -> None:
        core, problem = _loaded()
        if core is None:
            raise RuntimeError(problem)
        texts = [
            (_BODIES.index(body), path.split("."), LENGTHS[f"{body}.{path}"])
            for body, _, path in (name.partition(".") for name in BODY_TEXTS)
        ]
        self._core = core(bodies, texts, LENGTHS, _words())
        self._makers = makers(places)
        self._families: list[list[Part]] = []
        self._forget()

    def read_lines(self, data: bytes, context: Context) -> Rows:
        """Read the lines of a chunk that are events, and nothing else."""
        self._core.read_lines(data, _context_key(context))
        return self._rows(data)

    def read_texts(self, texts: Iterable[bytes | memoryview], contexts: Sequence[Context]) -> Rows:
        """Read texts that are events, which other records contained."""
        pieces = [bytes(text) for text in texts]
        spans, start = [], 0
        for piece, context in zip(pieces, contexts, strict=True):
            spans.append((start, start + len(piece), _context_key(context)))
            start += len(piece)
        data = b"".join(pieces)
        self._core.read_texts(data, spans)
        return self._rows(data)

    def _rows(self, data: bytes) -> Rows:
        self._learn()
        extra: dict[int, Fields] = {}
        for event, fields in self._settled(data):
            extra[event] = {**fields, **extra.get(event, {})}  # those of the URI come first and win
        columns = self._core.rows(data)
        rows = Rows(columns, self._families, self._core.own_texts())
        for row, event in enumerate(columns["events"]) if extra else ():
            if event in extra:
                rows.extra[row] = extra[event]
        if sum(map(len, self._families)) > PARTS_KEPT:
            self._forget()
        return rows

    def _forget(self) -> None:
        """Empty the memory of parts; rows that were returned keep theirs."""
        self._core.forget()
        self._families = [[] for _ in range(6)]

    def _learn(self) -> None:
        for family, (parts, make) in enumerate(zip(self._families, self._makers, strict=True)):
            for key in self._core.unknown(family):
                part, flags = made(make, key)
                parts.append(part)
                self._core.learn(family, flags, part.canonical, part.label.encode())
        if fragments := self._core.fragments():
            self._core.judge(list(map(_is_unchanged, fragments)))

    def _settled(self, data: bytes) -> Iterator[tuple[int, Fields]]:
        """Settle what the core leaves to Python; yields the further fields of events."""
        given_up: set[int] = set()
        replaced: dict[tuple[int, str], bytes] = {}
        for event, what, content, call in self._core.doubts(data):
            if event in given_up:
                continue
            part = self._families[0][call]
            try:
                if what == "promoted":
                    clean = [replaced.get((event, body)) for body in _BODIES]
                    yield event, _promoted(content, clean, part)
                elif what == "container":
                    yield event, _checked(query_fields(content.decode(), LOG))
                elif what == "uri":
                    uri = content.decode()
                    if redact_uri(uri) is not uri:
                        given_up.add(event)
                else:
                    target = part.fields.get("target.resource", "")
                    body = redact_json(content, target, part.embedding)
                    if body is not content:
                        replaced[event, what] = body
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - the reference meets it again, and rejects the event
                given_up.add(event)
        for event in given_up:
            self._core.give_up(event)
        for (event, what), body in replaced.items():
            if event not in given_up:
                self._core.replace(event, what == _BODIES[1], body)


def _is_unchanged(fragment: bytes) -> bool:
    """Return whether redaction leaves a fragment of a body as it is, wherever it stands.

    :param fragment: ``m`` and a member, or ``v`` and a value, in JSON.
    """
    tag, text = fragment[:1], fragment[1:]
    try:
        holder = msgspec.json.decode(b"{%b}" % text if tag == b"m" else b'{"":%b}' % text)
        return not redact_objects(holder, "", 0)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the body with it is left to redaction, which meets it again
        return False


def _promoted(
    content: tuple[bytes, bytes, bytes, bytes], clean: Sequence[bytes | None], call: Part
) -> Fields:
    """Return the fields that are promoted from bodies.

    :param content: the bodies as they were sent, the object's name, and the fields as JSON where
        the core has made them.
    :param clean: the bodies in which redaction replaced something.
    """
    *bodies, name, fields = content
    if fields and not any(clean):
        return _checked(msgspec.json.decode(fields))
    request, response = (msgspec.json.decode(body) if body else None for body in bodies)
    extra: Fields = {}
    verb, target = call.fields.get("verb"), call.fields.get("target.resource", "")
    promoted_fields(request, response, verb, target, name.decode() or None, extra)
    for known in BODY_TEXTS:
        extra.pop(known, None)
    if any(clean) and any(map(may_hold_secrets, extra, extra.values())):
        without = [now or body for body, now in zip(bodies, clean, strict=True)]
        promoted_again(without[0], without[1], verb, target, name.decode() or None, extra)
    return _checked(extra)


def _checked(extra: Fields) -> Fields:
    """Return promoted fields without secrets, and none too long."""
    if "exec.command" in extra or "pod.commands" in extra:
        redact_promoted(extra)
    cut(extra)
    return extra


def is_plain(context: Context) -> bool:
    """Whether the core can read events of a context."""
    return "\0" not in context.cluster


def _context_key(context: Context) -> bytes:
    return f"{context.provider}\0{context.cluster}\0".encode()


def _words() -> dict[str, list[bytes]]:
    """Return the words that the core looks for, by what they are."""
    return {
        "bodies": list(BODY_HINTS),
        "kinds": list(KIND_HINTS),
        "texts": [hint.encode() for hint in TEXT_HINTS],
        "marks": [MARK_START, URI_MARK[:-1].encode()],
        "plain": [
            hint.encode()
            for hint in (
                *OBJECT_TEXT_HINTS,
                *PACKED_HINTS,
                *VALUE_HINTS,
                URL_HINT,
                *COMMAND_TEXT_HINTS,
                *ESCAPE_HINTS,
            )
        ],
        "assigned": [hint.encode() for hint in ASSIGNED_HINTS],
        "secret_names": [word.encode() for word in NAME_WORDS],
        "value_names": [name.encode() for name in sorted(VALUE_NAMES)],
        "label_names": [name.encode() for name in sorted(LABEL_NAMES)],
        "members": [name.encode() for name in sorted(READ_BY_NAME)],
        "parts": [kind.encode() for kind in (*PARTS, "Status")],
        "applied": [LAST_APPLIED, KUBECTL_MARK, KUBECTL_FIELD],
        "mask": [KUBECTL_KEY, MARK.encode(), LIKE_MARK],
        "writes": [verb.encode() for verb in sorted(WRITES)],
        "workloads": [resource.encode() for resource in sorted(WORKLOADS - CUSTOM_WORKLOADS)],
    }
