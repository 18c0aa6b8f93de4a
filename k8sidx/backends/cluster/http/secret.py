"""Secret texts, and the protocol of request signers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class SecretText(str):
    """Text whose ``repr`` does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'<hidden>'"


class Signer(Protocol):
    """Authenticates requests one by one."""

    def headers(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the headers to add.

        :param url: complete, as sent.
        :param body: as sent.
        """
