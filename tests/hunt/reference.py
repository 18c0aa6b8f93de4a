"""Conditions, evaluated the slow and obvious way over one stored row."""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Mapping
from typing import Any

from k8sidx.events.fields.lookup import resolve
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Wildcard,
)
from k8sidx.query.coerce import coerce

_OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})


def holds(condition: Condition, row: Mapping[str, Any]) -> bool:
    """Whether the condition holds for the row."""
    match condition:
        case Always():
            return True
        case Not(inner):
            return not holds(inner, row)
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)
    return any(_leaf(condition, value) for value in _values(condition.field, row))


def _values(name: str, row: Mapping[str, Any]) -> list[Any]:
    path = resolve(name)
    value = row.get(path.field.name)
    if path.position is not None:
        value = value[path.position] if value and len(value) > path.position else None
    values = value if isinstance(value, list | tuple) else [value]
    return [one for one in values if one is not None]


def _leaf(leaf: Leaf, value: Any) -> bool:
    field = resolve(leaf.field).field
    match leaf:
        case Present():
            return True
        case InNetwork(_, networks):
            return any(ipaddress.ip_address(value) in ipaddress.ip_network(n) for n in networks)
        case Regex(_, pattern, ignore_case):
            return bool(re.search(pattern, str(value), re.IGNORECASE if ignore_case else 0))
        case Wildcard(_, pattern, ignore_case):
            return bool(
                re.fullmatch(_regex(_fold(pattern, ignore_case)), _fold(value, ignore_case), re.S)
            )
        case OneOf(_, values, ignore_case):
            wanted = [coerce(field, one) for one in values]
            return any(_fold(value, ignore_case) == _fold(one, ignore_case) for one in wanted)
        case Compare(_, op, other, ignore_case):
            left, right = _fold(value, ignore_case), _fold(coerce(field, other), ignore_case)
            return bool(_OPERATORS[op](left, right))


def _fold(value: Any, ignore_case: bool) -> Any:
    return value.translate(_LOWER) if ignore_case and isinstance(value, str) else value


def _regex(pattern: str) -> str:
    parts = re.findall(r"\\.|.", pattern, re.S)
    signs = {"*": ".*", "?": "."}
    return "".join(signs.get(part) or re.escape(part[-1]) for part in parts)
