"""Responses of a cluster, and their absence."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, NamedTuple

import orjson

from k8sidx.errors import StoreError


class ClusterUnreachable(StoreError):
    """There is no complete response.

    :ivar sent: false when it is sure that no node has got the request; true when what the
        cluster did with it is unknown.
    """

    def __init__(self, message: str, *, remedy: str = "", sent: bool = True) -> None:
        super().__init__(message, remedy=remedy)
        self.sent = sent


class Answer(NamedTuple):
    """A response of a cluster, whatever its status.

    :param headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body.

        :raises StoreError: when it is not valid JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            # Not "from error": that error would show the body.
            raise StoreError("the cluster's response is not valid JSON.") from None


def retry_after(answer: Answer) -> float:
    """Return the seconds in the ``Retry-After`` header; 0 without it."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, OverflowError):
        return 0.0
