"""Following container logs and what is read as a whole: parts of lines wait for the last one."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from k8sidx.events.records import Chunk, Rejected
from k8sidx.shipping.sources.follow.pipe import Stream
from k8sidx.shipping.sources.follow.registry import Registry
from tests.shipping.sources.test_archives import tar
from tests.shipping.sources.test_follow import Follow, Following, follow
from tests.shipping.sources.test_partial_lines import FORMATS, event, split

pytestmark = pytest.mark.usefixtures("short_docker_parts")

__all__ = ["follow"]


def lines(following: Following) -> list[bytes]:
    return [
        line for chunk in list(following.chunks) for line in chunk.data.split(b"\n") if line.strip()
    ]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@FORMATS
def test_parts_wait_for_the_last_one(follow: Follow, tmp_path: Path, write: Any) -> None:
    path = tmp_path / "0.log"
    parts = [part for n in range(3) for part in split(write, event(n, 300), 150)]
    path.write_bytes(parts[0])
    following = follow(path)
    for count in range(1, len(parts)):
        time.sleep(0.1)
        append(path, parts[count])
    following.wait(lambda: len(lines(following)) == 3)
    assert all(b"auditID" in line for line in lines(following))
    assert following.others == []
    following.stop()
    assert following.others == []


@FORMATS
def test_parts_longer_than_a_read_are_joined(follow: Follow, tmp_path: Path, write: Any) -> None:
    path = tmp_path / "0.log"
    path.write_bytes(b"".join(split(write, event(1, 3_000_000), 16_384)))
    following = follow(path)
    following.wait(lambda: len(lines(following)) == 1)
    assert len(lines(following)[0]) > 3_000_000


@FORMATS
def test_restart_between_parts_joins_them(follow: Follow, tmp_path: Path, write: Any) -> None:
    path = tmp_path / "0.log"
    first, *rest = split(write, event(1, 300), 150)
    path.write_bytes(b"".join((*split(write, event(0, 300), 150), first)))
    following = follow(path)
    following.wait(lambda: len(lines(following)) == 1)
    register: Registry = following.stop()
    assert following.others == []
    append(path, b"".join(rest))
    again = follow(path, register=register)
    again.wait(lambda: len(lines(again)) == 1)
    assert again.others == []
    (line,) = lines(again)
    assert line.endswith(split(write, event(1, 300), 10_000)[0].rstrip(b"\n")[-20:])


@FORMATS
def test_stream_joins_parts(write: Any) -> None:
    incoming, outgoing = os.pipe()
    parts = [part for n in range(3) for part in split(write, event(n, 300), 150)]
    stream = Stream("-", incoming, 10_000)

    def write_all() -> None:
        for part in (*parts, parts[0]):
            os.write(outgoing, part)
            time.sleep(0.02)
        os.close(outgoing)

    writer = threading.Thread(target=write_all)
    writer.start()
    pieces: list[Any] = []
    while not stream.ended:
        pieces += stream.read()
    writer.join()
    os.close(incoming)
    chunks = [piece for piece in pieces if isinstance(piece, Chunk)]
    found = [line for chunk in chunks for line in chunk.data.split(b"\n") if line]
    assert len(found) == 3
    (reject,) = (piece for piece in pieces if isinstance(piece, Rejected))
    assert "its last part is missing" in reject.reason


@pytest.mark.parametrize("late", [False, True])
def test_archives_are_followed_as_a_whole(follow: Follow, tmp_path: Path, late: bool) -> None:
    path = tmp_path / "0.tar"
    content = tar({"x": b'{"n":1}\n', "y": b'{"n":2}\n'})
    path.write_bytes(b"" if late else content)
    following = follow(path)
    if late:
        time.sleep(0.3)
        append(path, content)
    following.wait(lambda: len(lines(following)) == 2)
    assert lines(following) == [b'{"n":1}', b'{"n":2}']
    assert following.others == []
