"""Objects by prefix: each version is read once, and what was appended to one from there.

A version is known by its entity tag. An object that was overwritten is another version and is
read as a whole, unless it is uncompressed lines that begin as those which were read before: an
append blob of Azure grows for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from k8sidx.errors import Where
from k8sidx.events.records import MARK_BYTES, START, Chunk, Position, Rejected
from k8sidx.shipping.sources.files.chunks import is_lines, read_body, read_on
from k8sidx.shipping.sources.follow.position import Cursor, mark
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.object_store import (
    ObjectDenied,
    ObjectGone,
    ObjectStore,
    StoredObject,
    open_store,
)
from k8sidx.shipping.sources.remote.source import CHUNK_BYTES, Piece, Session

POLL = timedelta(seconds=30)
"""Interval between two listings with ``--follow``, unless ``poll`` is given."""
MANY_OBJECTS = 100_000
"""So many entries make the state file slow to write."""
_HEAD_BYTES = 64 * 1024
_OPTIONS = ("since", "poll", "region")


def open_source(address: Address) -> ObjectSource:
    """Return the objects whose names start as an address does.

    :raises UsageError: when the address is not valid.
    """
    address.check_options(_OPTIONS)
    address.moment("since")
    store = open_store(address)
    prefix = address.path.partition("/")[2] if address.scheme == "az" else address.path
    return ObjectSource(address, store, prefix)


class ObjectSource:
    """The objects of a bucket by prefix."""

    def __init__(self, address: Address, store: ObjectStore, prefix: str) -> None:
        self.address = address
        self._store = store
        self._prefix = prefix
        self._read: dict[str, str] = {}
        self._has_warned = False

    def pieces(self, session: Session) -> Iterator[Piece]:
        """Yield the records of objects that were not read yet."""
        since = self.address.moment("since")
        poll = self.address.span("poll", POLL).total_seconds()
        while True:
            existing: set[str] = set()
            for item in self._store.list(self._prefix):
                if session.stop.is_set():
                    return
                existing.add(f"{self._store.url}/{item.key}")
                if since is None or item.modified >= since:
                    yield from self._object(item, session)
            session.positions.forget(self.address.text, existing)
            self._read = {url: tag for url, tag in self._read.items() if url in existing}
            if not self._has_warned and len(existing) > MANY_OBJECTS:
                self._has_warned = True
                session.on_message(
                    f"{self.address.text} has {len(existing):,} objects, each of which is an entry "
                    "of the state file: a longer prefix, ?since=7d or a queue of notifications "
                    "is quicker"
                )
            if not session.follow or session.wait(poll):
                return

    def finish(self) -> None:
        """Do nothing: positions are saved with the state."""

    def _object(self, item: StoredObject, session: Session) -> Iterator[Piece]:
        url = f"{self._store.url}/{item.key}"
        if self._read.get(url) == item.version:
            return
        before, delivered = session.positions.latest(url)
        identity = f"{url} {item.version}"
        if before != identity:
            delivered = self._grown_from(item, delivered) if before else START
        number = session.positions.number(identity, url, delivered)
        if not delivered.ended:
            try:
                yield from object_pieces(
                    self._store, item.key, session.record_limit, delivered, number=number
                )
            except ObjectGone:
                yield Rejected("the object was removed before it was read", Where(url), b"")
            except ObjectDenied as error:
                # Its position stays at its start: another run reads it once it is allowed.
                yield Rejected(f"the object cannot be read: {error}", Where(url), b"")
        self._read[url] = item.version

    def _grown_from(self, item: StoredObject, position: Position) -> Position:
        """Return the position to read a new version from: its start, unless it has grown."""
        if not (position.ended and position.tail.length and position.offset <= item.size):
            return START
        head = self._store.range(item.key, 0, position.head.length)
        before = position.offset - position.tail.length
        if mark(head) != position.head:
            return START
        if mark(self._store.range(item.key, before, position.tail.length)) != position.tail:
            return START
        return position._replace(ended=False)


def object_pieces(
    store: ObjectStore,
    key: str,
    record_limit: int,
    position: Position = START,
    *,
    number: int = 0,
    receipt: int = 0,
) -> Iterator[Piece]:
    """Yield the records of an object from a position on, and an empty chunk at its end.

    :param number: of its entry in the register; 0 with a receipt.
    :raises ObjectGone: when it does not exist.
    :raises ObjectDenied: when it may not be read.
    :raises SourceError: when the store cannot be read.
    """
    url = f"{store.url}/{key}"
    has_marks = position.tail.length > 0
    blocks = store.open(key, position.offset if has_marks else 0)
    lines = _Lines(position)
    stored = lines.watched(blocks)
    if has_marks or not position.offset:
        begin = position.offset if has_marks else 0
        pieces = read_body(url, stored, CHUNK_BYTES, record_limit)
    else:
        begin = 0
        pieces = read_on(url, _Stream(stored), position, CHUNK_BYTES, record_limit)
    first = position.record if has_marks else 0
    last = position.record
    for piece in pieces:
        if isinstance(piece, Chunk):
            last = piece.first + first + piece.data.count(b"\n")
            reached = Position(begin + piece.end, last) if piece.end else position
            piece = piece._replace(first=piece.first + first, file=number, receipt=receipt)
            yield piece if receipt else piece._replace(position=reached)
            position = reached
        else:
            yield piece
    end = lines.end(last)._replace(ended=True)
    yield Chunk(url, last + 1, b"", file=number, position=None if receipt else end, receipt=receipt)


class _Stream:
    """Blocks as a stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def read(self, count: int, /) -> bytes:
        """Return the next bytes, at most so many; empty at the end."""
        block = self._rest or next(self._blocks, b"")
        self._rest = block[count:]
        return block[:count]


class _Lines:
    """Marks of the whole lines of an object, to resume behind them when it has grown."""

    def __init__(self, position: Position) -> None:
        is_known = not position.offset or position.head.length == MARK_BYTES
        self._cursor = Cursor(position) if is_known else None
        self._open = b""
        self._is_first = not position.offset

    def watched(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the blocks as they are."""
        for block in blocks:
            if self._is_first:
                self._is_first = False
                if not is_lines(block[:_HEAD_BYTES]):
                    self._cursor = None
            if self._cursor is not None:
                self._move(self._cursor, block)
            yield block

    def end(self, record: int) -> Position:
        """Return the position behind the last whole line; without marks it is not used."""
        if self._cursor is None or not self._cursor.position.offset:
            return Position(0, record)
        return self._cursor.position

    def _move(self, cursor: Cursor, block: bytes) -> None:
        newline = block.rfind(b"\n") + 1
        self._open += block[:newline] if newline else block
        if newline:
            cursor.move(self._open, self._open.count(b"\n"))
            self._open = block[newline:]
        elif len(self._open) > 32 * CHUNK_BYTES:
            self._cursor = None
