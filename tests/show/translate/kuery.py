"""Reads the Kibana Query Language by the rules of its grammar, into conditions of our own.

The rules are those of packages/kbn-es-query/grammar/grammar.peggy in
https://github.com/elastic/kibana, named as there; what k8sidx does not write is left out.
"""

from __future__ import annotations

import re

from k8sidx.query.algebra import (
    COMPARED,
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    Or,
    Present,
    Wildcard,
)

_SPACE = r"[ \t\r\n\u00a0]"
_OR = re.compile(rf"{_SPACE}+or{_SPACE}+", re.IGNORECASE)
_AND = re.compile(rf"{_SPACE}+and{_SPACE}+", re.IGNORECASE)
_NOT = re.compile(rf"not{_SPACE}+", re.IGNORECASE)
_SPACES = re.compile(f"{_SPACE}*")
_OPERATOR = re.compile("<=|>=|<|>")
_QUOTED = re.compile(r'"((?:\\[trn]|\\u[0-9a-fA-F]{4}|\\["\\]|[^"])*?)"')
_ESCAPED = re.compile(r'\\(?:([trn])|u([0-9a-fA-F]{4})|([\\():<>"*{}]))')
_SPECIAL = '\\():<>"*{}'
_WHITE = {"t": "\t", "r": "\r", "n": "\n"}
_POSITION = re.compile(r"position\.(\d)\.(.*)")
_ADDRESSES = ("source.ip", "sourceIPs", "source.claimed_ip")


class Reader:
    """A text, and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found[0] if found else None

    def sign(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def whole(self) -> Condition:
        condition = self.or_query()
        self.take(_SPACES)
        assert self.at == len(self.text), self.text[self.at :]
        return condition

    def or_query(self) -> Condition:
        parts = [self.and_query()]
        while self.take(_OR):
            parts.append(self.and_query())
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def and_query(self) -> Condition:
        parts = [self.not_query()]
        while self.take(_AND):
            parts.append(self.not_query())
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def not_query(self) -> Condition:
        return Not(self.sub_query()) if self.take(_NOT) else self.sub_query()

    def sub_query(self) -> Condition:
        if not self.sign("("):
            return self.expression()
        self.take(_SPACES)
        found = self.or_query()
        self.take(_SPACES)
        assert self.sign(")"), self.text[self.at :]
        return found

    def expression(self) -> Condition:
        text, pattern = self.unquoted()
        if pattern == "*":
            return Always()
        self.take(_SPACES)
        if operator := self.take(_OPERATOR):
            self.take(_SPACES)
            return self.compared(text, operator)
        assert self.sign(":"), self.text[self.at :]
        self.take(_SPACES)
        return self.values(text)

    def compared(self, field: str, operator: str) -> Condition:
        quoted = self.quoted()
        value = self.unquoted()[0] if quoted is None else quoted
        [op] = [one for one in COMPARED if one == operator]
        return Compare(_name(field), op, value)

    def values(self, field: str) -> Condition:
        if not self.sign("("):
            return self.value(field)
        parts = [self.value(field)]
        while self.take(_OR):
            parts.append(self.value(field))
        assert self.sign(")"), self.text[self.at :]
        return Or(tuple(parts))

    def value(self, field: str) -> Condition:
        name = _name(field)
        quoted = self.quoted()
        if quoted is not None:
            if name == field and name in _ADDRESSES:
                return InNetwork(name, (quoted,))
            return Compare(name, "=", quoted)
        text, pattern = self.unquoted()
        if pattern == "*":
            return Present(name)
        if pattern is not None:
            return Wildcard(name, pattern)
        return Compare(name, "=", text)

    def quoted(self) -> str | None:
        found = _QUOTED.match(self.text, self.at)
        if not found:
            return None
        self.at = found.end()
        return re.sub(
            r'\\(?:([trn])|u([0-9a-fA-F]{4})|(["\\]))',
            lambda one: _WHITE.get(one[1] or "") or (chr(int(one[2], 16)) if one[2] else one[3]),
            found[1],
        )

    def unquoted(self) -> tuple[str, str | None]:
        """The text; and the pattern that it is, with our escapes, where it has wildcards."""
        text, pattern, wild = "", "", False
        while self.at < len(self.text):
            sign = self.text[self.at]
            if found := _ESCAPED.match(self.text, self.at):
                self.at = found.end()
                sign = _WHITE.get(found[1] or "") or found[3] or chr(int(found[2], 16))
                text, pattern = text + sign, pattern + f"\\{sign}"
            elif sign == "*":
                self.at += 1
                text, pattern, wild = text + sign, pattern + sign, True
            elif sign in _SPECIAL or any(
                word.match(self.text, self.at) for word in (_OR, _AND, _NOT)
            ):
                break
            else:
                self.at += 1
                text, pattern = text + sign, pattern + (f"\\{sign}" if sign == "?" else sign)
        assert text, self.text[self.at :]
        return text.strip(), pattern.strip() if wild else None


def _name(path: str) -> str:
    """The field that an index keeps at a path."""
    found = _POSITION.fullmatch(path)
    return f"{found[2]}.{found[1]}" if found else path.removesuffix(".keyword")


def read_kuery(text: str) -> Condition:
    """The condition that a text says."""
    return Reader(text).whole()
