"""Sets of row numbers as bits of whole numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_TRUTH = bytes.maketrans(b"01", b"\0\1")


@dataclass(frozen=True, slots=True)
class Bitset:
    """A set of row numbers of one table: bit *n* of an integer stands for row *n*.

    Union and intersection of sets of 200,000 rows are one operation on 25 kB, where Python's
    own sets would visit each row.
    """

    _bits: int = 0

    @classmethod
    def all(cls, size: int) -> Bitset:
        """Return the set of all rows of a table."""
        return cls((1 << size) - 1)

    @classmethod
    def of(cls, rows: Iterable[int], size: int) -> Bitset:
        """Return the set of some rows of a table.

        :param size: number of rows of the table.
        """
        content = bytearray(size // 8 + 1)
        for row in rows:
            content[row >> 3] |= 1 << (row & 7)
        return cls(int.from_bytes(content, "little"))

    def __and__(self, other: Bitset) -> Bitset:
        return Bitset(self._bits & other._bits)

    def __or__(self, other: Bitset) -> Bitset:
        return Bitset(self._bits | other._bits)

    def __sub__(self, other: Bitset) -> Bitset:
        return Bitset(self._bits & ~other._bits)

    def __bool__(self) -> bool:
        return bool(self._bits)

    def __iter__(self) -> Iterator[int]:
        """The row numbers, ascending."""
        return self.select(itertools.count())

    def select(self, values: Iterable[T]) -> Iterator[T]:
        """Return those of the table's values, in the order of its rows, whose row is in the set."""
        # "0b1101" from its last character to its third: "1011", as the bytes 1 0 1 1. Unlike a
        # loop that shifts the number, this takes time in proportion to its length.
        digits = bin(self._bits)[:1:-1].encode().translate(_TRUTH)
        return itertools.compress(values, digits)


NO_ROWS = Bitset()
