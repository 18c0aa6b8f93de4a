"""Objects that are delivered as text: JSON, YAML, Base64 of either, compressed or not, and
percent-encoded text."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import unquote

import msgspec
import yaml

from k8sidx.compression import DamagedStreamError, decompressed, is_compressed

MAX_YAML = 1024 * 1024
"""Characters of YAML that are parsed; the parser is slow, and the text is an attacker's."""
MAX_PACKED = 16 * 1024 * 1024
"""Bytes that compressed text may have; a few kilobytes can stand for gigabytes."""
MAX_LAYERS = 4
"""Encodings inside one another that are undone."""
_PERCENT = re.compile(r"%(?:25)*(?:22|7[bB]|5[bB]|3[aA])")
_MAPPING = re.compile(r"^(?:---\s*\n)?\s*[\w.\"'\\-]+\s*:", re.MULTILINE)
_STANDARD = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_DATA_URI = re.compile(r"data:[\w/+.;=,-]{0,100}?;base64,")
# A few bytes of anchors and aliases can stand for gigabytes.
_ALIAS = re.compile(r"(?:^|[\s\[,:-])[*&][\w-]+")
_ESCAPE = re.compile(r"\\(?:u00[4-7]|x[4-7]|u0?[1-9a-fA-F])")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_text(text: str, layers: int = MAX_LAYERS) -> dict[str, Any] | list[Any] | None:
    """Return the object or array that a text is; ``None`` when it is neither.

    :param layers: encodings that may be undone.
    """
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        return _json(stripped.encode("utf-8", "surrogatepass"))
    if layers and len(stripped) > 16 and (data := base64_bytes(stripped)) is not None:
        return _packed(data, layers - 1)
    if layers and "%" in stripped and _PERCENT.search(stripped):
        return parse_text(unquote(stripped), layers - 1)
    if ":" in stripped and _MAPPING.search(stripped):
        return _yaml(stripped)
    return None


def has_escapes(text: str) -> bool:
    """Whether letters of ASCII stand in escapes in a text, as those of a name may."""
    return "\\" in text and _ESCAPE.search(text) is not None


def quoted_text(text: str) -> str | None:
    """Return the text that a text is JSON of; ``None`` when it is something else."""
    try:
        return msgspec.json.decode(text.strip().encode("utf-8", "surrogatepass"), type=str)
    except (msgspec.DecodeError, UnicodeError):
        return None


def unpacked(text: str, layers: int = MAX_LAYERS) -> str | None:
    """Return the text that a text is Base64 of, or that compressed; the same text when it is not
    encoded, ``None`` for compressed data that are not a text or cannot be read."""
    stripped = text.strip()
    if not layers or len(stripped) <= 16 or (data := base64_bytes(stripped)) is None:
        return text
    plain = _inflated(data) if is_compressed(data[:4]) else data
    if plain is None:
        return None
    try:
        return unpacked(plain.decode("utf-8"), layers - 1)
    except UnicodeError:
        return text


def base64_bytes(text: str) -> bytes | None:
    """Return what a text is Base64 of, in either alphabet, with or without padding and line
    breaks; ``None`` when it is not Base64."""
    if text.startswith("data:"):
        text = _DATA_URI.sub("", text, count=1)
    if "\n" in text:
        text = "".join(text.split())
    if _BASE64.fullmatch(text) is None:
        return None
    standard = text.rstrip("=").translate(_STANDARD)
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _packed(data: bytes, layers: int) -> dict[str, Any] | list[Any] | None:
    plain = _inflated(data) if is_compressed(data[:4]) else data
    if plain is None:
        return None
    try:
        return parse_text(plain.decode("utf-8"), layers)
    except UnicodeError:
        return None


def _inflated(data: bytes) -> bytes | None:
    blocks, size = [], 0
    try:
        for block in decompressed(iter((data,))):
            blocks.append(block)
            size += len(block)
            if size > MAX_PACKED:
                return None
    except DamagedStreamError:
        return None
    return b"".join(blocks)


def _json(text: bytes) -> dict[str, Any] | list[Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(value, dict | list):
        return None
    return _with_repeated(text, value)


def _with_repeated(text: bytes, value: dict[str, Any] | list[Any]) -> dict[str, Any] | list[Any]:
    """Return the value with the members that its text has more than once: each is there."""
    repeated = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        made: dict[str, Any] = {}
        counts: dict[str, int] = {}
        for name, child in pairs:
            count = counts.get(name, 0)
            counts[name] = count + 1
            repeated |= count > 0
            made[f"{name}#{count}" if count else name] = child
        return made

    try:
        whole: dict[str, Any] | list[Any] = json.loads(text, object_pairs_hook=members)
    except (ValueError, RecursionError):
        return value
    return whole if repeated else value


def _yaml(text: str) -> dict[str, Any] | list[Any] | None:
    if len(text) > MAX_YAML or _ALIAS.search(text):
        return None
    try:
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return None
    value = documents[0] if len(documents) == 1 else documents
    if not isinstance(value, dict | list) or not value:
        return None
    plain = _with_text_keys(value)
    return plain if isinstance(plain, dict | list) else None


def _with_text_keys(value: Any) -> Any:
    """Return YAML's value in JSON's terms: keys are texts, dates are texts."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(child) for child in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
