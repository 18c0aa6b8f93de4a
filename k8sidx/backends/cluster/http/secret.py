"""Secrets that are never printed, and what signs requests with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Hidden(str):
    """Text that is not shown where a value is looked at."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'<hidden>'"


class Signer(Protocol):
    """Says who one is, request by request."""

    def headers(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        """What to add to the headers.

        :param url: whole, as it goes on the wire.
        :param body: as it goes on the wire.
        """
