"""Mutations of input records: of their JSON values, and of their bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from tests.events.canaries import CARRIERS, ENVELOPES

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 2**64, 10**400, 0.1, 1e308, "", " ", "\0", "{", "[", "null", "\ud800",
    "é\u2028\U0001f600", "x" * 20_000, "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00Z",
    "kind: Secret\ndata: {a: *b}", "H4sIAAAA", "a2luZA==", "%25%32%35", "...|x|...", {}, [], [[]],
    {"kind": "Secret", "data": 5}, {"kind": ["Secret"]}, {"": {"": ""}}, [{"op": "add"}],
    [{"op": "add", "path": "/data/a~1b", "value": {"kind": "Secret"}}], {"items": {"kind": 1}},
    {"env": {"name": 1}}, {"env": [[{"name": "TOKEN", "value": {}}]]}, {"command": [1, None, "-p"]},
)  # fmt: skip


def mutated(body: Any, random_: random.Random) -> Any:
    """Return the value with one to four changes at random places."""
    root = [json.loads(json.dumps(body))]
    for _ in range(random_.randint(1, 4)):
        node, key = random_.choice(list(_places(root)))
        _CHANGES[random_.randrange(len(_CHANGES))](node, key, random_)
    return root[0]


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    places: list[tuple[Any, Any]] = []
    pending: list[Any] = [root]
    while pending:
        node = pending.pop()
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(child, dict | list):
                pending.append(child)
    return places


def _replace(node: Any, key: Any, random_: random.Random) -> None:
    node[key] = copy.deepcopy(random_.choice(VALUES))


def _carry(node: Any, key: Any, random_: random.Random) -> None:
    try:
        node[key] = CARRIERS[random_.choice(sorted(CARRIERS))](node[key])
    except Exception:  # noqa: BLE001 - YAML cannot represent every value
        node[key] = str(node[key])


def _nest(node: Any, key: Any, random_: random.Random) -> None:
    for _ in range(random_.choice((1, 3, 40, 200))):
        node[key] = {random_.choice(("items", "spec", "metadata", "object", "0")): node[key]}


def _add(node: Any, key: Any, random_: random.Random) -> None:
    if isinstance(node, dict):
        node[random_.choice(("kind", "items", "data", "log", "auditID", "", "a.b", "env"))] = (
            copy.deepcopy(random_.choice(VALUES))
        )
    else:
        node.append(copy.deepcopy(random_.choice(VALUES)))


def _rename(node: Any, key: Any, random_: random.Random) -> None:
    if isinstance(node, dict):
        node[random_.choice((f"{key}x", key.upper(), f"json.{key}", "kind"))] = node.pop(key)


_CHANGES: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    _replace, _replace, _replace, _carry, _nest, _add, _rename,
)  # fmt: skip


def wrapped(body: Any, random_: random.Random) -> bytes:
    """Return a record with the value in one of the envelopes, some of its bytes changed."""
    try:
        text = ENVELOPES[random_.choice(sorted(ENVELOPES))](body)
    except Exception:  # noqa: BLE001 - an envelope takes an object
        text = json.dumps(body)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if random_.random() < 0.3:
        for _ in range(random_.randint(1, 6)):
            _change_bytes(data, random_)
    return bytes(data).replace(b"\n", b" ")


def _change_bytes(data: bytearray, random_: random.Random) -> None:
    if not data:
        return
    at = random_.randrange(len(data))
    match random_.randrange(4):
        case 0:
            data[at] = random_.randrange(256)
        case 1:
            del data[at : at + random_.randint(1, 30)]
        case 2:
            data[at:at] = data[at : at + random_.randint(1, 30)]
        case _:
            del data[at:]
