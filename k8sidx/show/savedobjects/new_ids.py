"""Correction of the ids in saved objects whose ids a server replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from k8sidx.show.savedobjects.search_source import ndjson


def with_new_ids(content: bytes, new_ids: Mapping[tuple[str, str], str]) -> bytes:
    """Return a file of the objects whose texts contain replaced ids, with the new ones.

    :param content: the imported file.
    :param new_ids: by type and id.
    :returns: an empty file when no text contains one.
    """
    if not new_ids:
        return b""
    by_id = {identifier: new for (_, identifier), new in new_ids.items()}
    longest = sorted(by_id, key=len, reverse=True)
    any_id = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")
    changed = []
    for line in content.splitlines():
        obj = orjson.loads(line)
        if "type" not in obj:
            continue
        text = orjson.dumps(obj["attributes"]).decode()
        corrected = any_id.sub(lambda match: by_id[match[0]], text)
        if corrected != text:
            obj["attributes"] = orjson.loads(corrected)
            if new := new_ids.get((obj["type"], obj["id"])):
                # With its origin, a later import and a removal find it again.
                obj |= {"id": new, "originId": obj["id"]}
            for reference in obj["references"]:
                key = (reference["type"], reference["id"])
                reference["id"] = new_ids.get(key, reference["id"])
            changed.append(obj)
    return ndjson(changed) if changed else b""
