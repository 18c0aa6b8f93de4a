"""CloudWatch Logs Insights text: answered by k8sidx itself, it gives the hunt's events and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from k8sidx.backends.embedded.engine.engine import DuckDBEngine
from k8sidx.backends.result import Result
from k8sidx.errors import UsageError
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.kinds.top import TopHunt
from k8sidx.insights.execute.run import run_program
from k8sidx.insights.language.parser import parse
from k8sidx.query.algebra import (
    Always,
    And,
    Compare,
    Condition,
    InNetwork,
    Not,
    OneOf,
    Or,
    Present,
    Query,
    Regex,
    Wildcard,
)
from k8sidx.show.translate.cloudwatch_fields import COLUMNS, in_cloudwatch
from k8sidx.show.translate.insights import to_insights
from k8sidx.show.translate.insights_condition import filters
from k8sidx.show.translate.translatable import Events, NotTranslatable, question_of
from tests.building import event
from tests.hunt.run_hunt import sigma
from tests.show.translate.conftest import HOSTILE
from tests.show.translate.run_translated import conditions, count_of, hunt_of, rows_of, sayable
from tests.stores import stored

SHOWN = ("@timestamp", "verb", "requestURI", "auditID")


def answered(text: str, engine: DuckDBEngine) -> Result:
    return run_program(parse(text), engine, on_warning=lambda _: None)


def found(hunt: Hunt, engine: DuckDBEngine) -> Counter[Any]:
    """What the hunt itself finds: the events that match, or the rows of its table."""
    question = question_of(hunt)
    if isinstance(question, Events):
        return Counter(engine.run(Query(where=question.condition, select=SHOWN)).rows)
    return Counter(rows_of(question, engine))


@pytest.mark.parametrize("name", sayable())
def test_a_hunt_s_text_gives_what_the_hunt_finds(name: str, embedded: DuckDBEngine) -> None:
    hunt = hunt_of(name)
    try:
        text = to_insights(hunt).text
    except NotTranslatable as error:
        assert "derived by k8sidx" in error.message
        return
    result = answered(text, embedded)
    rows = [tuple(row) for row in result.rows]
    if isinstance(question_of(hunt), Events):
        places = [result.columns.index(name) for name in SHOWN]
        rows = [tuple(row[place] for place in places) for row in rows]
    assert Counter(rows) == found(hunt, embedded)


def matched(condition: Condition, engine: DuckDBEngine) -> int:
    """Events that the filters of a condition let through."""
    tests = filters(in_cloudwatch(condition))
    fields = ", ".join(f"{expression} as {name}" for name, expression in COLUMNS.items())
    text = " | ".join([f"fields {fields}", *(f"filter {test}" for test in tests)])
    return int(str(answered(f"{text} | stats count(*)", engine).rows[0][0]))


@pytest.fixture(scope="module")
def special(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    """Events of which k8sidx derives something."""
    store = stored(tmp_path_factory.mktemp("special") / "store", list(special_events()))
    with store.engine() as engine:
        yield engine


def special_events() -> Iterator[dict[str, Any]]:
    yield from of_users()
    yield from of_dry_runs()
    yield from of_outcomes()
    yield from of_bindings()
    yield from of_addresses()
    yield from of_objects()


def of_users() -> Iterator[dict[str, Any]]:
    names = (
        "alice", "", "system:anonymous", "system:unauthenticated", "system:node:n1", "eks:x",
        "system:serviceaccount:shop:default", "x@p.iam.gserviceaccount.com", "aksService",
        "system:serviceaccount:kube-system:job-controller", "system:kube-controller-manager",
        "system:node:x.gserviceaccount.com", "ALICE",
    )  # fmt: skip
    for place, name in enumerate(names):
        user = {"username": name, "groups": [f"g{n}" for n in range(place)]}
        yield event(seconds=place, user=name) | {"user": user}
        through = {"username": name, "groups": ["system:masters", name]} if name else {}
        yield event(seconds=100 + place, user="admin", impersonatedUser=through)


def of_dry_runs() -> Iterator[dict[str, Any]]:
    options = {"kind": "DeleteOptions", "apiVersion": "v1"}
    queries = ("", "?dryRun=All", "?a=b&dryRun=All", "?dryRun=All&x=y", "?dryRun=Allx",
               "?xdryRun=All", "?dryRun=%41ll", "?x=?dryRun=All", "&dryRun=All")  # fmt: skip
    bodies: tuple[dict[str, Any] | None, ...] = (
        None, options, options | {"dryRun": ["All"]}, options | {"dryRun": ["All", "x"]}
    )  # fmt: skip
    seconds = 1000
    for verb in ("create", "patch", "delete", "deletecollection", "get"):
        for query in queries:
            for body in bodies:
                for level in ("Metadata", "Request"):
                    seconds += 1
                    made = event(verb, seconds=seconds, level=level, decision="allow")
                    made["requestURI"] += query
                    yield made if body is None else made | {"requestObject": body}


def of_outcomes() -> Iterator[dict[str, Any]]:
    for place, code in enumerate((0, 99, 100, 101, 200, 302, 400, 403, 500)):
        for decision in ("", "allow", "forbid"):
            yield event(seconds=3000 + place, code=code, decision=decision)


def of_bindings() -> Iterator[dict[str, Any]]:
    role = {"kind": "RoleBinding", "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    other = {"kind": "RoleBinding", "roleRef": {"kind": "ClusterRole", "name": "view"}}
    for place, (asked, given) in enumerate(
        ((role, None), (None, role), (other, role), (role, other), ({"kind": "X"}, role))
    ):
        for verb in ("create", "get", "patch"):
            made = event(verb, "rolebindings", seconds=4000 + place, level="RequestResponse")
            yield made | {
                key: body
                for key, body in (("requestObject", asked), ("responseObject", given))
                if body
            }


def of_addresses() -> Iterator[dict[str, Any]]:
    for place, addresses in enumerate(
        ([], ["10.0.0.1"], ["203.0.113.7", "10.0.0.1"], ["1.2.3.4", "10.0.0.1", "10.9.9.9"])
    ):
        yield event(seconds=5000 + place, source=addresses)


def of_objects() -> Iterator[dict[str, Any]]:
    yield event("create", "pods", subresource="exec", seconds=6000, name="p")
    yield event("create", "PODS", subresource="EXEC", seconds=6001, name="p")
    grouped = event("get", "deployments", seconds=6002)
    grouped["objectRef"]["apiGroup"] = "apps"
    yield grouped
    answer_name = {"kind": "Pod", "metadata": {"name": "made-x7"}}
    yield event("create", seconds=6003, level="RequestResponse", responseObject=answer_name)
    yield event(seconds=6004, annotations={"audit.k8s.io/truncated": "true"})
    yield event(seconds=6005, requestURI="/healthz", objectRef=None)


DERIVED: list[Condition] = [
    *(
        Compare("user.kind", "=", kind)
        for kind in ("human", "serviceaccount", "node", "control-plane", "anonymous", "unknown")
    ),
    OneOf("user.kind", ("HUMAN", "Node"), ignore_case=True),
    Compare("user.kind", "=", "HUMAN"),
    Present("user.kind"),
    Compare("user.controller", "=", True),
    Compare("user.controller", "=", False),
    Compare("user.effective.name", "=", "alice", ignore_case=True),
    Wildcard("user.effective.name", "system:*"),
    Wildcard("user.effective.name", "*system*"),
    Wildcard("user.effective.name", "s*m:?o*"),
    Wildcard("user.effective.name", "A*", ignore_case=True),
    Present("user.effective.name"),
    Compare("user.effective.groups", "=", "g3"),
    Compare("user.effective.groups", "=", "system:masters"),
    Present("user.groups"),
    OneOf("user.groups", ("g1", "g4")),
    Compare("user.groups.1", "=", "g1"),
    Compare("request.dry_run", "=", True),
    Compare("request.dry_run", "=", "true"),
    *(Compare("event.outcome", "=", one) for one in ("success", "failure", "unknown")),
    Compare("rbac.role", "=", "cluster-admin"),
    OneOf("rbac.role", ("VIEW", "edit"), ignore_case=True),
    Present("rbac.role"),
    Compare("target.resource", "=", "pods/exec", ignore_case=True),
    Compare("target.resource", "=", "pods"),
    OneOf("target.resource", ("pods", "pods/exec", "rolebindings")),
    Present("target.resource"),
    Compare("target.name", "=", "made-x7"),
    Wildcard("target.name", "made-*"),
    Compare("objectRef.apiGroup", "=", "CORE", ignore_case=True),
    OneOf("objectRef.apiGroup", ("core", "apps")),
    Compare("objectRef.apiGroup", "=", "apps"),
    Present("objectRef.apiGroup"),
    Compare("event.truncated", "=", True),
    Present("source.ip"),
    Compare("source.ip", "=", "10.0.0.1"),
    InNetwork("source.ip", ("10.0.0.0/16", "2001:db8::/32")),
    InNetwork("sourceIPs", ("203.0.113.0/24", "1.2.3.4")),
    InNetwork("source.claimed_ip", ("10.0.0.0/8",)),
    Compare("sourceIPs", "=", "10.0.0.1"),
    Compare("responseStatus.code", ">=", "400"),
    Compare("responseStatus.code", "<", 400),
    OneOf("responseStatus.code", (403, "200", "no number")),
    Regex("requestURI", r"^/api/v1/[a-z]+/shop"),
    Regex("requestURI", r"\?DRYRUN=", ignore_case=True),
    Compare("requestObject.roleRef.name", "=", "view"),
]


@pytest.mark.parametrize("condition", DERIVED, ids=str)
def test_what_is_derived_is_said_by_what_it_is_derived_from(
    condition: Condition, special: DuckDBEngine
) -> None:
    total = count_of(Always(), special)
    wanted = count_of(condition, special)
    assert 0 < wanted < total or condition in NEVER_OR_ALWAYS
    if wanted:
        assert matched(condition, special) == wanted
        assert matched(Or((condition, condition)), special) == wanted
    if wanted < total:
        assert matched(Not(condition), special) == total - wanted
        assert matched(And((Not(condition), Present("verb"))), special) == total - wanted
    mixed = Or((And((condition, Compare("verb", "=", "get"))), Not(Or((condition, NOBODY)))))
    assert matched(mixed, special) == count_of(mixed, special)


NOBODY = Compare("user.username", "=", "nobody")
NEVER_OR_ALWAYS = (
    Compare("user.kind", "=", "HUMAN"),
    Present("user.kind"),
    Compare("user.controller", "=", False),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_text_and_never_commands(text: str, embedded: DuckDBEngine) -> None:
    total = count_of(Always(), embedded)
    said = 0
    for condition in conditions(text):
        wanted = count_of(condition, embedded)
        try:
            counts = matched(condition, embedded), matched(Not(condition), embedded)
        except NotTranslatable as error:
            assert "cannot order" in error.message
            continue
        said += 1
        assert counts == (wanted, total - wanted), filters(in_cloudwatch(condition))
    assert said == len(conditions(text)) - 1


def test_a_top_n_is_written_as_the_article_writes_it() -> None:
    assert to_insights(hunt_of("topn_user_by_ip")).text == (
        "# topn_user_by_ip: Busiest source addresses of people\n"
        "fields sourceIPs.0, user.username\n"
        "| filter ispresent(sourceIPs.0)\n"
        '| filter user.username not like "system"\n'
        "| stats count(*) as SRC_IP by sourceIPs.0, user.username\n"
        "| sort SRC_IP desc\n"
        "| limit 10\n"
    )


def test_a_threshold_says_that_intervals_stand_side_by_side() -> None:
    made = to_insights(hunt_of("forbidden_burst_user"))
    assert "# Intervals stand side by side here" in made.text
    assert "by user_effective_name, bin(5m)\n| filter n >= 4\n| sort n desc\n" in made.text


def test_a_list_is_looked_at_by_position_and_that_is_said() -> None:
    made = to_insights(sigma("{s: {user.groups: 'system:masters'}, condition: s}"))
    assert 'tolower(user.groups.0) = "system:masters" or' in made.text
    assert "# CloudWatch has elements of lists by position: user.groups is" in made.text


@pytest.mark.parametrize(
    ("detection", "why"),
    [
        ("pod.privileged: true", "pod.privileged is derived by k8sidx"),
        ("message: x", "message is derived by k8sidx"),
        ("userAgent|gt: 5", "userAgent"),
    ],
)
def test_what_cloudwatch_has_not_is_refused_by_name(detection: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        to_insights(sigma(f"{{s: {{{detection}}}, condition: s}}"))


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("user.groups", "user.groups is a list, and CloudWatch groups by single values"),
        ("user.effective.groups", "user.effective.groups is derived by k8sidx"),
        ("requestObject", "requestObject is an object"),
    ],
)
def test_what_cannot_be_grouped_by_is_refused_by_what_it_is(field: str, why: str) -> None:
    top = hunt_of("topn_user_by_ip")
    assert isinstance(top, TopHunt)
    with pytest.raises(NotTranslatable, match=why):
        to_insights(replace(top, by=(replace(top.by[0], field=field),)))


def test_all_that_is_lacking_is_named() -> None:
    with pytest.raises(NotTranslatable, match=r"pod\.privileged .*, pod\.host_pid is derived"):
        to_insights(hunt_of("dry_run_probe"))


def test_a_long_list_is_shortened_where_a_query_would_be_too_long(embedded: DuckDBEngine) -> None:
    accounts = tuple(f"system:serviceaccount:kube-system:controller-{n}" for n in range(250))
    hunt = hunt_of("impersonate_privileged_identity")
    text = to_insights(replace(hunt, condition=OneOf("user.username", accounts))).text
    assert len(text) <= 10_000 < sum(map(len, accounts))
    assert "system:serviceaccount:kube-system:" in text
    names = [f"user-{place}:{one}" for place in range(9) for one in HOSTILE]
    texts = OneOf("userAgent", (*names, *HOSTILE))
    assert "like /^(" in filters(in_cloudwatch(texts), short=True)[0]
    [short] = filters(in_cloudwatch(texts), short=True)
    found = answered(f"filter {short} | stats count(*)", embedded).rows
    assert found == [(count_of(texts, embedded),)]


def test_what_is_too_long_is_refused() -> None:
    agents = ", ".join(f"agent-{place:0100}" for place in range(200))
    with pytest.raises(NotTranslatable, match="characters, and CloudWatch accepts 10,000"):
        to_insights(sigma(f"{{s: {{userAgent|cased: [{agents}]}}, condition: s}}"))
