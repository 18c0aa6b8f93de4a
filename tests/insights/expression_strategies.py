"""Expressions by chance, of a wanted kind, over the names that there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tests.insights import event_strategies as pool
from tests.insights import reference_ast as tree
from tests.insights.reference_time import UNITS

DECISION = "annotations.authorization.k8s.io/decision"
FIELDS: dict[str, str] = {
    **dict.fromkeys(
        ("verb", "stage", "user.username", "userAgent", "sourceIPs.0", "user.groups.0",
         "user.groups.1", "responseStatus.reason", "objectRef.resource", "objectRef.namespace",
         "objectRef.name", DECISION, "requestURI", "event.action", "user.name"),
        "keyword",
    ),
    "responseStatus.code": "integer",
    "@timestamp": "time",
    "requestReceivedTimestamp": "time",
    "timestamp": "time",
    "@message": "message",
    "sourceIPs": "list",
    "user.groups": "list",
    **dict.fromkeys(
        ("requestObject.spec.replicas", "requestObject.spec.weight", "requestObject.spec.mixed",
         "requestObject.spec.hostNetwork", "requestObject.spec.containers.0.image",
         "requestObject.metadata.labels.app",
         "requestObject.metadata.labels.app.kubernetes.io/name",
         "annotations.example.com/cost", "annotations.custom/odd", "user.extra.scopes.0",
         "requestObject.spec.containers", "user.groups.2", "sourceIPs.2"),
        "any",
    ),
}  # fmt: skip
"""Names by what is known of their values. ``text`` and ``number`` are for columns that a query
makes, ``any`` for paths, ``parsed`` for columns of ``parse``."""
_TEXTS = (*pool.USERS, *pool.NAMES, *pool.VERBS, *pool.NAMESPACES, *pool.GROUPS, *pool.REASONS,
          *pool.ADDRESSES, "allow", "forbid", "system:", "a", "e", "kubectl")  # fmt: skip
_NUMBERS = ("0", "1", "2", "3", "10", "77", "200", "403", "404", "2.5", "0.5", "1e3", "15")
_REGEXES = ("^a", "system", "b$", "[0-9]+", "^.$", "(?i)ALICE", "a|b", "\\s", "\\.", "/", "^$",
            "e\\b", "(web|cart)-?\\d*", "é", "\\W", "^(get|list)$", ".", "\\x00",
            "[^ -~]", "[ -~]", "^[+--]", "\\x{61}", "\\pL$", "\\Q.\\E", "[[:digit:]]\\z", "(?U)a+b",
            "^[\\d.]+$", "[^]a]", "(?i)stra\u00dfe", "(?s)a.b", "(?m)^b$", "a{2,3}|-",
            "@|&|<|>|~|#",
            "\\$\\{")  # fmt: skip
_MOMENTS = ("2026-11-23T12:00:00Z", "2026-11-23T12:01:00.000001Z", "2026-11-24",
            "1970-01-01T00:00:00Z", "2026-11-23T13:00:00+01:00",
            "2030-01-01T00:00:00")  # fmt: skip
_NETWORKS = (
    "10.0.0.0/8",
    "10.0.0.0/24",
    "::/0",
    "2001:db8::/32",
    "192.0.2.1",
    "0.0.0.0/0",
    "fe80::/10",
)
_COMPARED = ("=", "=", "!=", "<", "<=", ">", ">=", "==")
_TEXTUAL = ("keyword", "text", "parsed", "any")
_PERIODS = ((1, 1), (1, 5), (1, 7), (2, 30))


def literal(text: str) -> tree.Literal:
    """A number as it is written."""
    return tree.Literal(int(text) if text.isdecimal() else float(text), text)


class Expressions:
    """Makes expressions over names.

    :param names: what there is at this place of a query, by name.
    :param plain: seldom anything but fields and what they are compared with, which an engine can
        answer by itself.
    """

    def __init__(self, chance: Random, names: dict[str, str], plain: bool = False) -> None:
        self.chance = chance
        self.names = names
        self.plain = plain

    def name(self, *kinds: str) -> tree.Name | None:
        found = [name for name, kind in self.names.items() if kind in kinds]
        return tree.Name(self.chance.choice(found)) if found else None

    def kind(self, name: tree.Expression) -> str:
        return self.names[name.name] if isinstance(name, tree.Name) else ""

    def period(self) -> tree.Period:
        unit = self.chance.choice(list(UNITS))
        number = self.chance.choice((1, 1, 1, 2, 5, 7, 30))
        written = self.chance.choice(UNITS[unit])
        gap = " " if len(written) > 2 and self.happens(0.5) else ""
        return tree.Period(number, unit, f"{number}{gap}{written}")

    # Values

    def text(self, depth: int = 2) -> tree.Expression:
        if depth == 0 or self.happens(0.9 if self.plain else 0.45):
            named = self.name(*_TEXTUAL)
            return named if named and self.happens(0.9) else self.said()
        make: Callable[[], tree.Expression] = self.chance.choice(
            (self.cut, self.folded, self.joined, self.replaced, self.trimmed, self.chosen_text,
             self.json_text)
        )  # fmt: skip
        return make()

    def cut(self) -> tree.Expression:
        numbers = [literal(self.chance.choice("0123")) for _ in range(self.chance.randint(1, 2))]
        return tree.Call("substr", (self.text(1), *numbers))

    def folded(self) -> tree.Expression:
        return tree.Call(self.chance.choice(("tolower", "toupper")), (self.text(1),))

    def joined(self) -> tree.Expression:
        parts = [self.chance.choice((self.text, self.count_of))(0) for _ in range(2)]
        return tree.Call("concat", (*parts, self.said()))

    def replaced(self) -> tree.Expression:
        find = tree.Literal(self.chance.choice(("a", "e", "system:", ".", "\\", "'", "%")))
        return tree.Call("replace", (self.text(1), find, self.said()))

    def trimmed(self) -> tree.Expression:
        chars = [tree.Literal(self.chance.choice((" ", "a", "se", "k\\*")))] * self.happens(0.5)
        return tree.Call(self.chance.choice(("trim", "ltrim", "rtrim")), (self.text(1), *chars))

    def chosen_text(self) -> tree.Expression:
        return tree.Call("coalesce", (self.text(0), self.text(0)))

    def json_text(self) -> tree.Expression:
        return tree.Call(self.chance.choice(("jsonStringify", "jsonParse")), (self.text(0),))

    def said(self) -> tree.Literal:
        return tree.Literal(self.chance.choice(_TEXTS))

    def count_of(self, depth: int = 0) -> tree.Expression:
        """A whole number, whose text is the same however it is written."""
        named = self.name("integer")
        if named and self.happens(0.5):
            return named
        return tree.Call("strlen", (self.text(depth),))

    def number(self, depth: int = 2) -> tree.Expression:
        if depth == 0 or self.happens(0.9 if self.plain else 0.4):
            named = self.name("integer", "number", "number", "any", "parsed", "keyword")
            return named if named and self.happens(0.7) else self.figure()
        choice = self.chance.random()
        if choice < 0.45:
            operator = self.chance.choice("+-*/%^+-*/")
            right = self.figure() if operator == "^" else self.number(depth - 1)
            return tree.Arithmetic(operator, self.number(depth - 1), right)
        if choice < 0.5:
            return tree.Negative(self.number(depth - 1))
        if choice < 0.65:
            function = self.chance.choice(("abs", "ceil", "floor", "sqrt", "log"))
            return tree.Call(function, (self.number(depth - 1),))
        if choice < 0.75:
            function = self.chance.choice(("greatest", "least", "coalesce"))
            return tree.Call(function, (self.number(depth - 1), self.number(0)))
        if choice < 0.85:
            return tree.Call("strcontains", (self.text(1), self.said()))
        if choice < 0.92 and (moment := self.moment()):
            if self.happens(0.5):
                return tree.Call("datediff", (moment, tree.Literal(self.chance.choice(_MOMENTS))))
            return tree.Call("toMillis", (moment,))
        return self.count_of(1)

    def figure(self) -> tree.Literal:
        return literal(self.chance.choice(_NUMBERS))

    def moment(self) -> tree.Expression | None:
        named = self.name("time")
        if named is None or self.happens(0.9 if self.plain else 0.6):
            return named
        choice = self.chance.random()
        if choice < 0.2:
            return tree.Call("fromMillis", (tree.Call("toMillis", (named,)),))
        if choice < 0.4:
            moment = self.chance.choice((literal("1795435261001"), tree.Literal(_MOMENTS[1])))
            return tree.Call("datefloor", (moment, self.period()))
        if choice < 0.5:
            millis = tree.Arithmetic(
                "-", named, tree.Call("datediff", (named, tree.Literal(_MOMENTS[0])))
            )
            return tree.Call("dateceil", (millis, self.period()))
        return tree.Call(self.chance.choice(("datefloor", "dateceil")), (named, self.period()))

    # Conditions

    def condition(self, depth: int = 2) -> tree.Expression:
        choice = self.chance.random()
        if depth and choice < 0.2:
            return tree.And(self.condition(depth - 1), self.condition(depth - 1))
        if depth and choice < 0.35:
            return tree.Or(self.condition(depth - 1), self.condition(depth - 1))
        if depth and choice < 0.45:
            return tree.Not(self.condition(depth - 1))
        return self.leaf()

    def leaf(self) -> tree.Expression:
        if self.plain and self.happens(0.8):
            return self.chance.choice(
                (self.text_compared, self.number_compared, self.like, self.listed, self.presence,
                 self.of_a_list, self.of_a_time)
            )()  # fmt: skip
        make: Callable[[], tree.Expression] = self.chance.choice(
            (self.text_compared, self.text_compared, self.number_compared, self.like, self.like,
             self.like, self.listed, self.listed, self.presence, self.presence, self.of_a_list,
             self.of_a_time, self.in_network, self.truth, self.of_any, self.of_two)
        )  # fmt: skip
        return make()

    def text_compared(self) -> tree.Expression:
        value = self.name("keyword", "text") or self.text(1)
        if self.happens(0.1 if self.plain else 0.3):
            value = self.text(1)
        if self.kind(value) == "keyword" and self.happens(0.15):
            return self.compared(value, self.figure())
        return self.compared(value, self.said())

    def number_compared(self) -> tree.Expression:
        named = self.name("integer")
        if named and self.happens(0.2):
            return self.compared(named, tree.Literal(self.chance.choice(("403", "200", "x", "4"))))
        named = named or self.name("number")
        easy = named and self.happens(0.9 if self.plain else 0.6)
        value = named if named and easy else self.computed_number()
        return self.compared(value, self.figure())

    def computed_number(self) -> tree.Expression:
        return tree.Arithmetic(self.chance.choice("+-*/%"), self.number(1), self.figure())

    def compared(self, left: tree.Expression, right: tree.Expression) -> tree.Expression:
        if self.happens(0.1):
            left, right = right, left
        return tree.Comparison(self.chance.choice(_COMPARED), left, right)

    def like(self) -> tree.Expression:
        choice = self.chance.random()
        value = self.text(1) if choice < 0.3 else self.count_of() if choice < 0.4 else None
        value = value or self.name(*_TEXTUAL) or self.text(1)
        if "@message" in self.names and self.happens(0.05):
            value = tree.Name("@message")
        found = self.happens(0.3)
        if self.happens(0.4) and not found:
            return tree.Like(value, self.said(), negated=self.happens(0.4))
        regex = self.chance.choice(_REGEXES)
        pattern = tree.Literal(regex) if found and self.happens(0.3) else tree.Pattern(regex)
        return tree.Like(value, pattern, found=found, negated=self.happens(0.4))

    def listed(self) -> tree.Expression:
        if (named := self.name("integer")) and self.happens(0.3):
            choices = tuple(
                literal(one) for one in self.some(("200", "403", "404", "500", "1"), 1, 3)
            )
            return tree.OneOf(named, choices, self.happens(0.4))
        value = self.name("keyword", "text", "list") or self.text(1)
        choices = tuple(tree.Literal(one) for one in self.some(_TEXTS, 1, 5))
        return tree.OneOf(value, choices, self.happens(0.4))

    def presence(self) -> tree.Expression:
        if self.happens(0.2):
            return tree.Call(self.chance.choice(("isempty", "isblank")), (self.text(1),))
        named = tree.Name(self.chance.choice(list(self.names)))
        return tree.Call("ispresent", (named,))

    def of_a_list(self) -> tree.Expression:
        named = self.name("list")
        if named is None:
            return self.like()
        values = pool.GROUPS if named.name == "user.groups" else pool.ADDRESSES
        if self.happens(0.5):
            return self.compared(named, tree.Literal(self.chance.choice(values)))
        pattern = self.chance.choice((tree.Pattern("^1"), tree.Literal("s"), tree.Pattern("::")))
        return tree.Like(named, pattern, negated=self.happens(0.5))

    def of_a_time(self) -> tree.Expression:
        moment = self.moment()
        if moment is None:
            return self.number_compared()
        if self.happens(0.2):
            return self.compared(moment, literal("1795435200000"))
        if self.happens(0.1):
            return tree.Like(moment, tree.Pattern(self.chance.choice(("T12", "000Z$", "^2026"))))
        return self.compared(moment, tree.Literal(self.chance.choice(_MOMENTS)))

    def in_network(self) -> tree.Expression:
        named = self.name("keyword", "any") or self.text(0)
        if "sourceIPs.0" in self.names and self.happens(0.8):
            named = tree.Name("sourceIPs.0")
        if self.happens(0.4):
            function = self.chance.choice(("isValidIp", "isValidIpv4", "isValidIpv6"))
            return tree.Call(function, (named,))
        function = self.chance.choice(("isIpInSubnet", "isIpv4InSubnet", "isIpv6InSubnet"))
        return tree.Call(function, (named, tree.Literal(self.chance.choice(_NETWORKS))))

    def truth(self) -> tree.Expression:
        """A boolean or a number by itself; a text there is unknown."""
        if (named := self.name("boolean", "any", "parsed")) and self.happens(0.7):
            return named
        return tree.Call("strcontains", (self.text(1), self.said()))

    def of_any(self) -> tree.Expression:
        """A path, whose values are of any kind."""
        named = self.name("any", "parsed")
        if named is None:
            return self.like()
        values: tuple[tree.Literal, ...] = (
            literal("1"), literal("3"), literal("2.5"), tree.Literal("1"), tree.Literal("one"),
            tree.Literal(True, "true"), tree.Literal(False, "false"), tree.Literal("TRUE"),
            literal("9007199254740993"), tree.Literal("2.5"),
        )  # fmt: skip
        return self.compared(named, self.chance.choice(values))

    def of_two(self) -> tree.Expression:
        """Two names with each other."""
        left = self.name("keyword", "text", "any", "integer", "parsed", "number")
        right = self.name("keyword", "text", "any", "integer", "parsed", "number")
        return self.compared(left or self.number(1), right or self.number(1))

    def some(self, values: Sequence[str], least: int, most: int) -> list[str]:
        distinct = list(dict.fromkeys(values))
        return self.chance.sample(distinct, min(len(distinct), self.chance.randint(least, most)))

    def happens(self, share: float) -> bool:
        return self.chance.random() < share
