"""Translation of RE2 patterns to Lucene regular expressions.

Lucene's match the whole value and have no anchors, so ``found somewhere`` and the anchors become
what may stand before and after. Ignored case is written letter by letter, as RE2 folds them:
Lucene's own folding differs between versions. Whatever Lucene lacks (word boundaries, anchors in
the middle) raises :class:`~k8sidx.errors.UnsupportedQuery`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from k8sidx.errors import InvalidQuery, UnsupportedQuery
from k8sidx.query.regex import InvalidRegex, compiled, syntax_tree

LONGEST = 1000
"""Characters of a Lucene pattern that an index accepts by default (index.max_regex_length)."""

_EVERY = "(.|\n)"
_ANY = f"{_EVERY}*"
_SPACES = "\t\n\f\r "
_DIGITS = (("0", "9"),)
_WORD = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
_SPACE = tuple((space, space) for space in _SPACES)
_CLASSES = {
    "CATEGORY_DIGIT": (_DIGITS, False),
    "CATEGORY_NOT_DIGIT": (_DIGITS, True),
    "CATEGORY_WORD": (_WORD, False),
    "CATEGORY_NOT_WORD": (_WORD, True),
    "CATEGORY_SPACE": (_SPACE, False),
    "CATEGORY_NOT_SPACE": (_SPACE, True),
}
_STARTS = ("AT_BEGINNING", "AT_BEGINNING_STRING")
_ENDS = ("AT_END",)
_LAST = chr(0x10FFFF)
_ALSO = {"k": "\u212a", "s": "\u017f"}
"""Characters that RE2 folds to an ASCII letter beside the other case (Unicode simple folding)."""

Range = tuple[str, str]
Node = tuple[Any, Any]


def lucene(pattern: str, *, ignore_case: bool = False) -> str:
    """Return the Lucene expression that matches the values in which the pattern is found.

    :raises InvalidQuery: when RE2 does not accept the pattern.
    :raises UnsupportedQuery: when Lucene has no equivalent of a part of it.
    """
    try:
        compiled(pattern, ignore_case=ignore_case)
    except InvalidRegex as error:
        raise InvalidQuery(
            f"{pattern!r} is not a valid regular expression (RE2 syntax)."
        ) from error
    if "[[:" in pattern or re.search(r"\{,\d", pattern):
        raise _unsupported(pattern, "it is written in a way that only RE2 reads")
    try:
        nodes = syntax_tree(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error:
        raise _unsupported(pattern, "it is written in a way that only RE2 reads") from None
    translator = _Translator(pattern, nodes.state.flags)
    expression = "|".join(translator.whole(list(nodes)))
    if len(expression) > LONGEST:
        raise _unsupported(pattern, f"it takes more than {LONGEST} characters there")
    return expression


def _unsupported(pattern: str, why: str) -> UnsupportedQuery:
    return UnsupportedQuery(
        f"the regular expression {pattern!r} cannot be asked of a cluster: {why}.",
        remedy="Write it without, or with wildcards.",
    )


class _Translator:
    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self.flags = flags

    def whole(self, nodes: list[Node]) -> Iterator[str]:
        """Yield the alternatives of a pattern, each for a whole value."""
        for alternative in _spread(nodes, self.flags):
            starts, ends = False, False
            while alternative and self._is_at(alternative[0], _STARTS):
                alternative, starts = alternative[1:], True
            while alternative and self._is_at(alternative[-1], _ENDS):
                alternative, ends = alternative[:-1], True
            body = self.sequence(alternative, self.flags)
            if starts and ends and not body:
                yield "()"
            else:
                yield f"{'' if starts else _ANY}{body}{'' if ends else _ANY}"

    def _is_at(self, node: Node, names: Sequence[str]) -> bool:
        if str(node[0]) != "AT" or str(node[1]) not in names:
            return False
        if self.flags & re.MULTILINE and str(node[1]) != "AT_BEGINNING_STRING":
            raise _unsupported(self.pattern, "it has anchors of lines")
        return True

    def sequence(self, nodes: Iterable[Node], flags: int) -> str:
        return "".join(self.node(str(name), value, flags) for name, value in nodes)

    def node(self, name: str, value: Any, flags: int) -> str:
        if name == "LITERAL":
            return _class(_folded([(chr(value), chr(value))], flags, self.pattern))
        if name == "NOT_LITERAL":
            ranges = _folded([(chr(value), chr(value))], flags, self.pattern)
            return _class(_inverted(ranges))
        if name == "ANY":
            return _EVERY if flags & re.DOTALL else "[^\n]"
        if name == "IN":
            return self.members(value, flags)
        if name == "BRANCH":
            return f"({'|'.join(self.sequence(branch, flags) or '()' for branch in value[1])})"
        if name == "SUBPATTERN":
            _, added, removed, nodes = value
            return f"({self.sequence(nodes, (flags | added) & ~removed) or '()'})"
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, nodes = value
            return self.repeated(self.sequence(nodes, flags) or "()", least, most)
        what = {"AT": "an anchor or word boundary within"}.get(name, name.lower())
        raise _unsupported(self.pattern, f"it has {what}")

    def repeated(self, body: str, least: int, most: Any) -> str:
        unbounded = most is re._parser.MAXREPEAT
        if (least, unbounded) in ((0, True), (1, True)):
            return f"({body}){'+' if least else '*'}"
        if (least, most) == (0, 1):
            return f"({body})?"
        return f"({body}){{{least},{'' if unbounded else most}}}"

    def members(self, items: Sequence[Node], flags: int) -> str:
        ranges: list[Range] = []
        negated = False
        for kind, value in items:
            name = str(kind)
            if name == "NEGATE":
                negated = True
            elif name == "LITERAL":
                ranges.append((chr(value), chr(value)))
            elif name == "RANGE":
                ranges.append((chr(value[0]), chr(value[1])))
            elif name == "CATEGORY" and str(value) in _CLASSES:
                known, without = _CLASSES[str(value)]
                ranges += _inverted(list(known)) if without else known
            else:
                raise _unsupported(self.pattern, f"it has {name.lower()}")
        folded = _folded(ranges, flags, self.pattern)
        if negated and not _inverted(folded):
            raise _unsupported(self.pattern, "it has a set of no characters")
        return _class(_inverted(folded) if negated else folded)


def _spread(nodes: list[Node], flags: int) -> list[list[Node]]:
    """Return the alternatives with anchors at the edges of a pattern, each as a pattern of its
    own."""
    for position in dict.fromkeys((0, len(nodes) - 1)):
        if not nodes or not _has_anchor(nodes[position]) or str(nodes[position][0]) == "AT":
            continue
        before, after = nodes[:position], nodes[position + 1 :]
        name, value = str(nodes[position][0]), nodes[position][1]
        if name == "BRANCH":
            inner = [list(branch) for branch in value[1]]
        elif name == "SUBPATTERN" and not value[1] and not value[2]:
            inner = [list(value[3])]
        else:
            continue
        alternatives = []
        for alternative in inner:
            alternatives += _spread([*before, *alternative, *after], flags)
        return alternatives
    return [nodes]


def _has_anchor(node: Node) -> bool:
    name, value = str(node[0]), node[1]
    if name == "AT":
        return True
    if name == "BRANCH":
        return any(_has_anchor(member) for branch in value[1] for member in branch)
    if name == "SUBPATTERN":
        return any(_has_anchor(member) for member in value[3])
    return False


def _folded(ranges: Iterable[Range], flags: int, pattern: str) -> list[Range]:
    """Return the ranges and, where case is ignored, the ranges that RE2 folds them to."""
    folded = list(ranges)
    if not flags & re.IGNORECASE:
        return folded
    for first, last in list(folded):
        if last > "\x7f" and (first, last) != (first, _LAST):
            raise _unsupported(pattern, "it ignores the case of letters beyond ASCII")
        upper = range(max(ord(first), ord("A")), min(ord(last), ord("Z")) + 1)
        lower = range(max(ord(first), ord("a")), min(ord(last), ord("z")) + 1)
        folded += [
            (chr(code), chr(code)) for code in (*(u + 32 for u in upper), *(n - 32 for n in lower))
        ]
    letters = {low for low in _ALSO if any(a <= low <= b for a, b in folded)}
    return folded + [(_ALSO[letter], _ALSO[letter]) for letter in sorted(letters)]


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and ord(first) <= ord(merged[-1][1]) + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _inverted(ranges: Iterable[Range]) -> list[Range]:
    left, begins = [], 0
    for first, last in _merged(ranges):
        if ord(first) > begins:
            left.append((chr(begins), chr(ord(first) - 1)))
        begins = ord(last) + 1
    return [*left, (chr(begins), _LAST)] if begins <= ord(_LAST) else left


def _class(ranges: Iterable[Range]) -> str:
    merged = _merged(ranges)
    sign = ""
    if merged and merged[-1][1] == _LAST:  # Lucene does not take that character in a range.
        merged, sign = _inverted(merged), "^"
        if not merged:
            return _EVERY
    if not sign and len(merged) == 1 and merged[0][0] == merged[0][1]:
        return _escaped(merged[0][0])
    inner = "".join(_range(first, last) for first, last in merged)
    return f"[{sign}{inner}]"


def _range(first: str, last: str) -> str:
    """Return a range that begins with a character that needs no escape: Lucene 10 accepts one that
    does for its end alone."""
    singles = ""
    while first < last and _escaped(first) != first:
        singles += _escaped(first)
        first = chr(ord(first) + 1)
    return singles + (_escaped(first) if first == last else f"{first}-{_escaped(last)}")


def _escaped(character: str) -> str:
    plain = character.isascii() and character.isalnum()
    return character if plain or not character.isascii() or character < " " else f"\\{character}"
