"""What comes back from a cluster: an answer, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, NamedTuple

import orjson

from k8sidx.errors import StoreError


class ClusterUnreachable(StoreError):
    """No whole answer came.

    :ivar sent: false when it is sure that no node has got the request; true when what the
        cluster did with it is unknown.
    """

    def __init__(self, message: str, *, remedy: str = "", sent: bool = True) -> None:
        super().__init__(message, remedy=remedy)
        self.sent = sent


class Answer(NamedTuple):
    """What a cluster answered, whatever its status.

    :param headers: names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body.

        :raises StoreError: when it is no JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            # Not "from error": that one would show the body.
            raise StoreError("the cluster's answer is no JSON.") from None


def retry_after(answer: Answer) -> float:
    """Seconds that the ``Retry-After`` header asks for; 0 without it."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, OverflowError):
        return 0.0
