"""Credentials in ConfigMaps: which keys hold them. The values are not kept."""

from __future__ import annotations

import re
from typing import Any

from k8sidx.events.normalize.json_tree import mapping

LONGEST = 65_536
"""Characters of a value that are looked at: a credential stands near the beginning."""

_NAMES = (
    r"pass(?:word|wd|phrase)|aws[_-](?:s3[_-])?(?:access[_-]key[_-]id|secret[_-]access[_-]key)|"
    r"api[_-]?key|client[_-]secret|secret[_-]key"
)
_KEY = re.compile(rf"(?:^|[._-])(?:{_NAMES})$", re.IGNORECASE)
# An assignment in properties, YAML, JSON, TOML or a shell script. What is put in later
# ($NAME, ${NAME}, {{ .name }}, <name>) is no credential, nor is an empty value.
_ASSIGNED = re.compile(
    rf"(?:^|[\s\"'._-])(?:{_NAMES})[\"']?\s*[:=]\s*[\"']?(?![\"'\s$<{{]|null\b)\S",
    re.IGNORECASE | re.MULTILINE,
)
_PRIVATE_KEY = "PRIVATE KEY-----"


def credential_keys(configmap: dict[str, Any]) -> list[str]:
    """Keys of a ConfigMap's ``data`` whose values look like credentials, in its order."""
    data = mapping(configmap, "data")
    return [key for key, value in data.items() if type(value) is str and _is_secret(key, value)]


def _is_secret(key: str, value: str) -> bool:
    text = value[:LONGEST]
    if _PRIVATE_KEY in text:
        return True
    if _KEY.search(key) and text.strip() and not text.lstrip().startswith(("$", "<", "{")):
        return True
    return _ASSIGNED.search(text) is not None
