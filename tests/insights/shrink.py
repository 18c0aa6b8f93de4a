"""A failing query made small: the shortest text that still fails is what one can think about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast, get_args

from tests.insights import reference_ast as tree

_MOST_STEPS = 400


def shrunk(commands: tree.Tree, fails: Callable[[tree.Tree], bool]) -> tree.Tree:
    """The smallest query found that still fails, by taking parts away one after the other."""
    steps = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller_tuples(commands):
            steps += 1
            if steps > _MOST_STEPS:
                return commands
            if fails(cast(tree.Tree, candidate)):
                commands, smaller = cast(tree.Tree, candidate), True
                break
    return commands


def _smaller_tuples(nodes: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for place in range(len(nodes)):
        if len(nodes) > 1:
            yield (*nodes[:place], *nodes[place + 1 :])
    for place, node in enumerate(nodes):
        for other in _smaller(node):
            yield (*nodes[:place], other, *nodes[place + 1 :])


def _smaller(node: Any) -> Iterator[Any]:
    """The node with one of its parts less; an expression also becomes each of its parts."""
    if not is_dataclass(node) or isinstance(node, type):
        return
    parts = {one.name: getattr(node, one.name) for one in fields(node)}
    if _is_expression(node):
        for part in parts.values():
            yield from filter(_is_expression, part if isinstance(part, tuple) else (part,))
    for name, part in parts.items():
        if name == "keys" and len(part) == 1:
            yield replace(node, keys=())
        others = _smaller_tuples(part) if isinstance(part, tuple) else _smaller(part)
        for other in others:
            yield replace(node, **{name: other})


def _is_expression(node: Any) -> bool:
    return isinstance(node, get_args(tree.Expression))
