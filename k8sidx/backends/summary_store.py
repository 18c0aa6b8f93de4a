"""Protocol of a store's daily summaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from k8sidx.backends.ordering import Row

Rows = list[Row]
"""Rows of a result; times are microseconds since 1970."""


class Summaries(Protocol):
    """The daily summaries that a store keeps, by the digest of their question."""

    @property
    def error(self) -> str:
        """Reason why new summaries could not be kept; empty when all were, or when this user may
        not write to the store."""

    def days(self) -> Mapping[date, str]:
        """Return the UTC days that have events, in order, each with its state, which changes with
        the day's events.

        :raises StoreError: when the store cannot be read.
        """

    def load(self, question: str, days: Iterable[date]) -> Mapping[date, Rows]:
        """Return the existing summaries of days in their present state.

        :raises StoreError: when the store cannot be read.
        """

    def save(self, question: str, made: Mapping[date, Rows]) -> None:
        """Keep summaries of days in the state that they had when this was opened."""

    def kept(self, question: str) -> frozenset[date]:
        """Return the days that have a summary for their present state.

        :raises StoreError: when the store cannot be read.
        """
