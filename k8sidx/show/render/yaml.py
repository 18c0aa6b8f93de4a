"""YAML documents that a terminal does not act on."""

from __future__ import annotations

from typing import Any

from k8sidx.show.render.escape import json_text


def yaml_text(data: object) -> str:
    """Return data as YAML, in block style and the given order.

    Where a value contains characters that are not printable, all others than ASCII are
    escaped: a parser restores them.
    """
    import json

    import yaml

    plain: Any = json.loads(json_text(data))
    text = _dumped(yaml, plain, escaped=False)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return _dumped(yaml, plain, escaped=True)


def _dumped(yaml: Any, data: Any, *, escaped: bool) -> str:
    text: str = yaml.safe_dump(
        data, sort_keys=False, allow_unicode=not escaped, default_flow_style=False, width=1_000
    )
    return text
