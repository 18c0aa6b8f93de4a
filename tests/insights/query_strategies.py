"""Queries by chance, the same for the same seed, that every engine must answer alike."""

from __future__ import annotations

from random import Random

from tests.insights import reference_ast as tree
from tests.insights.expression_strategies import FIELDS, Expressions
from tests.insights.unparse import Writer

_ODD_ALIASES = ("my column", "größe", "verb", "decision", "n", "a-b", "percent %", "q'uote")
_GLOBS = ("*/*", "* *", "took * ms of * ms", "id=* ms=*", "/api/v1/namespaces/*/*", "*:*:*",
          "(*/*)", "*.*.*.*", "a*", "*e", "\"user\":*,")  # fmt: skip
_GROUPED = ("^([a-z]+)[/:](.*)$", "([0-9]+)", "(\\w+)\\W+(\\w+)?", "namespaces/([^/]+)/([^?]*)",
            "(a)|(b)", "(\\d+)\\.(\\d+)", "^(.)(?:.*)(.)$")  # fmt: skip
_NAMED = ("(?<{0}>[a-z]+)-(?P<{1}>[0-9]+)", "(?P<{0}>\\d+)(?<{1}>.*)", "=(?<{0}>[^ ]*)(?<{1}>x)?")
_ANY = ("keyword", "text", "parsed", "any", "integer", "number", "time", "boolean")


class Maker:
    """Makes one query."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - repeatable, not secret
        self.plain = self.happens(0.6)
        self.names = {
            name: kind for name, kind in FIELDS.items() if kind != "any" or not self.plain
        }
        self.events = True
        self.columns: set[str] = set()
        self.made = 0
        self.commands: list[tree.Command] = []

    @property
    def expressions(self) -> Expressions:
        return Expressions(self.chance, self.names, self.plain)

    def query(self) -> tree.Tree:
        for _ in range(self.chance.choice((0, 1, 1, 2, 2, 3))):
            self.before()
        if self.happens(0.65):
            self.stats()
            for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
                self.after()
            if self.happens(0.15):
                self.stats()
                for _ in range(self.chance.choice((0, 1, 2))):
                    self.after()
        else:
            for _ in range(self.chance.choice((1, 1, 2, 3))):
                self.select()
        if not self.commands:
            self.commands.append(tree.Limit(5))
        return tuple(self.commands)

    def before(self) -> None:
        choice = self.chance.random()
        if choice < 0.5:
            self.filter()
        elif choice < 0.7:
            self.fields()
        elif choice < 0.88:
            self.filter() if self.plain else self.parse()
        elif choice < 0.92:
            self.dedup()
        elif choice < 0.96:
            self.sort()
        else:
            self.limit()

    def after(self) -> None:
        self.chance.choice(
            (self.filter, self.sort, self.sort, self.limit, self.limit, self.fields, self.display,
             self.dedup)
        )()  # fmt: skip

    def select(self) -> None:
        self.chance.choice(
            (self.filter, self.sort, self.sort, self.limit, self.fields, self.display, self.dedup)
        )()

    def filter(self) -> None:
        self.commands.append(tree.Filter(self.expressions.condition()))

    def limit(self) -> None:
        self.commands.append(tree.Limit(self.chance.choice((1, 3, 10, 10, 50))))

    def dedup(self) -> None:
        names = self.some_names(1, 2, _ANY)
        if names:
            self.commands.append(tree.Dedup(tuple(names)))

    def sort(self) -> None:
        names = self.some_names(1, 2, _ANY)
        orders = [tree.Order(name, self.happens(0.5)) for name in names]
        if self.happens(0.15) or not orders:
            value, _ = self.value()
            orders.append(tree.Order(value, self.happens(0.5)))
        self.commands.append(tree.Sort(tuple(orders)))

    def fields(self) -> None:
        self.commands.append(tree.Fields(self.items()))

    def display(self) -> None:
        self.columns = set()
        self.commands.append(tree.Display(self.items()))

    def items(self) -> tuple[tree.Item, ...]:
        items, added = [], {}
        for _ in range(self.chance.randint(1, 3)):
            name = self.expressions.name(*_ANY, "list", "shown")
            if name and name.name not in self.columns and self.happens(0.6):
                self.columns.add(name.name)
                items.append(tree.Item(name))
                continue
            value, kind = self.value()
            # An alias is there for later commands, not within its own.
            alias = self.alias("")
            added[alias] = kind
            items.append(tree.Item(value, alias))
        self.names |= added
        return tuple(items)

    def value(self) -> tuple[tree.Expression, str]:
        """An expression, and what is known of its values."""
        make = self.expressions
        choice = self.chance.random()
        if choice < 0.15 and (name := make.name("keyword", "any", "integer", "time")):
            return name, make.kind(name)
        if choice < 0.45:
            text = make.text()
            return text, make.kind(text) or "any"
        if choice < 0.75:
            return make.number(), "number"
        if choice < 0.9:
            return make.condition(1), "boolean"
        moment = make.moment()
        return (moment, "time") if moment else (make.number(), "number")

    def alias(self, kind: str) -> str:
        """A name that no column has, known from now on if it has a kind."""
        self.made += 1
        alias = f"c{self.made}"
        if self.happens(0.1):
            alias = self.chance.choice(_ODD_ALIASES)
        while alias in self.columns or (alias in self.names and alias not in FIELDS):
            self.made += 1
            alias = f"c{self.made}"
        self.columns.add(alias)
        if kind:
            self.names[alias] = kind
        return alias

    def parse(self) -> None:
        value: tree.Name | None = None
        if self.happens(0.9):
            value = self.expressions.name("keyword", "text", "any")
        choice = self.chance.random()
        if choice < 0.5:
            glob = self.chance.choice(_GLOBS)
            names = tuple(self.alias("") for _ in range(glob.count("*")))
            self.commands.append(tree.Parse(tree.Literal(glob), names, value))
        elif choice < 0.8:
            regex = self.chance.choice(_GROUPED)
            names = tuple(self.alias("") for _ in range(regex.replace("(?:", "").count("(")))
            self.commands.append(tree.Parse(tree.Pattern(regex), names, value))
        else:
            self.made += 2
            names = (f"g{self.made}", f"g{self.made + 1}")
            regex = self.chance.choice(_NAMED).format(*names)
            self.commands.append(tree.Parse(tree.Pattern(regex), names, value, named=True))
        self.names |= dict.fromkeys(names, "parsed")

    def stats(self) -> None:
        self.columns = set()
        keys, aggregates, kinds = [], [], {}
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 2, 3))):
            item, kind = self.key()
            if item.column not in kinds:
                keys.append(item)
                kinds[item.column] = kind
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            item, kind = self.aggregate()
            if item.column not in kinds:
                aggregates.append(item)
                kinds[item.column] = kind
        if not aggregates:
            aggregates.append(tree.Item(tree.Call("count"), self.alias("")))
            kinds[aggregates[0].alias] = "number"
        self.commands.append(tree.Stats(tuple(aggregates), tuple(keys)))
        self.names, self.events = kinds, False

    def key(self) -> tuple[tree.Item, str]:
        choice = self.chance.random()
        make = self.expressions
        if choice < 0.2 and self.events and "@timestamp" in self.names:
            period = make.period()
            binned = tree.Call("bin", (period,))
            if self.happens(0.5):
                return tree.Item(binned, name=f"bin({period.text})"), "time"
            return tree.Item(binned, self.alias("")), "time"
        if choice < (0.95 if self.plain else 0.8) and (name := make.name(*_ANY, "list")):
            kind = make.kind(name)
            alias = self.alias("") if self.happens(0.3) else ""
            return tree.Item(name, alias), "keyword" if kind == "list" else kind
        value, kind = self.value()
        return tree.Item(value, self.alias("")), kind

    def aggregate(self) -> tuple[tree.Item, str]:
        if self.happens(0.12):
            left, right = self.called(lists=False)[0], self.called(lists=False)[0]
            value: tree.Expression = tree.Arithmetic(self.chance.choice("+-*/%"), left, right)
            return tree.Item(value, self.alias("")), "number"
        call, kind = self.called()
        first = call.arguments[0] if call.arguments else tree.Name("")
        written = Writer().expression(call)
        if isinstance(first, tree.Name) and "`" not in written and self.happens(0.3):
            return tree.Item(call, name=written), kind
        return tree.Item(call, self.alias("")), kind

    def called(self, *, lists: bool = True) -> tuple[tree.Call, str]:
        make = self.expressions
        function = self.chance.choice(
            ("count", "count", "count", "count of", "count_distinct", "count_distinct", "sum",
             "avg", "min", "max", "stddev", "pct", "median", "earliest", "latest", "sortsFirst",
             "sortsLast", *(["values"] * lists))
        )  # fmt: skip
        if function == "count":
            return tree.Call("count"), "number"
        if function in ("earliest", "latest") and (
            not self.events or "@timestamp" not in self.names
        ):
            function = "max"
        if function in ("count of", "count_distinct", "values"):
            value = make.name(*_ANY, "list") if self.easy() else self.value()[0]
            kind = "shown" if function == "values" else "number"
            return tree.Call(function.split()[0], (value or make.number(1),)), kind
        if function in ("sum", "avg", "stddev", "pct", "median"):
            value = make.name("integer", "number", "any", "parsed", "keyword")
            value = value if value and self.easy() else make.number(1)
            percent = self.chance.choice(("0", "50", "90", "99", "99.9", "100", "33.3"))
            more = (literal_of(percent),) if function == "pct" else ()
            return tree.Call(function, (value, *more)), "number"
        value = make.name(*_ANY) if self.easy() else self.value()[0]
        value = value or make.number(1)
        kind = make.kind(value)
        picked = kind in ("time", "number", "integer", "keyword")
        return tree.Call(function, (value,)), kind if picked else "any"

    def some_names(self, least: int, most: int, kinds: tuple[str, ...]) -> list[tree.Name]:
        found = [name for name, kind in self.names.items() if kind in kinds]
        count = min(len(found), self.chance.randint(least, most))
        return [tree.Name(name) for name in self.chance.sample(found, count)]

    def easy(self) -> bool:
        """Whether to take a field as it is."""
        return self.happens(0.95 if self.plain else 0.75)

    def happens(self, share: float) -> bool:
        return self.chance.random() < share


def literal_of(text: str) -> tree.Literal:
    return tree.Literal(int(text) if text.isdecimal() else float(text), text)


def query(seed: int) -> tuple[tree.Tree, str]:
    """A query: what it means, and what it says."""
    maker = Maker(seed)
    commands = maker.query()
    return commands, Writer(maker.chance).text(commands)
