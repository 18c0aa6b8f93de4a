"""Event id: a digest of the event's canonical form.

Canonical is: the keys of audit.k8s.io/v1 without ``kind`` and ``apiVersion`` (log
lines carry them, webhook items do not), without empty values that some writers add and
others leave out, keys sorted, after redaction. So one event has one id whatever wrapped,
re-encoded or re-shipped it, and the id says nothing about the secrets that were in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

_sorted = msgspec.json.Encoder(order="sorted").encode


def canonical_json(value: Any) -> bytes:
    """Compact JSON with sorted keys; also for whole numbers beyond 64 bits."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return _sorted(value)


def digest(parts: Iterable[bytes]) -> bytes:
    """128 bits of SHA-256.

    :param parts: canonical JSON of each part of the event in a fixed order, empty where
        the event has none. Compact JSON has no line break, so joining them by one is
        unambiguous.
    """
    return hashlib.sha256(b"\n".join(parts)).digest()[:16]
