"""The protocol of a store's daily summaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from k8sidx.backends.ordering import Row

Rows = list[Row]
"""An answer; times are microseconds since 1970."""


class Summaries(Protocol):
    """The daily summaries that a store keeps, by :func:`digest_of` their question."""

    @property
    def trouble(self) -> str:
        """Why some that were made could not be kept; empty when all were, or for a store
        that is not ours to write."""

    def days(self) -> Mapping[date, str]:
        """The UTC days that have events, in order, each with its state: another one
        whenever its events are others.

        :raises StoreError: when the store cannot be read.
        """

    def load(self, question: str, days: Iterable[date]) -> Mapping[date, Rows]:
        """Those of the days that there are, for the states that the days are in.

        :raises StoreError: when the store cannot be read.
        """

    def save(self, question: str, made: Mapping[date, Rows]) -> None:
        """Keep summaries of days as they were when this was opened."""

    def kept(self, question: str) -> frozenset[date]:
        """The days that have a summary for the state that they are in.

        :raises StoreError: when the store cannot be read.
        """
