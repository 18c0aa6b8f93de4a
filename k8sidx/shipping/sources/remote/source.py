"""Interface of an input in a cloud, and what it is given to read with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.remote.address import Address
from k8sidx.shipping.sources.remote.positions import Positions
from k8sidx.shipping.sources.remote.receipts import Receipts

CHUNK_BYTES = 1024 * 1024

Piece: TypeAlias = Chunk | Rejected | Skipped


@dataclass(slots=True)
class Session:
    """Surroundings of a source in one run.

    :param follow: read until stopped, and not only what there is.
    :param record_limit: longest record in bytes.
    :param group: name for readers that share the work for one store.
    :param on_message: prints a message.
    :param stop: set when the run ends.
    """

    positions: Positions
    receipts: Receipts
    follow: bool
    record_limit: int
    group: str
    on_message: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> bool:
        """Wait before looking once more; return whether the run ends instead."""
        return self.stop.wait(seconds)


class RemoteSource(Protocol):
    """An input in a cloud. Its generator runs in a thread of its own."""

    address: Address

    def pieces(self, session: Session) -> Iterator[Piece]:
        """Yield what was not delivered yet, and with ``follow`` what comes, until stopped.

        It is called once more after :class:`~k8sidx.errors.SourceUnavailable`, and continues
        with what was not yielded.

        :raises SourceError: when it cannot be read, for a reason that does not pass.
        :raises SourceUnavailable: for one that may.
        """

    def finish(self) -> None:
        """Acknowledge what is delivered, and close connections. Nothing more is read.

        :raises SourceError: when that fails; what was read will be read once more.
        """
