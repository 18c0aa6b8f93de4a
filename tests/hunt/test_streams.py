"""The article's hunts, over streams that fire them and near misses that do not.

For the whole library: ``tests/hunt/library``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from k8sidx.backends.protocol import Engine
from k8sidx.hunt.library.load import load_hunts, load_library
from k8sidx.hunt.run import Window, run_hunt, run_hunts
from tests.building import START, event
from tests.judge.engines import CaseEngine, embedded, tagged
from tests.stores import stored

Events = Sequence[dict[str, Any]]
OPERATOR = "system:serviceaccount:external-secrets:external-secrets"
THIEF = "system:serviceaccount:shop:frontend"


def refused(*resources: str, verb: str = "list", every: float = 5, **more: Any) -> Events:
    return [
        event(verb, resource, code=403, seconds=place * every, **more)
        for place, resource in enumerate(resources)
    ]


def reads(count: int, *, every: float = 10, verb: str = "get", **more: Any) -> Events:
    return [
        event(verb, "secrets", name=f"secret-{place}", seconds=place * every, **more)
        for place in range(count)
    ]


def execs(count: int, *, every: float = 10, **more: Any) -> Events:
    return [
        event(name="cart-1", subresource="exec", seconds=place * every, **more)
        for place in range(count)
    ]


def minutes(*counts: int) -> Events:
    """So many refused requests in each minute, with one that was allowed."""
    made = [event(seconds=60 * minute + 59) for minute in range(len(counts))]
    for minute, count in enumerate(counts):
        made += [
            event(user="mallory", code=403, seconds=60 * minute + place / 10)
            for place in range(count)
        ]
    return made


WEEK = 7 * 86_400
LAST_DAY = Window(since=START + timedelta(days=7), baseline=timedelta(days=7))
FOUR = ("secrets", "pods", "nodes", "roles")

MATCH_AND_BURST: list[tuple[str, Events, Events]] = [
    ("unauthorized_or_forbidden", [event(code=403)], [event(code=404), event(code=200)]),
    (
        "unauthorized_or_forbidden",
        [event(code=401, stage="ResponseStarted", user="", annotations=None)],
        [event(code=400)],
    ),
    ("pod_exec", execs(1, code=101), execs(1, code=403)),
    (
        "pod_exec",
        execs(1, verb="create", code=101),
        [event(name="cart-1", subresource="log"), event(verb="create")],
    ),
    (
        "pod_exec",
        execs(1, code=101, stage="ResponseStarted"),
        [
            *execs(1, code=403),
            event(name="cart-1", subresource="exec", stage="RequestReceived", responseStatus=None),
        ],
    ),
    ("exec_forbidden_repeat", execs(3, code=403), execs(2, code=403)),
    ("exec_forbidden_repeat", execs(3, code=403, every=299), execs(3, code=403, every=301)),
    (
        "forbidden_burst_user",
        refused(*FOUR, user="mallory"),
        refused(*FOUR[:3], *FOUR[:3], user="mallory"),
    ),
    (
        "forbidden_burst_user",
        refused(*FOUR, every=100),
        [*refused(*FOUR[:2], user="alice"), *refused(*FOUR[2:], user="bob")],
    ),
    (
        "forbidden_list_burst",
        [e for n in range(5) for e in refused("pods", namespace=f"team-{n}")],
        [e for n in range(4) for e in refused("pods", namespace=f"team-{n}")],
    ),
    ("forbidden_list_burst", refused(*FOUR, "jobs"), refused(*FOUR, "jobs", verb="get")),
    ("secret_read_burst", reads(4), reads(3)),
    ("secret_read_burst", reads(4, user=THIEF), reads(40, user=OPERATOR)),
    (
        "secret_read_burst",
        [event("watch", "secrets", namespace=f"team-{n}", user=THIEF) for n in range(4)],
        [event("watch", "secrets", seconds=n, user=THIEF) for n in range(40)],
    ),
    ("secret_read_burst", reads(4, every=190), reads(4, code=403)),
    (
        "secret_read_burst",
        reads(4, user="admin", impersonatedUser={"username": "eve"}),
        reads(9, user="system:serviceaccount:kube-system:namespace-controller"),
    ),
    ("secret_get_denied", reads(5, code=403, user=THIEF), reads(4, code=403, user=THIEF)),
    ("secret_get_denied", reads(5, code=404), reads(9, code=200)),
    ("secret_get_denied", reads(5, verb="list", code=403), reads(9, code=404, user=OPERATOR)),
    ("forbidden_surge", minutes(*[3] * 11, 40), minutes(*[3] * 11, 29)),
    ("forbidden_surge", minutes(*[0] * 10, 60), minutes(*[55, 45] * 6, 60)),
]

COMPARED: list[tuple[str, Events, Events]] = [
    (
        "new_user_agent",
        [event(user="bob"), event(user="bob", agent="curl/8.5", seconds=WEEK)],
        [
            event(user="bob", agent="kubectl/v1.30.0 (linux/amd64)"),
            event(user="bob", agent="kubectl/v1.31.0 (linux/amd64)", seconds=WEEK),
        ],
    ),
    (
        "new_user_agent",
        [event(), event(user="eve", seconds=WEEK)],
        [
            event(),
            event(user="system:kube-scheduler", agent="kube-scheduler/v1.37", seconds=WEEK),
            event(
                user="system:anonymous",
                agent="kube-probe/1.37",
                requestURI="/livez?verbose",
                objectRef=None,
                seconds=WEEK,
            ),
        ],
    ),
]

ENTERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("topn_user_agent", {"agent": "nmap/7"}, {}),
    ("topn_source_ip", {"source": "192.0.2.66"}, {"source": "::1"}),
    ("topn_user_by_agent", {"user": "eve"}, {"user": "system:node:node-9"}),
    ("topn_user_by_ip", {"user": "eve"}, {"user": "system:node:node-9"}),
    ("topn_status_code", {"code": 418}, {"code": 200}),
    ("topn_forbidden_user", {"user": "eve", "code": 403}, {"user": "eve", "code": 200}),
    (
        "topn_forbidden_list_resource",
        {"verb": "list", "code": 403, "user": "eve"},
        {"verb": "get", "code": 403, "user": "eve"},
    ),
]
USUAL = [
    event(),
    event("list", code=403, user="bob", seconds=1),
    event("get", code=403, user="bob", seconds=1),
]

ALL_TIME = Window()


FIRES: dict[str, tuple[str, Events, Window]] = {
    f"fires {place}": one
    for place, one in enumerate(
        [
            *((hunt, fires, ALL_TIME) for hunt, fires, _ in MATCH_AND_BURST),
            *((hunt, fires, LAST_DAY) for hunt, fires, _ in COMPARED),
            *((hunt, [*USUAL, event(seconds=WEEK, **new)], LAST_DAY) for hunt, new, _ in ENTERS),
        ]
    )
}
MISSES: dict[str, tuple[str, Events, Window]] = {
    f"misses {place}": one
    for place, one in enumerate(
        [
            *((hunt, misses, ALL_TIME) for hunt, _, misses in MATCH_AND_BURST),
            *((hunt, misses, LAST_DAY) for hunt, _, misses in COMPARED),
            *((hunt, [*USUAL, event(seconds=WEEK, **old)], LAST_DAY) for hunt, _, old in ENTERS),
        ]
    )
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Over the events of all cases, each tagged with its case."""
    cases = {case: events for case, (_, events, _) in (FIRES | MISSES).items()}
    with embedded(tmp_path_factory.mktemp("streams"), tagged(cases)) as opened:
        yield opened


@pytest.mark.parametrize("case", FIRES)
def test_a_hunt_fires(case: str, engine: Engine) -> None:
    hunt, _, window = FIRES[case]
    found = run_hunt(load_hunts([hunt])[0], CaseEngine(engine, case), window)
    assert len(found.findings) == 1, found.notes
    finding = found.findings[0]
    assert finding.hunt == hunt
    assert finding.level == found.level
    assert finding.count >= 1
    assert finding.audit_ids
    assert finding.first_seen is not None
    assert finding.last_seen is not None
    assert finding.first_seen <= finding.last_seen
    assert "{" not in finding.reason


@pytest.mark.parametrize("case", MISSES)
def test_a_near_miss_is_no_finding(case: str, engine: Engine) -> None:
    hunt, _, window = MISSES[case]
    found = run_hunt(load_hunts([hunt])[0], CaseEngine(engine, case), window)
    assert found.findings == []
    assert found.notes == ()


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with stored(tmp_path_factory.mktemp("nothing") / "store", []).engine() as engine:
        yield engine


ONE_OF_EACH_KIND = {hunt.kind: hunt for hunt in load_library()}.values()


@pytest.mark.parametrize("window", [ALL_TIME, LAST_DAY, Window(baseline=timedelta(days=1))])
def test_an_empty_store_has_no_rows(window: Window, nothing: Engine) -> None:
    results = [run_hunt(hunt, nothing, window) for hunt in ONE_OF_EACH_KIND]
    results += run_hunts(load_library(), nothing, window)
    assert [one.hunt for one in results if one.rows or one.findings] == []
