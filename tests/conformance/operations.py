"""Every operation of the query algebra, as queries over the events of ``events.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    DateHistogram,
    Having,
    InNetwork,
    Metric,
    Not,
    OneOf,
    Or,
    Order,
    Present,
    Query,
    Regex,
    Terms,
    Wildcard,
)
from tests.building import START
from tests.conformance.events import ASTRAL, COMBINING, KELVIN, LAST_OF_BMP, LONG_S, PRECOMPOSED

COUNT = Metric("n", "count")


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the report.

    :param refused: words with which clusters refuse it, when they do.
    :param everywhere: DuckDB refuses it as well.
    """

    name: str
    query: Query
    refused: str = ""
    everywhere: bool = False


def where(condition: Condition) -> Query:
    return Query(where=condition, select=("event.id", "objectRef.name"))


_CONDITIONS: dict[str, list[Condition]] = {
    "Always": [Always()],
    "Compare =, text": [
        *(Compare("user.username", "=", one) for one in (
            "alice", "ALICE", "kelvin", KELVIN, LONG_S, PRECOMPOSED, COMBINING, ASTRAL, "a*b?c",
            "line\nbreak", "100%_sure\\*", "", " ", "u" * 1024, "u" * 8500, "\u0000nul")),
        Compare("user.groups", "=", "a"), Compare("user.groups", "=", ""),
        Compare("user.groups.0", "=", "a"), Compare("user.groups.1", "=", "a"),
        Compare("responseStatus.status", "=", True),
    ],
    "Compare =, text without regard to case": [
        *(Compare("user.username", "=", one, ignore_case=True) for one in (
            "ALICE", "KELVIN", "USER", "jos\u00c9", "JOS\u00e9", "i\u0307STANBUL", "100%_SURE\\*")),
        Compare("user.groups", "=", "SYSTEM:MASTERS", ignore_case=True),
    ],
    "Compare < <= > >=, text": [
        *(Compare("user.username", op, one) for op in ("<", "<=", ">", ">=")
          for one in ("alice", ASTRAL, LAST_OF_BMP, "", "z")),
        Compare("user.groups", ">", "b"), Compare("user.username", "<", "1", ignore_case=True),
    ],
    "Compare, numbers": [
        *(Compare("responseStatus.code", op, one)
          for op in ("=", "<", "<=", ">", ">=")
          for one in (403, "403", 403.0, 403.5, -1, 10**30, float("inf"), "no number", True)),
        Compare("event.duration", ">", 1_999_999), Compare("event.duration", "=", 2_000_000),
        Compare("event.duration", ">", 2**62),
    ],
    "Compare, booleans": [
        *(Compare("source.forwarded", op, one)
          for op in ("=", "<", "<=", ">", ">=") for one in (True, "false", "perhaps")),
    ],
    "Compare, times to the microsecond": [
        *(Compare("@timestamp", op, one)
          for op in ("=", "<", "<=", ">", ">=")
          for one in ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000001Z",
                      "1969-12-31T23:59:59.999999Z", "2300-01-01T00:00:00.000003Z",
                      "9999-12-31T23:59:59.999999Z", "2026-11-24T01:30:00+05:45")),
        Compare("requestReceivedTimestamp", "<", "1970-01-01"),
    ],
    "Compare, addresses as text": [
        *(Compare("sourceIPs", "=", one)
          for one in ("10.0.0.7", "::ffff:1.2.3.4", "1.2.3.4", "2001:db8::1", "unknown")),
        Compare("sourceIPs.0", "=", "203.0.113.9"), Compare("source.ip", ">", "2"),
    ],
    "OneOf": [
        OneOf("user.username", ("alice", "bob", KELVIN)), OneOf("user.username", ()),
        OneOf("responseStatus.code", (403, "404", 1.5, "x")),
        OneOf("source.forwarded", (True, "no")),
        OneOf("@timestamp", ("2026-11-23T12:00:00Z", "1960-02-29T12:00:00.123456Z")),
        OneOf("user.groups", ("a", "b")), OneOf("sourceIPs", ("10.0.0.7", "unknown")),
    ],
    "OneOf without regard to case": [
        OneOf("user.username", ("ALICE", "KELVIN", "1", "jos\u00c9"), ignore_case=True),
    ],
    "OneOf, thousands of values": [
        OneOf("user.username", (*(f"u{n}" for n in range(5000)), "alice", "CAROL")),
        OneOf("user.username", (*(f"u{n}" for n in range(5000)), "ALICE", "CAROL"), True),
        OneOf("responseStatus.code", tuple(range(300, 5300))),
        OneOf("user.groups", (*(f"g{n}" for n in range(700)), "A"), ignore_case=True),
    ],
    "Wildcard": [
        *(Wildcard("user.username", one) for one in (
            "a*", "?lice", "*", "*i*e", "a\\*b\\?c", "*\\\\*", "*%*", "*_*", "line?break", "??????",
            "", "*\n*", "*\\", "\\a*", "jos?", "jose?", "*\U0001f4bb*", "[set]*", "?", "*\u0000*")),
        Wildcard("user.groups", "system:*"), Wildcard("user.groups", ""),
        Wildcard("requestURI", "*\u00e9\u00e9"), Wildcard("message", "*secrets*"),
        Wildcard("userAgent", "*x2"),
    ],
    "Wildcard without regard to case": [
        *(Wildcard("user.username", one, ignore_case=True)
          for one in ("A*", "*ELVIN", "U?ER", "JOS?", "*\u0130*", "LINE*", "*DROP TABLE*")),
    ],
    "Wildcard, numbers and booleans as text": [
        Wildcard("responseStatus.code", "40?"), Wildcard("responseStatus.code", "*"),
        Wildcard("source.forwarded", "T*", ignore_case=True), Wildcard("source.forwarded", "F*"),
        Wildcard("event.duration", "2*"),
    ],
    "Wildcard, addresses as text": [
        Wildcard("sourceIPs", "10.*"), Wildcard("source.ip", "*:*"), Wildcard("sourceIPs.1", "1*"),
    ],
    "Regex": [
        *(Regex("user.username", one) for one in (
            "^[ab]", "e$", "^alice$", "li", "^(al|u)", "(?i)^AL", "a.b", "e.b", "(?s)e.b", "\\d",
            "\\W", "\\s", "\\S{5,}", "^.{5}$", "[^a-z]", "^$", "", "a|^1|k$", "^(?:x|t)",
            "\\\\", "\\*", "[\\[\\]]", "\"", "(?:ali)+ce", "^\\x61", "o{1,2}", "\u00e9", "[é-ü]",
            "j(?P<name>o)s", "^[^x]*$", "#@&<>~", ".*?e", "x*", "^(a|b)?lice", "\\.", "-->?",
            "\\D+$", "[ -~]", "[^ -~]", "[!-/]", "[^ -\\]]")),
        Regex("user.groups", "^$"), Regex("user.groups", "^.$"), Regex("requestURI", "pods"),
        Regex("responseStatus.code", "^4"), Regex("source.forwarded", "^t"),
        Regex("sourceIPs", "^10\\."),
    ],
    "Regex without regard to case": [
        *(Regex("user.username", one, ignore_case=True)
          for one in ("^AL", "KELVIN", "USER", "^[A-C]", "[^k]elvin", "ELV[H-J]N$")),
    ],
    "InNetwork": [
        *(InNetwork("sourceIPs", (one,)) for one in (
            "10.0.0.0/8", "1.2.3.0/24", "::ffff:1.2.3.0/120", "2001:db8::/32", "0.0.0.0/0", "::/0",
            "fe80::/10", "10.0.0.7", "10.0.0.7/24", "255.255.255.255/32")),
        InNetwork("sourceIPs", ("10.0.0.0/8", "2001:db8::/32")), InNetwork("source.ip", ()),
        InNetwork("source.claimed_ip", ("203.0.113.0/24",)),
        InNetwork("sourceIPs.0", ("203.0.113.0/24",)), InNetwork("sourceIPs.1", ("10.0.0.0/8",)),
        InNetwork("sourceIPs", (*(f"172.16.{n}.0/24" for n in range(250)), "10.0.0.0/8")),
    ],
    "Present": [
        *(Present(one) for one in (
            "user.username", "user.groups", "user.groups.1", "userAgent", "objectRef.name",
            "@timestamp", "responseStatus.code", "source.forwarded", "sourceIPs", "source.ip",
            "event.duration", "event.id", "exec.command", "pod.privileged", "message")),
    ],
    "And, Or, Not": [
        And(()), Or(()), Not(Always()), Not(And(())), Not(Or(())),
        Not(Compare("user.username", "=", "alice")), Not(Compare("user.groups", "=", "a")),
        Not(Not(Compare("user.username", "=", "alice"))),
        Not(Compare("responseStatus.code", "<", 400)), Not(Present("user.groups")),
        Not(And((Compare("user.username", "=", "alice"), Compare("verb", "=", "list")))),
        Not(Or((Compare("user.username", "=", "alice"), Present("exec.command")))),
        And((Not(Compare("verb", "=", "list")), Compare("user.username", "=", "alice"))),
        Or((Not(Compare("user.username", "=", "alice")), Compare("verb", "=", "list"))),
        Or((Compare("verb", "=", "list"), Compare("verb", "=", "patch"),
            Compare("user.username", "=", "ALICE"), Or(()))),
        And((Or((Compare("verb", "=", "get"), Always())), Present("objectRef.name"))),
        Not(Wildcard("user.groups", "system:*")), Not(InNetwork("sourceIPs", ("10.0.0.0/8",))),
    ],
    "Or of hundreds": [
        Or((*(And((Compare("user.username", "=", f"u{n}"), Compare("verb", "=", "get")))
              for n in range(200)), Compare("user.username", "=", "carol"))),
        Or(tuple(And((Compare("user.username", "=", f"u{n}"), Compare("verb", "=", "get"),
                      Compare("userAgent", "=", "a"), Not(Present("objectRef.name")),
                      Compare("responseStatus.code", "=", n))) for n in range(120))),
    ],
}  # fmt: skip

_ID = "5c1f6a0e9d0b4f3a8f2f3d5a9be1c774"
_HOUR, _DAY, _MICRO = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
_SELECTED = (
    "event.id", "@timestamp", "user.username", "user.groups", "user.groups.0", "sourceIPs",
    "responseStatus.code", "source.forwarded", "event.duration", "exec.command",
)  # fmt: skip
_COLUMNAR = ("objectRef.name", "@timestamp", "responseStatus.code", "source.forwarded")


def _selections() -> list[Operation]:
    return [
        Operation("select: lists, times, numbers, ids", Query(select=_SELECTED)),
        Operation("select: single values", Query(select=_COLUMNAR)),
        Operation("select: bodies and other JSON", Query(
            select=("event.id", "requestObject", "responseObject", "annotations", "rest"))),
        Operation("select: by position", Query(
            select=("user.groups.0", "user.groups.1", "sourceIPs.1"))),
        Operation("select: whole values up to what is indexed", Query(
            select=("userAgent", "requestURI", "objectRef.name"), where=Compare(
                "@timestamp", ">=", (START + timedelta(seconds=200)).isoformat()))),
        Operation("since and until", Query(
            select=_COLUMNAR, since=START, until=START + timedelta(microseconds=2001))),
        Operation("since and until in another zone", Query(
            select=_COLUMNAR, since=datetime.fromisoformat("2026-11-23T17:45:00+05:45"),
            until=datetime.fromisoformat("2026-11-23T13:00:01+01:00"))),
        Operation("since before 1970, until after 2262", Query(
            select=_COLUMNAR, since=datetime(1950, 1, 1, tzinfo=UTC),
            until=datetime(2301, 1, 1, tzinfo=UTC))),
        *(Operation(f"order by {name}{', descending' if down else ''}", Query(
            select=("event.id",), order=(Order(name, down),)))
          for name in ("user.username", "responseStatus.code", "@timestamp", "source.forwarded",
                       "event.id", "event.duration", "user.groups.0", "source.ip")
          for down in (False, True)),
        Operation("order by two fields, limit", Query(
            select=_COLUMNAR, order=(Order("verb", True), Order("user.username")), limit=7)),
        Operation("limit", Query(select=("event.id",), limit=3)),
        Operation("order by a list", Query(
            select=("event.id",), order=(Order("user.groups"),)), "cannot order events by"),
    ]  # fmt: skip


def _groupings() -> list[Operation]:
    every = tuple(
        Metric(kind, kind, field, argument)  # type: ignore[arg-type]
        for kind, field, argument in (
            ("min", "@timestamp", 0), ("max", "@timestamp", 0),
            ("count_distinct", "user.username", 0), ("percentile", "responseStatus.code", 50),
            ("first_values", "auditID", 3), ("sum", "responseStatus.code", 0),
            ("avg", "responseStatus.code", 0), ("present", "userAgent", 0),
            ("last_values", "auditID", 3),
        )
    )  # fmt: skip
    return [
        *(Operation(f"group by {about}", Query(group_by=(Terms(name, keep_missing=kept),),
                                               metrics=(COUNT,)))
          for name, about, kept in (
              ("user.username", "text", False), ("user.username", "text, missing kept", True),
              ("user.groups", "a list", False), ("user.groups", "a list, missing kept", True),
              ("user.groups.0", "an element", True), ("responseStatus.code", "a number", True),
              ("source.forwarded", "a boolean", True), ("@timestamp", "a time", True),
              ("sourceIPs", "addresses", True), ("userAgent", "long text", True))),
        Operation("group by two lists: every pair", Query(
            group_by=(Terms("sourceIPs"), Terms("user.groups")), metrics=(COUNT,))),
        Operation("group by three fields, missing kept", Query(
            group_by=(Terms("user.username", keep_missing=True), Terms("verb", keep_missing=True),
                      Terms("responseStatus.code", keep_missing=True)), metrics=(COUNT,))),
        Operation("group by one field twice", Query(
            group_by=(Terms("user.groups", "a"), Terms("user.groups", "b")), metrics=(COUNT,))),
        *(Operation(f"date histogram: {about}", Query(
            group_by=(DateHistogram(width, offset=offset),), metrics=(COUNT,)))
          for about, width, offset in (
              ("hours", _HOUR, timedelta(0)), ("days", _DAY, timedelta(0)),
              ("days of Katmandu", _DAY, -timedelta(hours=5, minutes=45)),
              ("weeks from a Monday", timedelta(days=7), timedelta(days=4)),
              ("milliseconds", timedelta(milliseconds=1), timedelta(0)),
              ("offset longer than the interval", _HOUR, timedelta(hours=25, minutes=1)))),
        Operation("date histogram: microseconds", Query(
            since=datetime(1960, 1, 1, tzinfo=UTC), until=datetime(2255, 1, 1, tzinfo=UTC),
            group_by=(DateHistogram(250 * _MICRO),), metrics=(COUNT,))),
        Operation("date histogram: microseconds with an offset", Query(
            group_by=(DateHistogram(250 * _MICRO, offset=_MICRO),),
            metrics=(COUNT,)), "cannot count intervals"),
        *(Operation(f"date histogram, missing kept: {about}", Query(
            group_by=(*keys, DateHistogram(width, keep_missing=True)), metrics=(COUNT,),
            order=order, limit=limit))
          for about, keys, width, order, limit in (
              ("hours", (), _HOUR, (), None),
              ("hours, descending", (), _HOUR, (Order("time", True),), None),
              ("the first", (), _DAY, (), 2),
              ("and a field", (Terms("user.username", keep_missing=True),), _HOUR, (), None),
              ("and a list", (Terms("user.groups"),), _DAY, (), None))),
        Operation("date histogram, missing kept: microseconds", Query(
            where=Not(Or((Compare("@timestamp", "<", "1960-01-01"),
                          Compare("@timestamp", ">", "2255-01-01")))),
            group_by=(DateHistogram(250 * _MICRO, keep_missing=True),), metrics=(COUNT,))),
        Operation("date histogram and a field", Query(
            group_by=(Terms("user.username", keep_missing=True), DateHistogram(_HOUR)),
            metrics=(COUNT,))),
        Operation("top by count, ties by key", Query(
            group_by=(Terms("user.username", keep_missing=True),), metrics=(COUNT,),
            order=(Order("n", True),), limit=5)),
        Operation("top by count of two fields, ties by keys", Query(
            group_by=(Terms("user.username", keep_missing=True), Terms("verb")), metrics=(COUNT,),
            order=(Order("n", True),), limit=5)),
        Operation("top by count with evidence", Query(
            group_by=(Terms("userAgent"),), metrics=(COUNT, *every[:2], every[4]),
            order=(Order("n", True),), having=(Having("n", ">", 1),), limit=5)),
        Operation("top of booleans, numbers, times", Query(
            group_by=(Terms("source.forwarded"),), metrics=(COUNT,), order=(Order("n", True),),
            limit=2)),
        Operation("fewest first", Query(
            group_by=(Terms("user.username"),), metrics=(COUNT,), order=(Order("n"),), limit=5)),
        Operation("order by a key, descending", Query(
            group_by=(Terms("user.username", "who", keep_missing=True), Terms("verb")),
            metrics=(COUNT,), order=(Order("who", True), Order("n", True)), limit=20)),
        Operation("order by a time metric, missing last", Query(
            group_by=(Terms("user.username"),), metrics=(COUNT, every[1]),
            order=(Order("max", True),))),
        Operation("order by the first values", Query(
            group_by=(Terms("user.username"),), metrics=(every[4],),
            order=(Order("first_values", True),), limit=9)),
        Operation("order by the last values", Query(
            group_by=(Terms("user.username"),), metrics=(every[8],),
            order=(Order("last_values", True),), limit=9)),
        Operation("top by count with the last values", Query(
            group_by=(Terms("userAgent", keep_missing=True),), metrics=(COUNT, *every[7:]),
            order=(Order("n", True),), limit=5)),
        Operation("order by and having of present", Query(
            group_by=(Terms("verb"), Terms("user.username")), metrics=(every[7],),
            having=(Having("present", ">=", 1),), order=(Order("present", True),), limit=9)),
        Operation("limit without an order", Query(
            group_by=(Terms("user.username"), Terms("verb")), metrics=(COUNT,), limit=4)),
        Operation("limit without an order, missing kept", Query(
            group_by=(Terms("user.username", keep_missing=True),), metrics=(COUNT,), limit=4)),
        Operation("having", Query(
            group_by=(Terms("user.username"),), metrics=(COUNT, every[2]),
            having=(Having("n", ">=", 2), Having("count_distinct", "<", 2)))),
        Operation("order by and having of a percentile", Query(
            group_by=(Terms("user.username"),),
            metrics=(COUNT, Metric("p", "percentile", "event.duration", 95)),
            having=(Having("p", ">", 0),), order=(Order("p", True),), limit=3)),
        Operation("having of a time metric and an average", Query(
            group_by=(Terms("user.username"),), metrics=(COUNT, every[0], every[6]),
            having=(Having("min", ">", 0), Having("avg", "<=", 200.5)))),
        Operation("all metrics, all events", Query(metrics=(COUNT, *every))),
        Operation("all metrics, no events", Query(
            metrics=(COUNT, *every), where=Compare("verb", "=", "none"))),
        Operation("all metrics by a field", Query(
            group_by=(Terms("verb", keep_missing=True),), metrics=(COUNT, *every))),
        Operation("all metrics by a list and an interval", Query(
            group_by=(Terms("user.groups"), DateHistogram(_DAY)), metrics=(COUNT, *every))),
    ]  # fmt: skip


def _metrics() -> list[Operation]:
    by = (Terms("user.username", keep_missing=True),)
    plain: list[tuple[str, Metric, str, bool]] = [
        *((f"count_distinct of {about}", Metric("m", "count_distinct", name), "", False)
          for name, about in (
              ("user.username", "text"), ("user.groups", "a list"), ("sourceIPs", "addresses"),
              ("responseStatus.code", "numbers"), ("@timestamp", "times"),
              ("source.forwarded", "booleans"), ("user.groups.0", "an element"))),
        *((f"{kind} of {about}", Metric("m", kind, name), "", False)
          for kind in ("min", "max")
          for name, about in (
              ("user.username", "text"), ("source.ip", "addresses"), ("responseStatus.code",
              "numbers"), ("@timestamp", "times"), ("source.forwarded", "booleans"),
              ("event.duration", "numbers beyond 53 bits"))),
        *((f"{kind} of {name}", Metric("m", kind, name), "", False)
          for kind in ("sum", "avg") for name in ("responseStatus.code", "event.duration")),
        *((f"percentile {rank}", Metric("m", "percentile", "responseStatus.code", rank), "", False)
          for rank in (0, 25, 50, 95, 99.9, 100)),
        ("percentile of durations", Metric("m", "percentile", "event.duration", 75), "", False),
        ("percentile of a fraction", Metric("m", "percentile", "event.duration", 33.3), "", False),
        *((f"present of {about}", Metric("m", "present", name), "", False)
          for name, about in (
              ("user.username", "text"), ("user.groups", "a list"), ("sourceIPs", "addresses"),
              ("responseStatus.code", "numbers"), ("@timestamp", "times"),
              ("source.forwarded", "booleans"), ("user.groups.1", "an element"),
              ("event.id", "ids"), ("event.duration", "durations"))),
        ("present of bodies", Metric("m", "present", "requestObject"), "cannot be searched", False),
        *((f"{kind} of {about}", Metric("m", kind, name, 3), "", False)
          for kind in ("first_values", "last_values")
          for name, about in (
              ("auditID", "text"), ("@timestamp", "times"), ("responseStatus.code", "numbers"),
              ("source.forwarded", "booleans"), ("event.id", "ids"), ("source.ip", "addresses"))),
        ("max of a list", Metric("m", "max", "user.groups"), "max of user.groups, a list", True),
        ("first_values of a list", Metric("m", "first_values", "user.groups", 2), "a list", True),
        ("last_values of a list", Metric("m", "last_values", "user.groups", 2), "a list", True),
        *((f"{kind} of every event, undated ones last", Metric("m", kind, "objectRef.name", 100),
           "", False) for kind in ("first_values", "last_values")),
        ("count_distinct of ids", Metric("m", "count_distinct", "event.id"), "cannot group", False),
    ]  # fmt: skip
    return [
        operation
        for name, metric, refused, everywhere in plain
        for operation in (
            Operation(name, Query(metrics=(metric,)), refused, everywhere),
            Operation(
                f"{name}, by a field", Query(group_by=by, metrics=(metric,)), refused, everywhere
            ),
        )
    ]


def _refused() -> list[Operation]:
    return [
        Operation("condition on bodies", where(Present("requestObject")), "cannot be searched"),
        Operation("group by bodies", Query(
            group_by=(Terms("requestObject"),), metrics=(COUNT,)), "cannot group by"),
        Operation("group by ids", Query(
            group_by=(Terms("event.id"),), metrics=(COUNT,)), "cannot group by"),
        Operation("id, equal", where(OneOf("event.id", (_ID, "no id", _ID.upper())))),
        Operation("id, without regard to case", where(
            Compare("event.id", "=", _ID.upper(), ignore_case=True))),
        Operation("id, pattern", where(Wildcard("event.id", "5c*")), "compared for equality"),
        Operation("text by code point without regard to case", where(
            Compare("user.username", "<", "b", ignore_case=True)), "without regard to case"),
        Operation("regex with a word boundary", where(
            Regex("user.username", "\\balice\\b")), "word boundary"),
        Operation("regex with anchors of lines", where(
            Regex("user.username", "(?m)^break")), "anchors of lines"),
        Operation("regex without regard to the case of other than ASCII letters", where(
            Regex("user.username", "\u00c9", ignore_case=True)), "beyond ASCII"),
        Operation("pattern of a time", where(Wildcard("@timestamp", "2026*")), "is a time", True),
    ]  # fmt: skip


OPERATIONS: list[Operation] = [
    *(
        Operation(f"{name} ({place})" if len(conditions) > 1 else name, where(condition))
        for name, conditions in _CONDITIONS.items()
        for place, condition in enumerate(conditions, 1)
    ),
    *_selections(),
    *_groupings(),
    *_metrics(),
    *_refused(),
]

_TOLD_APART = ("without regard to case", "regex", "date histogram", "code point", "pattern of")
"""Words of operations that products and versions have answered differently."""


def sample(operations: Sequence[Operation]) -> list[Operation]:
    """A fixed fifth, and what versions are most likely to answer differently.

    Groups and rows in an order run on every version all the same, page by page.
    """
    return [
        one
        for place, one in enumerate(operations)
        if place % 5 == 0 or any(word in one.name for word in _TOLD_APART)
    ]
