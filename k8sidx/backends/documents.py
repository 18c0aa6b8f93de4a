"""Documents that another program indexed in a cluster, as an input of events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Documents(NamedTuple):
    """Some documents of a shard.

    :param sources: each as JSON, in the order in which they were indexed.
    :param position: of the last one; the next page begins behind it.
    """

    sources: list[bytes]
    position: int


class DocumentShard(Protocol):
    """One shard of an index; what was read stays where it is, and new documents come behind it."""

    @property
    def name(self) -> str:
        """Address, index and number, without credentials."""

    @property
    def identity(self) -> str:
        """The same with the UUID of the index, which another index of that name does not have."""

    def read(self, after: int) -> Iterator[Documents]:
        """Yield the documents behind a position; -1 stands before all of them.

        :raises StoreError: when they cannot be read.
        """
