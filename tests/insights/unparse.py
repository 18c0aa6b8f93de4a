"""A query's tree → its text, also as people write it: odd white space, comments, any case."""

from __future__ import annotations

import re
from random import Random

from tests.insights import reference_ast as tree

_PLAIN = re.compile(r"[A-Za-z_@][A-Za-z0-9_@]*(\.[A-Za-z0-9_@]+)*")
_SLASHED = re.compile(r"([A-Za-z0-9_@]+\.)*(annotations|labels)\.[A-Za-z0-9_@./-]+")
_LEVELS = {"+": 6, "-": 6, "*": 7, "/": 7, "%": 7, "^": 8}
_OR, _AND, _NOT, _COMPARED, _UNARY, _ATOM = 1, 2, 3, 4, 9, 10
_BLANKS = (" ", " ", " ", "  ", "\t", "\n", " \n  ", "\r\n", " # a comment | with 'odd' /text/\n")


class Writer:
    """Writes a tree.

    :param chance: for the odd ways; without it the text is the plainest there is.
    """

    def __init__(self, chance: Random | None = None) -> None:
        self._chance = chance
        self._stats = 0

    def text(self, commands: tree.Tree) -> str:
        parts = [self._command(one) for one in commands]
        written = f"{self._gap()}|{self._gap()}".join(parts)
        if self._at_times(0.05):
            written = f"| {written}"
        if self._at_times(0.05):
            written += self._gap() + "|"
        if self._at_times(0.05):
            written += "  # the end"
        return written

    def _command(self, command: tree.Command) -> str:
        match command:
            case tree.Fields(items):
                return self._keyword("fields") + self._blank() + self._items(items)
            case tree.Display(items):
                return self._keyword("display") + self._blank() + self._items(items)
            case tree.Filter(condition):
                word = "where" if self._at_times(0.2) else "filter"
                return self._keyword(word) + self._blank() + self.expression(condition)
            case tree.Parse():
                return self._parse(command)
            case tree.Stats(aggregates, keys):
                self._stats += 1
                by = self._blank() + self._keyword("by") + self._blank() if keys else ""
                listed = self._items(aggregates) + by + self._items(keys)
                return self._keyword("stats") + self._blank() + listed
            case tree.Sort(orders):
                listed = self._comma().join(map(self._order, orders))
                return self._keyword("sort") + self._blank() + listed
            case tree.Limit(count):
                return self._keyword("limit") + self._blank() + str(count)
            case tree.Dedup(values):
                names = [self._name(one.name) for one in values]
                listed = self._comma().join(names)
                return self._keyword("dedup") + self._blank() + listed

    def _parse(self, command: tree.Parse) -> str:
        parts = [self._keyword("parse")]
        if command.value is not None:
            parts.append(self._name(command.value.name))
        parts.append(self._pattern(command.pattern))
        if not command.named:
            names = self._comma().join(self._name(name) for name in command.names)
            parts += [self._keyword("as"), names]
        return " ".join(parts)

    def _items(self, items: tuple[tree.Item, ...]) -> str:
        return self._comma().join(map(self._item, items))

    def _item(self, item: tree.Item) -> str:
        # An unnamed column has its expression's text as its name, so that is written plainly.
        writer = self if item.alias else Writer()
        written = writer.expression(item.value)
        if isinstance(item.value, tree.Name) and not item.alias:
            written = self._name(item.value.name)
        if item.alias:
            alias = self._blank() + self._keyword("as") + self._blank() + self._name(item.alias)
            return written + alias
        return written

    def _order(self, order: tree.Order) -> str:
        written = self.expression(order.value)
        if order.descending:
            return written + self._blank() + self._keyword("desc")
        return written + self._blank() + self._keyword("asc") if self._at_times(0.3) else written

    def expression(self, expression: tree.Expression, least: int = 0) -> str:
        """The text, in parentheses where it binds less than ``least``."""
        written, level = self._expression(expression)
        may = not isinstance(expression, tree.Period)
        if level < least or (may and self._at_times(0.04)):
            inner = self._blank() if self._at_times(0.3) else ""
            return f"({inner}{written}{inner})"
        return written

    def _expression(self, expression: tree.Expression) -> tuple[str, int]:
        match expression:
            case tree.Literal():
                return self._literal(expression), _ATOM
            case tree.Name(name):
                # A column may be called by its expression, until other stats follow.
                made = name.endswith(")") and self._stats == 1
                return name if made and self._at_times(0.5) else self._name(name), _ATOM
            case tree.Period(_, _, text):
                return text, _ATOM
            case tree.Call(function, arguments):
                return self._call(function, arguments), _ATOM
            case tree.Negative(value):
                return "-" + self.expression(value, _UNARY + 1), _UNARY
            case tree.Arithmetic(operator, left, right):
                return self._arithmetic(operator, left, right), _LEVELS[operator]
        return self._condition(expression)

    def _condition(self, expression: tree.Expression) -> tuple[str, int]:
        match expression:
            case tree.Comparison(operator, left, right):
                sides = self.expression(left, _COMPARED + 1), self.expression(right, _COMPARED + 1)
                gap = self._gap()
                return f"{sides[0]}{gap}{operator}{gap}{sides[1]}", _COMPARED
            case tree.Like():
                return self._like(expression), _COMPARED
            case tree.OneOf(value, choices, negated):
                words = self._words("not in" if negated else "in")
                listed = self._comma().join(map(self.expression, choices))
                return f"{self.expression(value, _COMPARED + 1)} {words} [{listed}]", _COMPARED
            case tree.And(left, right):
                return self._joined("and", left, right, _AND), _AND
            case tree.Or(left, right):
                return self._joined("or", left, right, _OR), _OR
            case tree.Not(value):
                return f"{self._keyword('not')} {self.expression(value, _NOT)}", _NOT
        raise AssertionError(expression)

    def _joined(self, word: str, left: tree.Expression, right: tree.Expression, level: int) -> str:
        sides = self.expression(left, level), self.expression(right, level + 1)
        return sides[0] + self._blank() + self._keyword(word) + self._blank() + sides[1]

    def _arithmetic(self, operator: str, left: tree.Expression, right: tree.Expression) -> str:
        level = _LEVELS[operator]
        to_the_right = operator == "^"
        first = self.expression(left, level + to_the_right)
        second = self.expression(right, level + (not to_the_right))
        return f"{first} {operator} {second}"

    def _like(self, like: tree.Like) -> str:
        value = self.expression(like.value, _COMPARED + 1)
        if like.found:
            word = "!~" if like.negated else "=~"
        else:
            word = self._words("not like" if like.negated else "like")
        return f"{value} {word} {self._pattern(like.pattern)}"

    def _call(self, function: str, arguments: tuple[tree.Expression, ...]) -> str:
        name = self._keyword(function)
        if not arguments:
            return f"{name}({'*' if not self._at_times(0.2) else ''})"
        listed = self._comma().join(map(self.expression, arguments))
        blank = " " if self._at_times(0.1) else ""
        return f"{name}{blank}({listed})"

    def _pattern(self, pattern: tree.Literal | tree.Pattern) -> str:
        if isinstance(pattern, tree.Literal):
            return self._literal(pattern)
        return "/" + pattern.regex.replace("/", "\\/") + "/"

    def _literal(self, literal: tree.Literal) -> str:
        if not isinstance(literal.value, str):
            return literal.text
        quote = "'" if self._at_times(0.4) else '"'
        escaped = literal.value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
        return quote + escaped.replace(quote, f"\\{quote}") + quote

    def _name(self, name: str) -> str:
        plain = _PLAIN.fullmatch(name) or _SLASHED.fullmatch(name)
        return f"`{name}`" if not plain or self._at_times(0.1) else name

    def _words(self, words: str) -> str:
        return self._blank().join(map(self._keyword, words.split()))

    def _keyword(self, word: str) -> str:
        if not self._at_times(0.15):
            return word
        assert self._chance is not None
        return self._chance.choice((word.upper(), word.capitalize(), word.swapcase()))

    def _comma(self) -> str:
        return self._gap() + "," + self._blank() if self._at_times(0.2) else ", "

    def _gap(self) -> str:
        """White space where none is needed."""
        return self._blank() if self._at_times(0.3) else " "

    def _blank(self) -> str:
        return self._chance.choice(_BLANKS) if self._chance and self._at_times(0.2) else " "

    def _at_times(self, share: float) -> bool:
        return self._chance is not None and self._chance.random() < share
