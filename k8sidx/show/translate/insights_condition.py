"""Conditions as filters of CloudWatch Logs Insights.

A comparison with a field that an event lacks is neither true nor false there, and stays so
under *not*. So *not* is moved to the comparisons, and each allows that the field is missing,
unless another comparison requires it anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from k8sidx.query.algebra import (
    NEVER,
    Always,
    And,
    Compare,
    Comparison,
    Condition,
    InNetwork,
    Leaf,
    Not,
    OneOf,
    Or,
    Present,
    Regex,
    Scalar,
    Wildcard,
    rewritten,
)
from k8sidx.query.casefold import folds
from k8sidx.query.networks import ranges
from k8sidx.query.simplify import simplified
from k8sidx.query.wildcard import ANY_TEXT, to_regex, tokens
from k8sidx.show.translate.clauses import either_case, escaped, one_of_texts
from k8sidx.show.translate.cloudwatch_fields import networks_of
from k8sidx.show.translate.translatable import NotTranslatable

_PLAIN = re.compile(r"[A-Za-z0-9_.@]+")
_LONG = 20
"""A list of as many texts may become an expression."""
_INVERSE: dict[Comparison, str] = {"=": "!=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class _Clause(NamedTuple):
    """A condition's text, and whether *and* or *or* join it."""

    text: str
    joined: bool = False

    @property
    def beside(self) -> str:
        """The text, to stand beside *and* and *or*."""
        return f"({self.text})" if self.joined else self.text


def filters(condition: Condition, *, short: bool = False) -> list[str]:
    """Return the texts of filters, one after the other; none when it holds for every event.

    :param condition: on CloudWatch's fields (:mod:`k8sidx.show.translate.cloudwatch_fields`).
    :param short: write long lists of texts as expressions, which are shorter.
    :raises NotTranslatable: when a part of it has no text, or it holds for no event.
    """
    plain = simplified(condition)
    if plain == NEVER:
        raise NotTranslatable("no event of CloudWatch matches it.")
    if isinstance(plain, Always):
        return []
    if short:
        plain = rewritten(plain, _shortened)
    clauses = _all_of(plain.conditions) if isinstance(plain, And) else [_clause(plain)]
    return list(dict.fromkeys(item.text for item in clauses))


def _shortened(leaf: Leaf) -> Condition:
    if not isinstance(leaf, OneOf) or len(leaf.values) < _LONG:
        return leaf
    texts = [value for value in leaf.values if isinstance(value, str)]
    folded = any(folds(text, ignore_case=leaf.ignore_case) for text in texts)
    if folded or len(texts) < len(leaf.values):
        return leaf
    return Regex(leaf.field, one_of_texts(texts))


def _clause(condition: Condition) -> _Clause:
    match condition:
        case And(parts):
            return _join(" and ", _all_of(parts))
        case Or(parts):
            return _join(" or ", _any_of(parts))
        case Not():
            return _join(" and ", _all_of((condition,)))
        case Always():
            raise TypeError("a simplified condition has no constants")
        case Present():
            return _Clause(f"ispresent({name_text(condition.field)})")
    return _Clause(_compared(condition))


def _join(word: str, parts: Sequence[_Clause]) -> _Clause:
    if len(parts) == 1:
        return parts[0]
    return _Clause(word.join(part.beside for part in parts), joined=True)


def _any_of(parts: Sequence[Condition]) -> list[_Clause]:
    """Return the alternatives, patterns of one field as one expression."""
    merged = _merged([part for part in parts if isinstance(part, Wildcard)])
    others = [_clause(part) for part in parts if not isinstance(part, Wildcard)]
    return others + [_Clause(text) for text in merged]


def _all_of(parts: Sequence[Condition]) -> list[_Clause]:
    """Return all conditions, the exclusions of one field together."""
    compared = {part.field for part in parts if not isinstance(part, Always | And | Or | Not)}
    excluded: dict[str, list[Leaf]] = {}
    for part in parts:
        if isinstance(part, Not) and (leaf := _excluded(part)) is not None:
            excluded.setdefault(leaf.field, []).append(leaf)
    others = [
        part for part in parts if isinstance(part, Compare | OneOf | Wildcard | Regex | InNetwork)
    ]
    tested = {other.field for other in others} | excluded.keys()
    clauses: list[_Clause] = []
    for part in parts:
        if isinstance(part, Present) and part.field in tested:
            continue  # What is missing passes no other test either.
        if isinstance(part, Not) and isinstance(part.condition, Present):
            clauses.append(_Clause(f"not ispresent({name_text(part.condition.field)})"))
        elif isinstance(part, Not) and (leaf := _excluded(part)) is not None:
            clauses += _without(leaf.field, excluded.pop(leaf.field, []), compared)
        else:
            clauses.append(_clause(part))
    return clauses


def _excluded(part: Not) -> Leaf | None:
    inner = part.condition
    return None if isinstance(inner, Always | And | Or | Not | Present) else inner


def _without(field: str, leaves: list[Leaf], compared: set[str]) -> list[_Clause]:
    """Return the exclusion of some comparisons of a field."""
    tests = [_compared(leaf, negated=True) for leaf in leaves if not isinstance(leaf, Wildcard)]
    tests += _merged([leaf for leaf in leaves if isinstance(leaf, Wildcard)], negated=True)
    if field in compared:
        return [_Clause(test) for test in tests]
    if not tests:
        return []
    all_of = _join(" and ", [_Clause(test) for test in tests])
    return [_Clause(f"not ispresent({name_text(field)}) or {all_of.beside}", joined=True)]


def _merged(leaves: Iterable[Wildcard], *, negated: bool = False) -> list[str]:
    """Return the patterns as text, those of one field and case as one expression."""
    groups: dict[tuple[str, bool], list[Wildcard]] = {}
    for leaf in leaves:
        key = (leaf.field, folds(leaf.pattern, ignore_case=leaf.ignore_case))
        groups.setdefault(key, []).append(leaf)
    texts = []
    no = "not " if negated else ""
    for (field, fold), group in groups.items():
        if len(group) == 1:
            texts.append(_compared(group[0], negated=negated))
            continue
        expressions = "|".join(_expression(leaf.pattern) for leaf in group)
        texts.append(f"{name_text(field)} {no}like {_slashed(expressions, fold=fold)}")
    return texts


def _compared(leaf: Leaf, *, negated: bool = False) -> str:
    name = name_text(leaf.field)
    no = "not " if negated else ""
    match leaf:
        case Compare(op=op, value=value, ignore_case=fold):
            return _comparison(name, op, value, fold=fold, negated=negated)
        case OneOf(values=values, ignore_case=fold):
            if len(values) == 1:
                return _comparison(name, "=", values[0], fold=fold, negated=negated)
            return _membership(name, values, fold=fold, negated=negated)
        case Wildcard(pattern=pattern, ignore_case=fold):
            folded = folds(pattern, ignore_case=fold)
            middle = _contained(pattern)
            if middle is not None and not folded:
                return f"{name} {no}like {text_literal(middle)}"
            return f"{name} {no}like {_slashed(_expression(pattern), fold=folded)}"
        case Regex(pattern=pattern, ignore_case=fold):
            return f"{name} {no}like {_slashed(_delimited(pattern), fold=fold)}"
        case InNetwork():
            expressions = [
                f"isIpInSubnet({name}, {text_literal(network)})" for network in _networks(leaf)
            ]
            alternatives = " or ".join(expressions)
            return f"{no}({alternatives})" if len(expressions) > 1 or negated else alternatives
    raise TypeError(f"not a comparison: {type(leaf).__name__}")


def _comparison(name: str, op: Comparison, value: Scalar, *, fold: bool, negated: bool) -> str:
    operator = _INVERSE[op] if negated else op
    if isinstance(value, str) and folds(value, ignore_case=fold):
        if not value.isascii():
            no = "not " if negated else ""
            return f"{name} {no}like {_slashed(f'^{either_case(value, escaped)}$', fold=False)}"
        return f"tolower({name}) {operator} {text_literal(value.lower())}"
    return f"{name} {operator} {_literal(value)}"


def _membership(name: str, values: Sequence[Scalar], *, fold: bool, negated: bool) -> str:
    folded = [value for value in values if folds(value, ignore_case=fold)]
    if any(not str(value).isascii() for value in folded):
        tests = [_comparison(name, "=", value, fold=fold, negated=negated) for value in values]
        return f"({(' and ' if negated else ' or ').join(tests)})"
    no = "not " if negated else ""
    if folded:
        listed = dict.fromkeys(_literal(str(value).lower()) for value in values)
        return f"tolower({name}) {no}in [{', '.join(listed)}]"
    return f"{name} {no}in [{', '.join(_literal(value) for value in values)}]"


def _networks(leaf: InNetwork) -> tuple[str, ...]:
    if any(len(ranges(network)) > 1 for network in leaf.networks):
        raise NotTranslatable(f"{leaf.field} is compared with all of IPv6.")
    return networks_of(leaf)


def _contained(pattern: str) -> str | None:
    """Return the text that a pattern ``*text*`` searches for."""
    parts = list(tokens(pattern))
    edges = len(parts) > 2 and parts[0] == parts[-1] == ANY_TEXT
    if not edges or any(part.is_wildcard for part in parts[1:-1]):
        return None
    return "".join(part.text for part in parts[1:-1])


def _expression(pattern: str) -> str:
    """Return a wildcard pattern as a regular expression that is found somewhere."""
    parts = list(tokens(pattern))
    start, end = "^", "$"
    while parts and parts[0] == ANY_TEXT:
        start, parts = "", parts[1:]
    while parts and parts[-1] == ANY_TEXT:
        end, parts = "", parts[:-1]
    # Any character, line breaks among them, whatever the flags.
    body = to_regex(parts, escaped, any_character=r"[\s\S]")
    return f"{start}{body}{end}"


def _delimited(pattern: str) -> str:
    """Return a regular expression in which no slash ends it."""
    written = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            written.append(character + next(characters, ""))
        else:
            written.append({"/": r"\/", "\n": r"\n", "\t": r"\t"}.get(character, character))
    return "".join(written)


def _slashed(expression: str, *, fold: bool) -> str:
    return f"/{'(?i)' if fold else ''}{expression}/"


def name_text(name: str) -> str:
    """Return a field, in backquotes where its name has special characters."""
    return name if _PLAIN.fullmatch(name) else f"`{name}`"


def _literal(value: Scalar) -> str:
    return text_literal(value) if isinstance(value, str) else str(value)


def text_literal(text: str) -> str:
    """Return text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'
