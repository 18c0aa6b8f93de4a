"""The language, example by example: given these events, a query gives that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.protocol import StoreEngine
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import QueryError, parse
from tests.building import event
from tests.stores import stored

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENTS = [
    event("list", "secrets", user="alice", seconds=1, code=403, agent="kubectl/v1.37"),
    event("get", "pods", user="alice", seconds=2, name="web-0", source=["10.0.0.1", "10.9.9.9"]),
    event("create", "pods", user="bob", seconds=3, source="192.168.0.9", agent="curl/8.1",
          requestObject={"kind": "Pod", "spec": {"hostNetwork": True, "containers": [
              {"image": "nginx:1.27"}, {"image": "busybox"}]}}),
    event("get", "nodes", user="bob", seconds=4000, agent="kubectl/v1.37"),
    event("get", "pods", user="", seconds=5000, code=401, agent="", decision="forbid"),
]  # fmt: skip
del EVENTS[-1]["user"], EVENTS[-1]["userAgent"]
EVENTS[0]["annotations"]["example.com/team"] = "blue"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreEngine]:
    with stored(tmp_path_factory.mktemp("language") / "store", EVENTS).engine() as opened:
        yield opened


def rows(engine: StoreEngine, text: str) -> list[tuple[Any, ...]]:
    return list(run_program(parse(text), engine, on_warning=lambda _: None).rows)


@pytest.mark.parametrize(
    ("condition", "verbs"),
    [
        ('verb = "list"', ["list"]),
        ('verb == "list"', ["list"]),
        ('verb != "get"', ["create", "list"]),
        ("responseStatus.code >= 401", ["get", "list"]),
        ('responseStatus.code = "403"', ["list"]),
        ("responseStatus.code < 300", ["get", "create", "get"]),
        ('verb in ["list", "create"]', ["create", "list"]),
        ('verb not in ["list", "create"]', ["get", "get", "get"]),
        ('userAgent like "kubectl"', ["get", "get", "list"]),
        ("userAgent like /^curl/", ["create"]),
        ("userAgent =~ /(?i)CURL/", ["create"]),
        ('userAgent not like "kubectl"', ["create"]),
        ("userAgent !~ /kubectl/", ["create"]),
        ('user.username = "alice" and verb = "get" or verb = "create"', ["create", "get"]),
        ('not (user.username = "alice")', ["get", "create"]),
        ('not ispresent(user.username) and verb = "get"', ["get"]),
        ('sourceIPs = "10.9.9.9"', ["get"]),
        ("@timestamp < '2026-11-23T12:00:02Z'", ["list"]),
        ("toMillis(@timestamp) % 1000 = 2 and strlen(verb) = 4", ["list"]),
        ("requestObject.spec.hostNetwork = true", ["create"]),
        ('requestObject.spec.containers.1.image = "busybox"', ["create"]),
        ('annotations.example.com/team = "blue"', ["list"]),
        ('@message like "hostNetwork"', ["create"]),
        ("event.duration = 2000000 and 1 < 2", ["get", "get", "create", "get", "list"]),
    ],
)
def test_a_filter_keeps_the_events_for_which_it_is_true(
    engine: StoreEngine, condition: str, verbs: list[str]
) -> None:
    assert [verb for (verb,) in rows(engine, f"fields verb | filter {condition}")] == verbs


def test_a_comparison_with_a_missing_value_is_neither_true_nor_false(engine: StoreEngine) -> None:
    for condition in ('user.username = "x"', 'not user.username = "x"', "user.username like /x/"):
        found = rows(engine, f"filter not ispresent(user.username) and {condition}")
        assert found == []


def test_the_whole_event_is_at_message(engine: StoreEngine) -> None:
    ((text,),) = rows(
        engine, """filter verb = "create" | parse @message '"verb":"*"' as v | fields v"""
    )
    assert text == "create"


def test_the_whole_event_is_written_in_the_order_of_the_api_server(engine: StoreEngine) -> None:
    text = """filter verb = "create" | parse @message '"verb":"*","user":{"username":"*"' as v, u"""
    assert rows(engine, f"{text} | fields v, u") == [("create", "bob")]


def test_a_field_of_cloudwatch_s_own_is_told(engine: StoreEngine) -> None:
    said: list[str] = []
    text = "fields @log, @logStream | filter @logStream like /^kube-apiserver-audit/ | limit 1"
    found = run_program(parse(text), engine, on_warning=said.append)
    assert found.rows == [(None, "kube-apiserver-audit")]
    assert said == [
        "@log is CloudWatch's own; here it is missing",
        "@logStream is CloudWatch's own; here it is kube-apiserver-audit",
    ]


def test_columns_have_their_aliases_or_the_text_as_written(engine: StoreEngine) -> None:
    text = "stats count (*) , max( responseStatus.code ) as top by `user.username`, bin(1 h) as t"
    result = run_program(parse(text), engine, on_warning=lambda _: None)
    assert result.columns == ("user.username", "t", "count (*)", "top")


def test_aliases_can_be_used_later_and_hide_fields(engine: StoreEngine) -> None:
    text = """fields toupper(verb) as verb, strlen(verb) as size
    | filter verb = "LIST"
    | stats count(*) as n by verb, size | fields n + 1 as more"""
    assert rows(engine, text) == [("LIST", 4, 1, 2)]


def test_groups_without_a_key_are_kept_and_come_last(engine: StoreEngine) -> None:
    found = rows(engine, "stats count(*) by user.username")
    assert found == [("alice", 2), ("bob", 2), (None, 1)]


def test_a_list_counts_under_each_of_its_elements(engine: StoreEngine) -> None:
    found = rows(engine, "filter user.username = 'alice' | stats count(*) as n by sourceIPs")
    assert found == [("10.0.0.1", 1), ("10.0.0.7", 1), ("10.9.9.9", 1)]


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [
        ("count(*)", 5),
        ("count()", 5),
        ("count(user.username)", 4),
        ("count_distinct(verb)", 3),
        ("sum(responseStatus.code)", 1404),
        ("sum(responseStatus.code >= 400)", 2),
        ("avg(responseStatus.code)", 280.8),
        ("min(responseStatus.code)", 200),
        ("max(user.username)", "bob"),
        ("stddev(responseStatus.code)", 98.96140661894414),
        ("pct(responseStatus.code, 75)", 401.0),
        ("median(responseStatus.code)", 200.0),
        ("earliest(verb)", "list"),
        ("latest(user.username)", "bob"),
        ("sortsFirst(verb)", "create"),
        ("sortsLast(verb)", "list"),
        ("values(user.username)", ["alice", "bob"]),
        ("count_distinct(sourceIPs)", 4),
        ("sum(strlen(verb)) / count(*)", 3.8),
    ],
)
def test_an_aggregate_of_all_events(engine: StoreEngine, aggregate: str, value: Any) -> None:
    ((found,),) = rows(engine, f"stats {aggregate}")
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


def test_aggregates_of_nothing(engine: StoreEngine) -> None:
    text = (
        'filter verb = "none" | stats count(*), sum(responseStatus.code), max(verb), values(verb)'
    )
    assert rows(engine, text) == [(0, None, None, None)]
    assert rows(engine, 'filter verb = "none" | stats count(*) by verb') == []
    assert rows(engine, 'filter verb = "none" | stats count_distinct(1), max(2)') == [(0, None)]


def test_events_come_newest_first_and_sorting_keeps_that_among_equals(engine: StoreEngine) -> None:
    assert [verb for (verb,) in rows(engine, "fields verb")] == [
        "get", "get", "create", "get", "list",
    ]  # fmt: skip
    found = rows(engine, "fields user.username, verb | sort user.username")
    assert [user for user, _ in found] == ["alice", "alice", "bob", "bob", None]
    assert [verb for _, verb in found] == ["get", "list", "get", "create", "get"]


def test_dedup_keeps_the_first_and_all_that_lack_a_value(engine: StoreEngine) -> None:
    found = rows(engine, "fields user.username, verb | sort verb | dedup user.username | limit 9")
    assert found == [("bob", "create"), (None, "get"), ("alice", "get")]


def test_parse_with_stars_and_with_groups(engine: StoreEngine) -> None:
    assert rows(engine, 'parse userAgent "*/*" as c, v | stats count(*) by c, v | sort c') == [
        ("curl", "8.1", 1), ("kubectl", "v1.37", 2),
        ("kubectl", "v1.37.2 (linux/amd64) kubernetes/0000000", 1), (None, None, 1),
    ]  # fmt: skip
    text = r"parse userAgent /(?<c>\w+)\/v?(\d+)/ as major | filter major > 5 | fields c, major"
    assert rows(engine, text) == [("curl", "8")]


def test_stats_after_stats(engine: StoreEngine) -> None:
    text = "stats count(*) as n by user.username, verb | stats max(n), count(*) by user.username"
    assert rows(engine, text) == [("alice", 1, 2), ("bob", 1, 2), (None, 1, 1)]


def test_what_a_column_was_computed_as_is_that_column(engine: StoreEngine) -> None:
    text = "stats count(*) by verb | sort count(*) desc | filter count(*) > 1 | fields verb"
    assert rows(engine, text) == [("get", 3)]
    text = "stats count(*) as n by bin(1h) as hour | sort bin(1h) desc | limit 1 | display n"
    assert rows(engine, text) == [(2,)]


def test_time_in_intervals_and_calendar_months(engine: StoreEngine) -> None:
    hour = NOON.replace(hour=13)
    assert rows(engine, "stats count(*) by bin(1h)") == [(NOON, 3), (hour, 2)]
    ((month, count),) = rows(engine, "stats count(*) by bin(1 month)")
    assert (month, count) == (datetime(2026, 11, 1, tzinfo=UTC), 5)
    ((week, _),) = rows(engine, "stats count(*) by bin(1w)")
    assert week == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_sort_by_no_column_sorts_by_the_one_that_is_meant(engine: StoreEngine) -> None:
    said: list[str] = []
    text = "stats count(*) as SRC_IP_Count by verb | sort SRC_IP desc | limit 1"
    assert run_program(parse(text), engine, on_warning=said.append).rows == [("get", 3)]
    assert said == ["there is no SRC_IP; sorted by SRC_IP_Count"]


def test_without_a_limit_ten_thousand_events_are_shown(
    engine: StoreEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    for module in ("plan.strategies", "execute.run"):
        monkeypatch.setattr(f"k8sidx.insights.{module}.MAX_ROWS", 2)
    assert len(run_program(parse("fields verb"), engine, on_warning=said.append).rows) == 2
    assert said == ["only the first 2 events are shown; ask for others with limit."]


def test_events_that_are_read_one_by_one_are_told_and_bounded(
    engine: StoreEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    program = parse('filter verb = "get" and @message like "pods" | stats count(*)')
    assert run_program(program, engine, on_warning=said.append).rows == [(2,)]
    assert said == [
        "3 events are read one by one, since @message is the whole event; message, its one-line "
        "summary, is quick."
    ]
    monkeypatch.setattr("k8sidx.insights.execute.run.MAX_EVENTS_READ", 2)
    with pytest.raises(Exception, match=r"would read 3 events one by one.*--since"):
        run_program(program, engine, on_warning=said.append)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields usr.username", "column 8: there is no field 'usr.username'.*user.username"),
        ("filter verb = 1 | stats cuont(*)", "column 25: there is no function 'cuont'.*count"),
        ("fields verb | filtre verb = 1", "column 15: there is no command 'filtre'.*filter"),
        ("filterIndex verb = 1", "filterIndex is a command that k8sidx does not have"),
        ("fields verb asb", "column 13: 'asb' cannot stand here"),
        ("pattern @message", "pattern is a command that k8sidx does not have"),
        ('filter verb = "x', "column 15: a quotation that begins here does not end"),
        ("filter verb", "column 8: this is not a condition"),
        ("fields strlen(sourceIPs)", "column 15: this is a list.*sourceIPs.0"),
        ("stats count(*) as n by verb | fields m", "column 38: after stats there is no column 'm'"),
        ("stats verb", "column 7: verb is neither in an aggregate nor after by"),
        ("stats 1", "column 7: stats takes aggregates"),
        ("filter userAgent like /(/", "column 23: /[(]/ is not a valid regular expression"),
        ("filter a like /(?=x)/", "column 8: there is no field 'a'"),
        ('filter isIpInSubnet(sourceIPs.0, "10.0.0/8")', "'10.0.0/8' is not a valid network"),
        ('filter @timestamp > "yesterday"', "'yesterday' is not a valid time"),
        ("stats pct(responseStatus.code, 101)", "a percentile lies between 0 and 100"),
        (
            f"fields 1 as a0, {', '.join(f'a{n} + a{n} as a{n + 1}' for n in range(20))}",
            "with its aliases expanded, this is too large",
        ),
        (
            f"fields verb as a0, {', '.join(f'trim(a{n}) as a{n + 1}' for n in range(300))}",
            "with its aliases expanded, this is too large",
        ),
        ("limit 1000001", "a limit is a whole number from 1 to 1,000,000"),
        ("fields bin(5 parsecs)", "column 14: 'parsecs' cannot stand here"),
        ("fields substr(verb)", r"write substr\(text, start\[, length\]\)"),
        ('parse userAgent "*" as a, b', "column 17: [*] in the pattern: 1, names after as: 2"),
        ("parse userAgent /x/", "column 17: the expression has no group to keep"),
        ("parse userAgent /(?<a>x)(y)/", "groups without a name: 1, names after as: 0"),
        ("stats count(*) as n, sum(responseStatus.code) as n", "two columns have the name 'n'"),
        ("fields a,\n  verb\n| limit x", "line 3, column 9: 'x' cannot stand here"),
    ],
)
def test_an_error_says_where_and_what(engine: StoreEngine, text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        run_program(parse(text), engine, on_warning=lambda _: None)


def test_an_alias_of_the_time_is_what_rows_are_ordered_by(engine: StoreEngine) -> None:
    text = "fields strlen(verb) as `@timestamp` | stats latest(verb)"
    assert rows(engine, text) == [("create",)]
    assert rows(engine, f"{text} by user.username") == [
        ("alice", "list"), ("bob", "create"), (None, "get"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "stats count(*) as n by verb | filter n < 9999999999999999999999999999999999999999",
        f"filter verb like /{'(' * 500}g{')' * 500}/ | stats count(*)",
        f'fields jsonParse(concat("{"[" * 3000}", verb)) | limit 1',
        "stats sum(8 * 10 ^ 307) as n by verb | filter n > 1",
    ],
)
def test_what_is_beyond_a_limit_of_something_below_is_answered(
    engine: StoreEngine, text: str
) -> None:
    assert len(rows(engine, text)) <= 3


def test_a_whole_number_is_one_however_it_is_written(engine: StoreEngine) -> None:
    text = 'fields 1e3 ^ 10 as a, "1e3" ^ 10 as b | limit 1'
    assert rows(engine, text) == [(10**30, 10**30)]


def test_a_set_of_a_regular_expression_is_left_as_it_is(engine: StoreEngine) -> None:
    assert rows(engine, "filter 'P' like /^[(?<x]$/ | stats count(*)") == [(0,)]
    assert rows(engine, "filter '<' like /^[(?<x]$/ | stats count(*)") == [(5,)]


def test_an_error_points_at_its_place() -> None:
    text = "fields verb\n| filtre x"
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (2, 3)


def test_pages_of_events_are_read_newest_first_until_there_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine events: several in one second, an hour apart, days apart, and one without a time."""
    moments = [0.5, 0.5, 0.7, 60, 3_600, 7_200, 90_000, 200_000]
    bodies = [event("get", name=f"n{n}", seconds=one) for n, one in enumerate(moments)]
    bodies.append(event("get", name="undated", stageTimestamp=None, requestReceivedTimestamp=None))
    query = "fields objectRef.name | filter strlen(@message) > 10"
    with stored(tmp_path / "store", bodies).engine() as opened:
        whole = rows(opened, query)
        assert whole[0] == ("n7",)
        assert whole[-1] == ("undated",)
        for page in (1, 2, 3):
            monkeypatch.setattr("k8sidx.insights.execute.pages.PAGE", page)
            assert rows(opened, query) == whole
            assert rows(opened, f"{query} | limit 3") == whole[:3]
            assert rows(opened, f"{query} | sort objectRef.name | limit 2") == [("n0",), ("n1",)]
