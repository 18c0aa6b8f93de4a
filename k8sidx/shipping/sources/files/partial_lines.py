"""Joining of lines that a container runtime split.

containerd and CRI-O (Kubernetes' CRI log format) and Docker (``json-file``) write at most
16 KiB of a line at a time, and an audit event with a body is longer. The parts of one line
are those of one stream; parts of the other stream may stand between them. A joined line
takes the place of its last part, and blank lines that of the others, so that lines keep
their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from k8sidx.shipping.sources.files.json_documents import Fault, is_json, over_limit

_START = re.compile(rb'\d{4}-\d\d-\d\dT\S{1,40} std(?:out|err) [FP]|\{"log":"')
_CRI = re.compile(rb"\d{4}-\d\d-\d\dT\S{1,40} (stdout|stderr) ([FP])(?::\S*)? ")
_DOCKER = b'{"log":"'
_DOCKER_END = b'","stream":"'
"""Within the text, quotes are escaped: this cannot be a part of it."""
_EVENT_STARTS = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/',
    rb"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/",
)
DOCKER_PART_BYTES = 16 * 1024
"""Docker splits a line into parts of this size, so that a shorter text is a whole line."""
_UNFINISHED = "the line was split by the container runtime, and its last part is missing"


class _Part(NamedTuple):
    """A line of a container log.

    :param stream: the format and the stream.
    :param start: where its text starts.
    :param end: where its text ends.
    :param is_last: nothing of its line follows.
    """

    stream: bytes
    start: int
    end: int
    is_last: bool


class _Groups(NamedTuple):
    """Lines that are parts of one line, as indices in their order.

    :param complete: the line ends.
    :param broken: another line starts before it ends, or it is longer than a record may be.
    :param open: its end has not been read.
    """

    complete: list[list[int]]
    broken: list[list[int]]
    open: list[list[int]]


class Joined(NamedTuple):
    """Lines, those joined that were split.

    :param faults: lines without an end, each with the index of its first part.
    """

    data: bytes
    faults: list[tuple[int, Fault]]


def has_parts(data: bytes) -> bool:
    """Whether lines are those of a container log, by the first and the last of them."""
    return bool(_START.match(data) or _START.match(data, data.rfind(b"\n") + 1))


def complete_length(data: bytes, limit: int) -> int:
    """Return how many bytes of whole lines contain no line whose last part is missing;
    negative when there are none.

    :param data: without the last newline.
    :param limit: longest record in bytes; what is longer is not waited for.
    """
    if not has_parts(data):
        return len(data)
    lines = data.split(b"\n")
    groups = _groups(lines, limit)
    if not groups.open:
        return len(data)
    cut = min(group[0] for group in groups.open)
    for group in sorted(groups.complete + groups.broken, key=lambda each: -each[-1]):
        if group[0] < cut <= group[-1]:
            cut = group[0]
    if not cut:
        return len(data) if len(data) > limit else -1
    return sum(map(len, lines[:cut])) + cut - 1


def joined(data: bytes, limit: int) -> Joined:
    """Join the lines that were split. What is not complete is a fault.

    :param limit: longest record in bytes.
    """
    lines = data.split(b"\n")
    groups = _groups(lines, limit)
    faults: list[tuple[int, Fault]] = []
    for group in groups.complete:
        line = _join([lines[index] for index in group])
        _replace(lines, group, line)
    for group in sorted(groups.broken + groups.open):
        line = _join([lines[index] for index in group])
        too_long = len(line) > limit
        faults.append((group[0], over_limit(limit, line) if too_long else Fault(_UNFINISHED, line)))
        _replace(lines, group, b"")
    return Joined(b"\n".join(lines), faults)


def _replace(lines: list[bytes], group: list[int], line: bytes) -> None:
    for index in group:
        lines[index] = b""
    lines[group[-1]] = line


def _groups(lines: Iterable[bytes], limit: int) -> _Groups:
    open_groups: dict[bytes, list[int]] = {}
    sizes: dict[bytes, int] = {}
    complete: list[list[int]] = []
    broken: list[list[int]] = []
    for index, line in enumerate(lines):
        part = _cri_part(line) or _docker_part(line)
        if part is None:
            continue
        stream = part.stream
        is_whole = not part.is_last and _is_whole(line, part)
        if stream in open_groups and (is_whole or line.startswith(_EVENT_STARTS, part.start)):
            broken.append(open_groups.pop(stream))
        if stream in open_groups:
            group = open_groups[stream]
            group.append(index)
            sizes[stream] += part.end - part.start
            if part.is_last:
                complete.append(open_groups.pop(stream))
            elif sizes[stream] > limit:
                broken.append(open_groups.pop(stream))
        elif not part.is_last and not is_whole and _may_start(line, part):
            open_groups[stream] = [index]
            sizes[stream] = part.end - part.start
    return _Groups(complete, broken, list(open_groups.values()))


def _cri_part(line: bytes) -> _Part | None:
    match = _CRI.match(line)
    if match is None:
        return None
    return _Part(match[1], match.end(), len(line), match[2] == b"F")


def _docker_part(line: bytes) -> _Part | None:
    if not line.startswith(_DOCKER):
        return None
    start = len(_DOCKER)
    end = line.find(_DOCKER_END, start - 1)
    if end < start:
        return None
    text = end + len(_DOCKER_END)
    stream = _DOCKER + line[text : text + 6]
    # An escaped newline, and not an escaped backslash before an "n".
    before = line[max(start, end - 64) : end - 1]
    escapes = len(before) - len(before.rstrip(b"\\"))
    return _Part(stream, start, end, line[end - 1 : end] == b"n" and escapes % 2 == 1)


def _is_whole(line: bytes, part: _Part) -> bool:
    """Whether a text without newline is a whole record: Fluent Bit and others write Docker's
    keys, and remove the newline."""
    if not line.startswith(_DOCKER):
        return False
    if part.end - part.start < DOCKER_PART_BYTES:
        return True
    text = _docker_text(line, part)
    return text is None or (text.startswith("{") and is_json(text.encode("utf-8", "replace")))


def _may_start(line: bytes, part: _Part) -> bool:
    """Whether a text without newline may be the start of a record. Of plain text without
    newlines, as other shippers write it, every line would wait for the next one."""
    if not line.startswith(_DOCKER):
        return True
    text = _docker_text(line, part)
    return text is not None and text.lstrip().startswith("{")


def _docker_text(line: bytes, part: _Part) -> str | None:
    try:
        text = orjson.loads(line[part.start - 1 : part.end + 1])
    except orjson.JSONDecodeError:
        return None
    return text if isinstance(text, str) else None


def _join(lines: list[bytes]) -> bytes:
    """Return the line whose parts these are, with the time of the first."""
    parts = [part for line in lines if (part := _cri_part(line) or _docker_part(line))]
    texts = [line[part.start : part.end] for line, part in zip(lines, parts, strict=True)]
    first, last = lines[0], lines[-1]
    if first.startswith(_DOCKER):
        return b"".join((_DOCKER, *texts, last[parts[-1].end :]))
    match = _CRI.match(first)
    head = first[: match.start(2)] if match else b""
    return b"".join((head, b"F ", *texts))
