"""Events of a report, for its side panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8sidx.show.render.escape import json_line
from k8sidx.show.render.lookup import without_managed_fields

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"}
_TABLE = str.maketrans(_ESCAPED)


def embedded_events(events: Mapping[str, Sequence[dict[str, Any]]], size: int) -> tuple[str, int]:
    """Return the JSON of as many requests as have room, and how many these are.

    Nothing in it can end its element or begin another: characters of markup are JSON escapes.

    :param events: the stages of each request by auditID, the most important first.
    :param size: bytes of all of them.
    """
    parts: list[str] = []
    used = 2
    for identifier, stages in events.items():
        without_managed_fields(stages)
        text = f"{json_line(identifier)}:{json_line(list(stages))}".translate(_TABLE)
        length = len(text.encode()) + 1
        if used + length > size:
            continue
        parts.append(text)
        used += length
    return f"{{{','.join(parts)}}}", len(parts)
