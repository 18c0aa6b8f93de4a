"""Events and queries made by chance, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from k8sidx.query.algebra import (
    And,
    Compare,
    Comparison,
    Condition,
    DateHistogram,
    Having,
    InNetwork,
    Key,
    Metric,
    MetricKind,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Regex,
    Scalar,
    Terms,
    Wildcard,
)
from tests.building import START, event

_LETTERS = ("a", "A", "b", "k", "K", "s", "\u212a", "\u017f", "é", "e\u0301", "\U00010348",
            "\uffee", "*", "?", "\\", ".", "%", "_", "\n", " ", "1", "")  # fmt: skip
_TEXTS = ("user.username", "verb", "userAgent", "objectRef.name", "user.groups.0", "message")
_LISTS = ("user.groups", "sourceIPs")
_NUMBERS = ("responseStatus.code", "event.duration")
_KEYS = (*_TEXTS[:5], *_LISTS, *_NUMBERS, "source.forwarded", "@timestamp", "source.ip")
_ADDRESSES = ("10.0.0.7", "10.0.1.1", "::ffff:10.0.0.7", "2001:db8::1", "192.0.2.1", "odd")
_NETWORKS = ("10.0.0.0/8", "10.0.0.0/24", "::/0", "2001:db8::/32", "192.0.2.1", "0.0.0.0/0")
_CODES = (101, 200, 201, 403, 404, 500)
_PATTERNS = ("^a", "k$", "[^a]", "a|b", "^(a|k)+$", "\\s", "\\w{2}", "é", "^.$", "(?i)^K", "\\d*")
_COMPARISONS: tuple[Comparison, ...] = ("=", "<", "<=", ">", ">=")
_INTERVALS = (timedelta(seconds=1), timedelta(minutes=7), timedelta(hours=1), timedelta(days=1))


def word(chance: Random) -> str:
    """A short text of characters that engines may treat differently."""
    return "".join(chance.choices(_LETTERS, k=chance.randint(1, 3)))


class Chance:
    """Makes events, and queries that often match some of them."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - repeatable, not secret
        self.words = [word(self.chance) for _ in range(12)]

    def events(self, count: int) -> list[dict[str, Any]]:
        return [self.event(number) for number in range(count)]

    def event(self, number: int) -> dict[str, Any]:
        pick, words = self.chance.choice, self.words
        made = event(
            pick(("get", "list", "create")),
            pick(("pods", "secrets")),
            seconds=pick((0, 0, 1, 60, 3600)) + pick((0, 0, 1e-6, 0.5)),
            name=pick(words),
            code=pick(_CODES),
            source=self.chance.choices(_ADDRESSES, k=self.chance.randint(0, 3)),
            agent=pick(words),
            auditID=f"{number:04d}",
        )
        groups = self.chance.choices(words, k=self.chance.randint(0, 3))
        made["user"] = {"username": pick((*words, "")), "groups": groups}
        for missing in ("user", "userAgent", "responseStatus", "objectRef", "sourceIPs"):
            if self.chance.random() < 0.08:
                made.pop(missing, None)
        if self.chance.random() < 0.05:
            made |= {"stageTimestamp": None, "requestReceivedTimestamp": None}
        return {key: value for key, value in made.items() if value is not None}

    def query(self) -> Query:
        chance = self.chance
        since = chance.choice((None, None, None, START, START + timedelta(microseconds=2001)))
        until = chance.choice((None, None, None, START + timedelta(minutes=1)))
        where = self.condition(3)
        if chance.random() < 0.35:
            return self.selection(where, since, until)
        return self.aggregation(where, since, until)

    def selection(self, where: Condition, since: datetime | None, until: datetime | None) -> Query:
        select = tuple(self.some((*_KEYS, "event.id"), 1, 4))
        order = [Order(one, self.coin()) for one in self.some(_KEYS, 0, 2) if one not in _LISTS]
        limit = self.chance.choice((None, None, 1, 7, 50))
        return Query(
            where=where, since=since, until=until, select=select, order=tuple(order), limit=limit
        )

    def aggregation(
        self, where: Condition, since: datetime | None, until: datetime | None
    ) -> Query:
        keys: list[Key] = [Terms(one, keep_missing=self.coin()) for one in self.some(_KEYS, 0, 3)]
        if self.chance.random() < 0.3:
            width = self.chance.choice(_INTERVALS)
            offset = self.chance.choice((width * 0, width // 4))
            keys.append(DateHistogram(width, offset=offset, keep_missing=self.coin()))
        metrics = [self.metric(f"m{n}") for n in range(self.chance.randint(1, 3))]
        columns = [key.column for key in keys] + [one.name for one in metrics]
        order = [Order(one, self.coin()) for one in self.some(columns, 0, 2)]
        numeric = [
            one for one in metrics if one.kind in ("count", "present", "count_distinct", "avg")
        ]
        having = [
            Having(one.name, self.chance.choice(_COMPARISONS), self.chance.choice((1, 2, 5)))
            for one in numeric
            if self.chance.random() < 0.3
        ]
        return Query(
            where=where,
            since=since,
            until=until,
            group_by=tuple(keys),
            metrics=tuple(metrics),
            having=tuple(having),
            order=tuple(order),
            limit=self.chance.choice((None, None, 1, 3, 20)),
        )

    def metric(self, name: str) -> Metric:
        kind: MetricKind = self.chance.choice(
            ("count", "count", "count_distinct", "min", "max", "sum", "avg", "percentile",
             "first_values", "last_values", "present")
        )  # fmt: skip
        if kind == "count":
            return Metric(name, kind)
        if kind in ("count_distinct", "present"):
            return Metric(name, kind, self.chance.choice(_KEYS))
        if kind in ("sum", "avg", "percentile"):
            rank = float(self.chance.choice((0, 10, 50, 99, 100)))
            return Metric(name, kind, self.chance.choice(_NUMBERS), rank)
        field = self.chance.choice([one for one in _KEYS if one not in _LISTS])
        return Metric(name, kind, field, float(self.chance.randint(1, 4)))

    def condition(self, depth: int) -> Condition:
        choice = self.chance.random()
        if depth and choice < 0.2:
            return And(tuple(self.condition(depth - 1) for _ in range(self.chance.randint(0, 3))))
        if depth and choice < 0.4:
            return Or(tuple(self.condition(depth - 1) for _ in range(self.chance.randint(0, 3))))
        if depth and choice < 0.55:
            return Not(self.condition(depth - 1))
        return self.leaf()

    def leaf(self) -> Condition:
        chance = self.chance
        match chance.choice(("compare", "number", "one of", "wildcard", "regex", "net", "present")):
            case "compare":
                op = chance.choice(_COMPARISONS)
                field = chance.choice((*_TEXTS, *_LISTS))
                return Compare(field, op, chance.choice(self.words), op == "=" and self.coin())
            case "number":
                value: Scalar = chance.choice((*_CODES, "403", 200.5, 2_000_000))
                return Compare(chance.choice(_NUMBERS), chance.choice(_COMPARISONS), value)
            case "one of":
                values = tuple(self.some(self.words, 0, 4))
                return OneOf(chance.choice((*_TEXTS, *_LISTS)), values, self.coin())
            case "wildcard":
                pattern = "".join(self.some((*self.words, "*", "?", "*", "\\*"), 1, 4))
                return Wildcard(chance.choice((*_TEXTS, *_LISTS)), pattern, self.coin())
            case "regex":
                return Regex(chance.choice((*_TEXTS, *_LISTS)), chance.choice(_PATTERNS))
            case "net":
                return InNetwork(
                    chance.choice(("sourceIPs", "source.ip", "sourceIPs.0")),
                    tuple(self.some(_NETWORKS, 1, 2)),
                )
        return Present(chance.choice(_KEYS))

    def some(self, values: Sequence[str], least: int, most: int) -> list[str]:
        """Some different ones of the values."""
        distinct = list(dict.fromkeys(values))
        return self.chance.sample(distinct, min(len(distinct), self.chance.randint(least, most)))

    def coin(self) -> bool:
        return self.chance.random() < 0.5
