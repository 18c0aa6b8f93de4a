"""The judge judged: what the reference says, computed by hand; and the texts of trees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.building import at, event
from tests.insights import reference_ast as tree
from tests.insights.event_strategies import HOSTILE, Pool
from tests.insights.query_strategies import query
from tests.insights.reference import Reference
from tests.insights.reference_ast import Call, Comparison, Item, Like, Literal, Name, Pattern
from tests.insights.reference_functions import FUNCTIONS, arithmetic, in_network
from tests.insights.reference_time import ceiling, floor
from tests.insights.reference_values import Time, compared, read_time
from tests.insights.unparse import Writer

BODY = {"spec": {"replicas": 3, "weights": [0.1, 0.2, 0.3], "odd": {"b": 1, "a": None}}}
EVENTS = [
    event("list", user="bob", seconds=0, code=403, source=["10.0.0.7", "::1"], requestObject=BODY),
    event("list", user="eve", seconds=2, code=403, source=["10.0.0.7", "10.0.0.7"]),
    event("get", user="", seconds=1, code=200, source=[], agent="took 15 ms of 200 ms"),
    event("get", user="bob", seconds=1, code=500, stageTimestamp=None,
          requestReceivedTimestamp=None),
]  # fmt: skip
N = Item(Call("count"), "n")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(EVENTS)


def rows(reference: Reference, *commands: tree.Command) -> list[tuple[Any, ...]]:
    return reference.answer(commands).rows


def values(reference: Reference, *items: tree.Expression) -> list[tuple[Any, ...]]:
    named = [Item(one, f"c{place}") for place, one in enumerate(items)]
    return rows(reference, tree.Display(tuple(named)))


def test_rows_are_the_newest_first_and_those_without_a_time_last(reference: Reference) -> None:
    assert values(reference, Name("user.username")) == [("eve",), (None,), ("bob",), ("bob",)]
    first = datetime.fromisoformat(at(2.002))
    assert values(reference, Name("@timestamp"))[0] == (first.astimezone(UTC),)
    assert values(reference, Name("@timestamp"))[3] == (None,)


def test_a_row_counts_under_each_distinct_element_of_a_list(reference: Reference) -> None:
    counted = rows(reference, tree.Stats((N,), (Item(Name("sourceIPs")),)))
    assert counted == [("10.0.0.7", 3), ("::1", 1), (None, 1)]


def test_keys_ascend_and_missing_ones_come_last(reference: Reference) -> None:
    counted = rows(reference, tree.Stats((N,), (Item(Name("user.username")),)))
    assert counted == [("bob", 2), ("eve", 1), (None, 1)]


def test_sorting_keeps_missing_values_last_in_both_directions(reference: Reference) -> None:
    for descending, wanted in (
        (False, ["bob", "bob", "eve", None]),
        (True, ["eve", "bob", "bob", None]),
    ):
        order = tree.Order(Name("user.username"), descending)
        found = rows(reference, tree.Sort((order,)), tree.Fields((Item(Name("user.username")),)))
        assert [one for (one,) in found] == wanted


def test_unknown_is_not_true_and_neither_is_its_opposite(reference: Reference) -> None:
    is_bob = Comparison("=", Name("user.username"), Literal("bob"))
    assert len(rows(reference, tree.Filter(is_bob))) == 2
    assert len(rows(reference, tree.Filter(tree.Not(is_bob)))) == 1
    either = tree.Or(is_bob, Call("isempty", (Name("user.username"),)))
    assert len(rows(reference, tree.Filter(either))) == 3


def test_paths_lead_into_the_whole_event(reference: Reference) -> None:
    found = values(
        reference,
        Name("requestObject.spec.replicas"),
        Name("requestObject.spec.weights.1"),
        Name("requestObject.spec.odd"),
        Name("requestObject.spec.none"),
    )
    assert found[2] == (3, 0.2, '{"a":null,"b":1}', None)


def test_aggregates_by_hand(reference: Reference) -> None:
    code = Name("responseStatus.code")
    aggregates = [
        Call("sum", (code,)), Call("avg", (code,)), Call("min", (code,)),
        Call("pct", (code, Literal(50, "50"))), Call("pct", (code, Literal(10, "10"))),
        Call("stddev", (code,)), Call("count_distinct", (code,)),
        Call("earliest", (code,)), Call("latest", (code,)), Call("values", (code,)),
        Call("sum", (Name("requestObject.spec.none"),)), Call("count", (Name("sourceIPs"),)),
    ]  # fmt: skip
    items = tuple(Item(one, f"c{place}") for place, one in enumerate(aggregates))
    (found,) = rows(reference, tree.Stats(items))
    # Of 200, 403, 403 and 500; 10 % of the way is 0.3 between the first two.
    assert found[:5] == (1506, 376.5, 200, 403, 260.9)
    # The mean of (176.5², 26.5², 26.5², 123.5²) is 11952.25.
    assert found[5] == pytest.approx(109.3263, abs=1e-4)
    assert found[6:] == (3, 403, 403, [200, 403, 500], None, 3)


def test_a_glob_takes_as_little_as_it_can_and_the_rest_in_the_end(reference: Reference) -> None:
    agent = Name("userAgent")
    command = tree.Parse(Literal("took * ms of *"), ("a", "b"), agent)
    shown = tree.Display((Item(Name("a")), Item(Name("b"))))
    assert rows(reference, command, shown)[1] == ("15", "200 ms")
    command = tree.Parse(Pattern("(?<a>[0-9]+) m(?<b>x)?"), ("a", "b"), agent, named=True)
    assert rows(reference, command, shown)[1] == ("15", None)


def test_dedup_keeps_all_rows_that_lack_a_value(reference: Reference) -> None:
    command = tree.Dedup((Name("user.username"),))
    found = rows(reference, command, tree.Fields((Item(Name("user.username")),)))
    assert found == [("eve",), (None,), ("bob",)]


@pytest.mark.parametrize(
    ("operator", "left", "right", "wanted"),
    [
        ("=", 1, "1.0", True), ("=", 1, "one", False), ("!=", 1, "one", True),
        ("<", 1, "one", False),
        ("=", True, 1, True), ("=", True, "TRUE", True), ("=", "false", False, True),
        ("=", True, "yes", False), ("<", "9", "10", False), ("<", 9, "10", True),
        ("=", None, "x", None), ("!=", None, "x", None), ("=", ("a", "b"), "b", True),
        ("!=", ("a", "b"), "b", False), ("!=", ("a",), "b", True), (">", Time(1_500), 1, True),
        ("=", Time(0), "1970-01-01", True),
    ],
)  # fmt: skip
def test_comparisons_by_hand(operator: str, left: Any, right: Any, wanted: bool | None) -> None:
    assert compared(operator, left, right) is wanted


@pytest.mark.parametrize(
    ("operator", "left", "right", "wanted"),
    [
        ("/", 6, 3, 2), ("/", 7, 2, 3.5), ("/", 1, 0, None), ("%", -7, 2, -1), ("%", 7.5, -2, 1.5),
        ("%", 1, 0, None), ("^", 2, 10, 1024), ("^", 2, -1, 0.5), ("^", -8, 0.5, None),
        ("^", 10, 400, None), ("+", "1", "2.5", 3.5), ("+", "x", 1, None), ("+", True, 1, None),
        ("+", 0.5, 0.5, 1), ("-", Time(2_500), 1, 1.5),
    ],
)  # fmt: skip
def test_arithmetic_by_hand(operator: str, left: Any, right: Any, wanted: Any) -> None:
    found = arithmetic(operator, left, right)
    assert (type(found), found) == (type(wanted), wanted)


@pytest.mark.parametrize(
    ("number", "unit", "begins", "next_begins"),
    [
        (5, "m", "2026-11-23T12:30:00", "2026-11-23T12:35:00"),
        (1, "w", "2026-11-23T00:00:00", "2026-11-30T00:00:00"),
        (1, "mo", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        (1, "q", "2026-10-01T00:00:00", "2027-01-01T00:00:00"),
        (5, "y", "2025-01-01T00:00:00", "2030-01-01T00:00:00"),
    ],
)
def test_intervals_by_hand(number: int, unit: str, begins: str, next_begins: str) -> None:
    moment = read_time("2026-11-23T12:34:56.000001Z")
    assert moment is not None
    period = tree.Period(number, unit, "")
    assert floor(moment, period) == read_time(begins)
    assert ceiling(moment, period) == read_time(next_begins)


def test_intervals_before_1970_are_rounded_down_too() -> None:
    assert floor(Time(-1), tree.Period(1, "d", "")) == read_time("1969-12-31")
    assert floor(Time(-1), tree.Period(2, "mo", "")) == read_time("1969-11-01")
    assert floor(Time(0), tree.Period(1, "w", "")) == read_time("1969-12-29")


def test_addresses_by_hand() -> None:
    assert in_network("::ffff:10.0.0.7", "10.0.0.0/8")
    assert not in_network("10.0.0.7", "::/0")
    assert not in_network("odd", "0.0.0.0/0")
    assert FUNCTIONS["isValidIpv6"]("::ffff:10.0.0.7") == 1
    assert FUNCTIONS["isIpInSubnet"]("::ffff:10.0.0.7", "10.0.0.0/8") == 1
    assert FUNCTIONS["isIpv6InSubnet"]("::ffff:10.0.0.7", "10.0.0.0/8") == 0


def test_texts_of_trees() -> None:
    condition = tree.And(
        Like(Name("user.username"), Pattern("a/b"), negated=True),
        tree.Not(
            tree.Or(
                Comparison("=", Name("a-b"), Literal('say "x"')), Call("ispresent", (Name("verb"),))
            )
        ),
    )  # fmt: skip
    written = Writer().text(
        (tree.Filter(condition), tree.Stats((N,), (Item(Name("a b")),)), tree.Limit(3))
    )
    assert written == (
        'filter user.username not like /a\\/b/ and not (`a-b` = "say \\"x\\"" or ispresent(verb))'
        " | stats count(*) as n by `a b` | limit 3"
    )
    power = tree.Arithmetic(
        "^", tree.Arithmetic("^", Name("a"), Name("b")), tree.Negative(Name("c"))
    )
    assert Writer().expression(tree.Arithmetic("-", Name("x"), power)) == "x - (a ^ b) ^ -c"


def test_the_same_seed_makes_the_same_query_and_another_one_another() -> None:
    assert query(7) == query(7)
    assert len({query(seed)[1] for seed in range(200)}) > 195


def test_the_pool_has_each_hostile_user() -> None:
    names = {one.get("user", {}).get("username") for one in Pool(0).events(60)}
    assert names >= set(HOSTILE)
