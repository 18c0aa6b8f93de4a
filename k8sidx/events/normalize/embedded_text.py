"""Objects that are delivered as text: JSON, YAML, or Base64 of either."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec
import yaml

MAX_YAML = 1024 * 1024
"""Characters of YAML that are parsed; the parser is slow, and the text is an attacker's."""
_MAPPING = re.compile(r"^(?:---\s*\n)?\s*[\w.\"'-]+\s*:", re.MULTILINE)
_STANDARD = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
# A few bytes of anchors and aliases can stand for gigabytes.
_ALIAS = re.compile(r"(?:^|[\s\[,:-])[*&][\w-]+")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_text(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object or array that a text is; ``None`` when it is neither."""
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        return _json(stripped.encode("utf-8", "surrogatepass"))
    if len(stripped) > 16 and _BASE64.fullmatch(stripped):
        return _base64(stripped)
    if ":" in stripped and _MAPPING.search(stripped):
        return _yaml(stripped)
    return None


def _json(text: bytes) -> dict[str, Any] | list[Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _base64(text: str) -> dict[str, Any] | list[Any] | None:
    try:
        standard = text.translate(_STANDARD)
        data = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    inner = data.strip()
    if inner[:1] in (b"{", b"["):
        return _json(inner)
    try:
        decoded = inner.decode("utf-8")
    except UnicodeError:
        return None
    return _yaml(decoded) if _MAPPING.search(decoded) else None


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
