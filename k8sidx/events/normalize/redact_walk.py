"""Redaction of an object at any depth: its members, the texts in them, the objects in those, and
patches."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from k8sidx.events.normalize.embedded_text import has_escapes, parse_text, quoted_text, unpacked
from k8sidx.events.normalize.event_id import canonical_json
from k8sidx.events.normalize.redact_container import (
    redact_arguments,
    redact_command_and_arguments,
    redact_environment,
)
from k8sidx.events.normalize.redact_hints import APPLIED_TEXTS, REDACTED_KINDS, may_be_packed
from k8sidx.events.normalize.redact_kinds import APPLIED, PARTS, mask_entry, mask_parts
from k8sidx.events.normalize.redact_lines import introduces_values, redact_lines
from k8sidx.events.normalize.redact_marks import MARK, is_mark, opaque
from k8sidx.events.normalize.redact_names import redact_members
from k8sidx.events.normalize.redact_text import (
    redact_command,
    redact_headers,
    redact_text,
    redact_value,
)

SUSPECT_KIND = re.compile(rf"kind[\\\"': ]{{1,12}}(?:{REDACTED_KINDS})")
_ARGUMENT_KEYS = frozenset({"args", "command"})
_VARIABLE_KEYS = frozenset({"env", "httpHeaders"})
READ_BY_NAME = APPLIED | _ARGUMENT_KEYS | _VARIABLE_KEYS
"""Names of members that are read in a way of their own."""
_SENSITIVE_PATCH = re.compile(r"/env/[^/]+/value$|/(?:\d+|-)/value$")
MAX_TEXT_DEPTH = 4
"""Texts with objects inside one another that are looked into."""
OBJECT_TEXT_HINTS = (*REDACTED_KINDS.split("|"), *APPLIED_TEXTS)
"""One of these is in every text that is read as an object."""
_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_SHORT = 80
"""Characters of texts that repeat from object to object: names, images, words."""


def redact_objects(root: Any, kind: str, depth: int) -> bool:
    """Walk the whole object; ``kind`` is what the root is when it does not name one."""
    changed = False
    pending: list[tuple[Any, str]] = [(root, kind)]
    while pending:
        node, implied = pending.pop()
        if isinstance(node, list):
            for index, child in enumerate(node):
                if isinstance(child, str):
                    changed |= redact_member(node, index, child, depth)
                elif isinstance(child, dict | list):
                    pending.append((child, implied))
            continue
        named = node.get("kind")
        actual = named if isinstance(named, str) and named else implied
        changed |= mask_parts(node, actual)
        changed |= redact_members(node)
        runs = type(node.get("command")) is list and type(node.get("args")) is list
        if runs:
            changed |= redact_command_and_arguments(node)
        items_are = actual.removesuffix("List") if actual.endswith("List") else implied
        for key, child in list(node.items()):
            if isinstance(child, str):
                changed |= redact_member(node, key, child, depth)
            elif isinstance(child, dict | list):
                if key in APPLIED:
                    changed |= mask_entry(node, key)
                    continue
                if isinstance(child, list) and _is_json_patch(child):
                    changed |= redact_json_patch(child, kind)
                    continue
                if isinstance(child, list):
                    changed |= _mask_split_key(child)
                if not (runs and key in _ARGUMENT_KEYS):
                    changed |= _redact_container_member(key, child)
                pending.append((child, items_are if key in ("items", "object") else ""))
    return changed


def redact_member(node: Any, key: Any, text: str, depth: int) -> bool:
    """Redact a text in an object or a list: what it holds, whatever its form.

    :param depth: texts that it is inside of.
    """
    if key in APPLIED:
        return mask_entry(node, key)
    if len(text) <= _SHORT and _is_plain(text):
        return False
    if is_mark(text):
        return False
    if len(text) > 12 and _may_be_object(text):
        return redact_object_text(node, key, "", depth)
    changed = redact_packed(node, key, depth) if len(text) > 12 and may_be_packed(text) else False
    if not changed and (introduces_values(text) or has_escapes(text)):
        changed = _redact_document(node, key, depth)
    return _redact_value(node, key) | changed


def _may_be_object(text: str) -> bool:
    """Whether a text names a kind with secrets, or an applied configuration."""
    return bool(SUSPECT_KIND.search(text)) or any(hint in text for hint in APPLIED_TEXTS)


@lru_cache(maxsize=16384)
def _is_plain(text: str) -> bool:
    """Whether nothing in a text is looked into or replaced, wherever it stands."""
    if _may_be_object(text) or may_be_packed(text) or introduces_values(text) or has_escapes(text):
        return False
    return redact_command(redact_value(text)) is text


def redact_packed(node: Any, key: Any, depth: int) -> bool:
    """Redact an encoded text: an object is decoded, any other text with a secret is replaced."""
    if redact_object_text(node, key, "", depth, keep_plain=True):
        return True
    text = node[key]
    plain = unpacked(text)
    if plain is text:
        return _redact_runs(node, key, depth)
    if plain is not None and depth < MAX_TEXT_DEPTH:
        holder = {"": plain}
        if not redact_member(holder, "", plain, depth + 1):
            return False
    node[key] = opaque(text)
    return True


def _mask_split_key(lines: list[Any]) -> bool:
    """Mask a private key that stands line by line in a list."""
    first = next((i for i, line in enumerate(lines) if _begins_key(line)), None)
    if first is None:
        return False
    ends = (i for i, line in enumerate(lines) if isinstance(line, str) and "-----END" in line)
    last = next((i for i in ends if i >= first), len(lines) - 1)
    for index in range(first, last + 1):
        lines[index] = MARK
    return True


def _begins_key(line: Any) -> bool:
    return isinstance(line, str) and "-----BEGIN" in line and "PRIVATE KEY" in line


def _redact_runs(node: Any, key: Any, depth: int) -> bool:
    """Replace what of a longer text is Base64 of a secret."""
    text = node[key]

    def clean(match: re.Match[str]) -> str:
        run = match[0]
        if not may_be_packed(run) or depth >= MAX_TEXT_DEPTH or run == text.strip():
            return run
        holder = {"": run}
        return opaque(run) if redact_packed(holder, "", depth + 1) else run

    node[key] = _RUN.sub(clean, text)
    changed: bool = node[key] != text
    return changed


def _redact_document(node: Any, key: Any, depth: int) -> bool:
    """Redact a text that may be a document, or lines, with members whose names say secret."""
    text = node[key]
    first = text.lstrip()[:1]
    if first == '"' and (quoted := quoted_text(text)) is not None:
        holder = {"": quoted}
        if depth < MAX_TEXT_DEPTH and redact_member(holder, "", quoted, depth + 1):
            node[key] = canonical_json(holder[""]).decode()
            return True
    if "\n" in text or first in ("{", "["):
        if depth >= MAX_TEXT_DEPTH:
            node[key] = opaque(text)
            return True
        value = parse_text(text)
        if value is not None and _redact_parsed(value, "", depth):
            node[key] = canonical_json(value).decode()
            return True
    node[key] = redact_headers(redact_lines(text))
    return node[key] is not text


def _redact_value(node: Any, key: Any) -> bool:
    text = node[key]
    if len(text) <= 8 or is_mark(text):
        return False
    redacted = redact_command(redact_value(text))
    node[key] = redacted
    return redacted is not text


def _redact_container_member(key: str, child: Any) -> bool:
    if key in _VARIABLE_KEYS:
        return redact_environment(child)
    if isinstance(child, list) and (key in _ARGUMENT_KEYS or _are_words(child)):
        return redact_arguments(child)
    return False


def _are_words(entries: list[Any]) -> bool:
    """Whether a list has the words of a command: options among texts."""
    return any(isinstance(entry, str) and entry[:1] == "-" for entry in entries)


def redact_object_text(
    node: Any, key: Any, kind: str, depth: int, *, keep_plain: bool = False
) -> bool:
    """Redact a text that may hold an object; replace it when it cannot be looked into.

    :param kind: what the object is when it does not name a kind.
    :param keep_plain: leave a text that is neither JSON nor YAML of an object.
    """
    text = node[key]
    value = parse_text(text) if depth < MAX_TEXT_DEPTH else None
    if value is None:
        if keep_plain and not SUSPECT_KIND.search(text):
            return False
        node[key] = opaque(text)
        return True
    changed = _redact_parsed(value, kind, depth)
    if changed:
        node[key] = canonical_json(value).decode()
        return True
    node[key] = redact_lines(text)
    return node[key] is not text


def _redact_parsed(value: dict[str, Any] | list[Any], kind: str, depth: int) -> bool:
    if isinstance(value, list):
        return redact_json_patch(value, kind, depth + 1)
    return redact_objects(value, kind, depth + 1) | mask_target(value, kind)


def redact_json_patch(operations: list[Any], kind: str, depth: int = 0) -> bool:
    """Redact the operations of a JSON patch, or whatever else a list has, in place."""
    changed = False
    for index, operation in enumerate(operations):
        if isinstance(operation, list):
            changed |= redact_json_patch(operation, kind, depth)
            continue
        if isinstance(operation, str):
            changed |= redact_member(operations, index, operation, depth)
        if not isinstance(operation, dict):
            continue
        if "value" not in operation or "path" not in operation:
            changed |= redact_objects(operation, kind, depth)
            continue
        path = str(operation["path"])
        keys = [key.replace("~1", "/").replace("~0", "~") for key in path.strip("/").split("/")]
        keys = [key for key in keys if key]
        in_part = any(tuple(keys[: len(part)]) == part for part in PARTS.get(kind, ()))
        if in_part or not APPLIED.isdisjoint(keys) or _SENSITIVE_PATCH.search(path):
            changed |= mask_entry(operation, "value")
        else:
            changed |= _redact_rooted(operation, keys, kind)
    return changed


def _redact_rooted(operation: dict[str, Any], keys: list[str], kind: str) -> bool:
    """Redact a patch's value as it will lie in the object, so that paths from the root apply."""
    value = operation["value"]
    root: Any = value
    for key in reversed(keys):
        root = {key: root}
    if not isinstance(root, dict):
        return isinstance(root, list) and redact_json_patch(root, kind)
    changed = redact_objects(root, kind, 0) | mask_target(root, kind)
    for key in keys:
        root = root[key] if isinstance(root, dict) else root
    if changed:
        operation["value"] = root
    return changed


def _is_json_patch(value: list[Any]) -> bool:
    return bool(value) and all(
        isinstance(operation, dict) and "op" in operation and "path" in operation
        for operation in value
    )


def mask_target(body: dict[str, Any], kind: str) -> bool:
    """Mask an object that the request was about, or each of a list, whatever kind it names."""
    if not kind:
        return False
    items = body.get("items")
    rows = body.get("rows")
    objects = items if isinstance(items, list) else [body, body.get("object")]
    if isinstance(rows, list):
        objects = [row.get("object") for row in rows if isinstance(row, dict)]
    changed = False
    for node in objects:
        if isinstance(node, dict):
            changed |= mask_parts(node, kind)
            if isinstance(metadata := node.get("metadata"), dict):
                changed |= redact_metadata(metadata)
    return changed


def redact_metadata(metadata: dict[str, Any]) -> bool:
    """Redact annotations and labels of an object that holds secrets: often they are copied."""
    changed = False
    for part in ("annotations", "labels"):
        if isinstance(values := metadata.get(part), dict):
            changed |= redact_objects({part: values}, "", 0) | _redact_entries(values)
    return changed


def _redact_entries(values: dict[str, Any]) -> bool:
    changed = False
    for key, value in values.items():
        if isinstance(value, str) and not is_mark(value):
            values[key] = redact_text(value)
            changed |= values[key] is not value
    return changed
