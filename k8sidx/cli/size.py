"""Parser for byte sizes, for example 500kB or 32MiB."""

from __future__ import annotations

import re

from k8sidx.errors import UsageError

_SIZE = re.compile(r"([0-9]{1,12})\s*([KMG]?)(i?)B?", re.IGNORECASE)
_POWER = {"": 0, "K": 1, "M": 2, "G": 3}


def parse_size(text: str) -> int:
    """Return the bytes of ``33554432``, ``500kB`` (of 1000) or ``32MiB`` (of 1024).

    :raises UsageError: when it is not a valid size, or zero.
    """
    match = _SIZE.fullmatch(text.strip())
    size = int(match[1]) * (1024 if match[3] else 1000) ** _POWER[match[2].upper()] if match else 0
    if not size:
        raise UsageError(
            f"{text!r} is not a valid size.",
            remedy="Give a number of bytes, or for example 500kB or 32MiB.",
        )
    return size
