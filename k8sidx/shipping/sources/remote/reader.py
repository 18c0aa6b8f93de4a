"""Reader of the inputs in clouds: a thread for each, and one stream of what they yield."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from k8sidx.errors import K8sidxError, SourceUnavailable
from k8sidx.shipping.sources.follow.registry import Registry
from k8sidx.shipping.sources.remote.positions import Positions
from k8sidx.shipping.sources.remote.receipts import Receipts
from k8sidx.shipping.sources.remote.source import Piece, RemoteSource, Session

_PIECES_AHEAD = 8
_POLL_SECONDS = 0.2
_JOIN_SECONDS = 3.0
_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_SHARE_SECONDS = 0.5
"""So long the files that are read beside wait for what came from clouds, at the most."""


class _Ended:
    """The end of a source's thread."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


_Item: TypeAlias = Piece | str | _Ended


class RemoteReader:
    """Pieces of the sources; a context manager, which acknowledges at its end what is delivered.

    :param register: positions to resume from.
    :param group: name for readers that share the work for one store.
    :param on_message: called with each message, in the thread that takes the pieces.
    :ivar failure: why a source cannot be read any more.
    """

    def __init__(
        self,
        sources: Sequence[RemoteSource],
        register: Registry,
        record_limit: int,
        group: str,
        on_message: Callable[[str], None],
        *,
        follow: bool,
    ) -> None:
        self.receipts = Receipts()
        self.failure: K8sidxError | None = None
        self._sources = sources
        self._on_message = on_message
        self._items: queue.Queue[_Item] = queue.Queue(_PIECES_AHEAD)
        self._session = Session(
            Positions(register), self.receipts, follow, record_limit, group, self._post_message
        )
        self._running = len(sources)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RemoteReader:
        for source in self._sources:
            if self._session.follow:
                self._on_message(f"following {source.address.text}")
            thread = threading.Thread(target=self._read, args=(source,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._session.stop.set()
        until = time.monotonic() + _JOIN_SECONDS
        for thread, source in zip(self._threads, self._sources, strict=True):
            thread.join(max(0.0, until - time.monotonic()))
            try:
                source.finish()
            except K8sidxError as error:
                self.failure = self.failure or error

    @property
    def ended(self) -> bool:
        """Whether nothing more is read of any source."""
        return self._running == 0 or self.failure is not None

    def pieces(self) -> Iterator[Piece]:
        """Yield what the sources contain, to the end of all."""
        while not self.ended:
            piece = self.next()
            if piece is not None:
                yield piece

    def following(self, stopped: Callable[[], bool]) -> Iterator[Piece | None]:
        """Yield what comes, and ``None`` whenever there is nothing, until stopped."""
        while not (stopped() or self.ended):
            yield self.next()

    def available(self) -> Iterator[Piece]:
        """Yield what is there, for a moment."""
        until = time.monotonic() + _SHARE_SECONDS
        while time.monotonic() < until and not self.ended:
            piece = self.next(wait=False)
            if piece is None:
                return
            yield piece

    def next(self, *, wait: bool = True) -> Piece | None:
        """Return the next piece; ``None`` when there is none yet."""
        try:
            item = self._items.get(block=wait, timeout=_POLL_SECONDS)
        except queue.Empty:
            return None
        if isinstance(item, str):
            self._on_message(item)
        elif isinstance(item, _Ended):
            self._running -= 1
            if isinstance(item.error, K8sidxError):
                self.failure = self.failure or item.error
            elif item.error is not None:
                raise item.error
        else:
            return item
        return None

    def _read(self, source: RemoteSource) -> None:
        error: BaseException | None = None
        try:
            self._read_on(source)
        except BaseException as raised:  # noqa: BLE001 - raised where the pieces are taken
            error = raised
        self._post(_Ended(error))

    def _read_on(self, source: RemoteSource) -> None:
        """Read a source; while it is followed, wait for it when it cannot be reached."""
        pause = _SHORTEST_PAUSE
        while not self._session.stop.is_set():
            try:
                for piece in source.pieces(self._session):
                    pause = _SHORTEST_PAUSE
                    if not self._post(piece):
                        return
                return
            except SourceUnavailable as error:
                if not self._session.follow:
                    raise
                self._post(f"{error.message} Trying again in {pause:.0f} s.")
                self._session.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _post_message(self, text: str) -> None:
        self._post(text)

    def _post(self, item: _Item) -> bool:
        """Hand an item over; return whether somebody will take it."""
        while not self._session.stop.is_set():
            try:
                self._items.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
