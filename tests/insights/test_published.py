# ruff: noqa: E501, W291 - queries are as AWS publishes them
"""Queries of EKS audit logs as AWS publishes them, over the same events as plain Python.

The texts are those of the EKS best practices guide ("Auditing and logging"), of the EKS user guide
(tokens of service accounts), of the AWS observability workshop and of the collection of queries of
the AWS observability best practices. Only names to fill in are filled in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest

from k8sidx.backends.protocol import StoreEngine
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import QueryError, parse
from tests.building import at, event
from tests.stores import stored

Event = dict[str, Any]
Rows = Sequence[tuple[Any, ...]]
STALE = "subject: system:serviceaccount:common:fluent-bit, seconds after warning threshold: 4185802"

ATTACK: list[Event] = [
    event("get", "secrets", user="alex", name="db-pass", seconds=1),
    event("get", "secrets", user="system:anonymous", name="db-pass", code=401, seconds=2),
    event("list", "secrets", user="alex", code=401, seconds=62),
    event("create", "roles", user="alex", name="r", code=201, seconds=3),
    event("delete", "rolebindings", user="alex", name="r", seconds=4),
    event("patch", "clusterroles", user="alex", name="c", namespace="", seconds=5),
    event("create", "clusterrolebindings", user="alex", name="c", namespace="", seconds=6),
    event("update", "configmaps", user="alex", namespace="kube-system", name="aws-auth", seconds=7),
    event("get", "pods", user="system:anonymous", code=403, seconds=8),
    event("list", "pods", user="ksm", agent="ksm/v2", seconds=9),
    event("list", "pods", user="ksm", agent="ksm/v2", seconds=10),
    event("create", "pods", user="alex", code=503, seconds=11),
    event("update", "secrets", user="alex", name="db-pass", agent="curl/8", seconds=12),
]  # fmt: skip
ATTACK[0]["annotations"]["authentication.k8s.io/stale-token"] = STALE
LATER = [
    event("update", "leases", user="system:node:n1", agent="kubelet/v1", name=f"l{n}",
          namespace="kube-node-lease", seconds=100 + n)
    for n in range(150)
]  # fmt: skip
EVENTS = [*ATTACK, *LATER]
"""An attack, and enough later events that the newest hundred do not contain it."""

RBAC = """fields @timestamp, @message
| sort @timestamp desc
| limit 100
| filter objectRef.resource="{}" and verb in ["create", "update", "patch", "delete"]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreEngine]:
    with stored(tmp_path_factory.mktemp("published") / "store", EVENTS).engine() as opened:
        yield opened


def run(engine: StoreEngine, text: str) -> tuple[tuple[str, ...], Rows, list[str]]:
    """Return the columns, the rows and the notices of a query."""
    notices: list[str] = []
    result = run_program(parse(text), engine, on_warning=notices.append)
    return tuple(result.columns), [tuple(row) for row in result.rows], notices


def resource(body: Event) -> str:
    return str(body["objectRef"]["resource"])


def newest(keep: Callable[[Event], bool]) -> list[Event]:
    """Return the events, newest first."""
    return [
        body for body in sorted(EVENTS, key=lambda one: one["stageTimestamp"])[::-1] if keep(body)
    ]


def moment(body: Event) -> datetime:
    return datetime.fromisoformat(body["stageTimestamp"])


@pytest.mark.parametrize("kind", ["roles", "rolebindings", "clusterroles", "clusterrolebindings"])
def test_changes_of_rbac_objects_are_listed_beyond_the_newest_hundred_events(
    engine: StoreEngine, kind: str
) -> None:
    columns, rows, notices = run(engine, RBAC.format(kind))
    expected = newest(lambda one: resource(one) == kind)
    assert columns == ("@timestamp", "@message")
    assert [row[0] for row in rows] == [moment(body) for body in expected]
    assert len(rows) == 1
    assert "limit 100 is of the result" in notices[0]


def test_unauthorized_reads_of_secrets_are_counted_by_minute(engine: StoreEngine) -> None:
    text = """fields @timestamp, @message
| sort @timestamp desc
| limit 100
| filter objectRef.resource="secrets" and verb in ["get", "watch", "list"] and responseStatus.code="401"
| {}count() by bin(1m)
"""
    expected = Counter(
        moment(body).replace(second=0, microsecond=0)
        for body in EVENTS
        if resource(body) == "secrets" and body["responseStatus"]["code"] == 401
    )
    assert len(expected) == 2
    for word in ("", "stats "):
        columns, rows, _ = run(engine, text.format(word))
        assert columns == ("bin(1m)", "count()")
        assert dict(rows) == expected


def test_failed_anonymous_requests_are_listed(engine: StoreEngine) -> None:
    columns, rows, _ = run(
        engine,
        """fields @timestamp, @message, sourceIPs.0
| sort @timestamp desc
| limit 100
| filter user.username="system:anonymous" and responseStatus.code in ["401", "403"]
""",
    )
    assert columns == ("@timestamp", "@message", "sourceIPs.0")
    expected = newest(lambda one: one["user"]["username"] == "system:anonymous")
    assert [(row[0], row[2]) for row in rows] == [(moment(body), "10.0.0.7") for body in expected]
    assert len(rows) == 2


def test_updates_of_the_config_map_aws_auth_are_listed(engine: StoreEngine) -> None:
    _, rows, _ = run(
        engine,
        """fields @timestamp, @message
| filter @logStream like "kube-apiserver-audit"
| filter verb in ["update", "patch"]
| filter objectRef.resource = "configmaps" and objectRef.name = "aws-auth" and objectRef.namespace = "kube-system"
| sort @timestamp desc
""",
    )
    assert [row[0] for row in rows] == [datetime.fromisoformat(at(7.002))]


def test_columns_made_by_parse_are_shown(engine: StoreEngine) -> None:
    columns, rows, _ = run(
        engine,
        """fields @timestamp
| filter @logStream like /kube-apiserver-audit/
| filter @message like /seconds after warning threshold/
| parse @message "subject: *, seconds after warning threshold:*\\"" as subject, elapsedtime
""",
    )
    assert columns == ("@timestamp", "subject", "elapsedtime")
    account = "system:serviceaccount:common:fluent-bit"
    assert rows == [(moment(ATTACK[0]), account, " 4185802")]


def test_agents_are_counted(engine: StoreEngine) -> None:
    text = """fields userAgent, requestURI, *@timestamp*, *@message*
| filter *@logStream* ~= "kube-apiserver-audit"
| stats count(userAgent) as count by userAgent
| sort count desc
"""
    for written in (text, text.replace("*", "")):
        columns, rows, _ = run(engine, written)
        assert columns == ("userAgent", "count")
        assert dict(rows) == Counter(body["userAgent"] for body in EVENTS)
        assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)


def test_server_errors_are_counted_though_the_filter_follows_stats(engine: StoreEngine) -> None:
    columns, rows, notices = run(
        engine,
        """stats count(*) as count by requestURI, verb, responseStatus.code, userAgent
| filter *@logStream* =~ "kube-apiserver-audit"
| filter responseStatus.code >= 500 
| sort count desc
""",
    )
    assert columns == ("requestURI", "verb", "responseStatus.code", "userAgent", "count")
    (failed,) = [body for body in EVENTS if body["responseStatus"]["code"] >= 500]
    assert rows == [(failed["requestURI"], "create", 503, failed["userAgent"], 1)]
    assert any("applied before stats" in notice for notice in notices)


def test_secrets_are_counted_though_the_filter_of_events_follows_stats(
    engine: StoreEngine,
) -> None:
    columns, rows, notices = run(
        engine,
        """fields @timestamp, @message
| sort @timestamp desc
| limit 100
| stats count(*) by objectRef.name as secret
| filter verb="get" and objectRef.resource="secrets"
""",
    )
    assert columns == ("secret", "count(*)")
    assert rows == [("db-pass", 2)]
    assert len(notices) == 2


def test_latency_is_computed_from_the_parts_of_timestamps(engine: StoreEngine) -> None:
    columns, rows, _ = run(
        engine,
        r"""fields @timestamp, @message
| filter @logStream like "kube-apiserver-audit"
| filter ispresent(requestURI)
| filter verb = "list"
| filter verb not like "watch"
| parse requestReceivedTimestamp /\d+-\d+-(?<StartDay>\d+)T(?<StartHour>\d+):(?<StartMinute>\d+):(?<StartSec>\d+).(?<StartMsec>\d+)Z/
| parse stageTimestamp /\d+-\d+-(?<EndDay>\d+)T(?<EndHour>\d+):(?<EndMinute>\d+):(?<EndSec>\d+).(?<EndMsec>\d+)Z/
| fields (StartHour * 3600 + StartMinute * 60 + StartSec + StartMsec / 1000000) as StartTime, (EndHour * 3600 + EndMinute * 60 + EndSec + EndMsec / 1000000) as EndTime, (EndTime - StartTime) as DeltaTime
| stats avg(DeltaTime) as AverageDeltaTime, count(*) as CountTime by requestURI
| sort AverageDeltaTime desc
""",
    )
    assert columns == ("requestURI", "AverageDeltaTime", "CountTime")
    expected = Counter(body["requestURI"] for body in EVENTS if body["verb"] == "list")
    assert {row[0]: row[2] for row in rows} == expected
    assert all(row[1] == pytest.approx(0.002, abs=1e-6) for row in rows)


def test_writes_to_etcd_are_counted(engine: StoreEngine) -> None:
    columns, rows, _ = run(
        engine,
        """# count mutable requests, transactions, create, patch, update
fields @timestamp, @message, @logStream, requestURI, verb
| filter @logStream like "kube-apiserver-audit"
| filter verb not like "get"
| filter verb not like "list"
| filter verb not like "watch"
| display @logStream, requestURI, verb
| stats count(*) as count by requestURI, verb
| sort count desc
""",
    )
    assert columns == ("requestURI", "verb", "count")
    reads = ("get", "list", "watch")
    written = [body for body in EVENTS if body["verb"] not in reads]
    expected = Counter((body["requestURI"], body["verb"]) for body in written)
    assert {row[:2]: row[2] for row in rows} == expected


def test_a_sort_by_time_after_intervals_sorts_the_intervals(engine: StoreEngine) -> None:
    text = "stats count(*) as count by bin(1m) | sort @timestamp desc"
    _, rows, notices = run(engine, text)
    starts = [row[0] for row in rows]
    assert len(starts) > 2
    assert starts == sorted(starts, reverse=True)
    assert notices == ["there is no @timestamp; sorted by bin(1m)"]


def test_a_sort_by_the_field_of_the_only_aggregate_sorts_by_it(engine: StoreEngine) -> None:
    text = "stats max(responseStatus.code) as worst by verb | sort responseStatus.code desc"
    assert run(engine, text)[1][0] == ("create", 503)


def test_a_sort_by_a_field_that_stats_does_not_keep_changes_nothing(engine: StoreEngine) -> None:
    text = "stats count(*) as n by verb | sort {}"
    _, rows, notices = run(engine, text.format("userAgent"))
    assert rows == run(engine, text.format("verb"))[1]
    assert notices == ["not sorted by userAgent, a field of events, which stats does not keep"]


def test_limit_any_returns_that_many_of_the_matching_events(engine: StoreEngine) -> None:
    _, rows, _ = run(engine, 'fields @message | filter verb = "delete" | limit any 1')
    assert len(rows) == 1
    assert "rolebindings" in rows[0][0]


def test_a_limit_after_stats_replaces_that_of_events(engine: StoreEngine) -> None:
    text = "limit 1 | stats count(*) as n by verb | sort n desc | limit 2"
    _, rows, notices = run(engine, text)
    assert len(rows) == 2
    assert sum(row[1] for row in rows) > 100
    assert notices == [
        "limit 1 is of the result, as in CloudWatch, which has a limit of its own: 2"
    ]


def test_a_limit_between_two_stats_is_of_the_first(engine: StoreEngine) -> None:
    text = "stats count(*) as n by verb | sort n desc | limit 1 | stats sum(n) as total"
    top = max(Counter(body["verb"] for body in EVENTS).values())
    assert run(engine, text)[1:] == ([(top,)], [])


def test_a_condition_on_events_and_columns_at_once_is_refused(engine: StoreEngine) -> None:
    with pytest.raises(QueryError, match="after stats there is no column 'userAgent'"):
        run(engine, 'stats count(*) as n by verb | filter n > 1 or userAgent = "x"')


def test_keys_of_user_extra_need_no_backquotes(engine: StoreEngine) -> None:
    name = "user.extra.authentication.kubernetes.io/credential-id"
    assert run(engine, f'filter {name} = "JTI=1" | fields verb')[1] == []
    assert run(engine, f"fields {name} | limit 1")[0] == (name,)


@pytest.mark.parametrize("name", ["event.kind", "finding.id", "k8sidx.hunt.id", "verbs", "n"])
def test_a_refused_name_is_not_suggested(name: str, engine: StoreEngine) -> None:
    with pytest.raises(QueryError) as refused:
        run(engine, f"filter {name} = 1")
    assert "there is no field" in str(refused.value)
    assert f" {name} " not in f"{refused.value.remedy} ".replace("?", " ")
