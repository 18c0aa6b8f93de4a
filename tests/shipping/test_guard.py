"""One record never stops a run: it is rejected, its neighbours are stored, the counts balance."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from k8sidx.backends.cluster.bulk import batch
from k8sidx.backends.cluster.bulk.batch import BatchBuilder
from k8sidx.backends.cluster.index.document import document
from k8sidx.backends.cluster.index.names import IndexNames, Period
from k8sidx.backends.embedded.storage import parts
from k8sidx.backends.embedded.storage.columns import to_table
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.cli.exit import EXIT_REJECTED
from k8sidx.errors import StoreError
from k8sidx.events.core import VARIABLE
from k8sidx.events.decode.unwrap import Unwrapper
from k8sidx.events.normalize.event import Normalized, Normalizer
from k8sidx.query.algebra import Query
from k8sidx.shipping.pipeline import ShipOptions, ShipReport, ship
from tests.building import event, normalized, write_log
from tests.cli.conftest import k8sidx

BOMB = "bomb"
ERRORS: list[Callable[[], Exception]] = [
    lambda: ValueError("of a kind"),
    lambda: KeyError("key"),
    lambda: TypeError("type"),
    lambda: AttributeError("attribute"),
    lambda: IndexError(),
    lambda: OverflowError("int too big"),
    lambda: ZeroDivisionError(),
    lambda: RecursionError("deep"),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    lambda: AssertionError(),
    lambda: StopIteration(),
    lambda: RuntimeError("\ud800"),
]


@pytest.fixture(autouse=True, scope="module")
def reference() -> Iterator[None]:
    """Read events in Python: the faults are put into it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "python")
        yield


def shipped(folder: Path, log: Path, **options: Any) -> ShipReport:
    report = ship([str(log)], EmbeddedStore(folder / "store"), ShipOptions(**options))
    assert report.read == report.indexed + report.duplicates + report.rejected
    return report


def names(folder: Path) -> set[str]:
    with EmbeddedStore(folder / "store").engine() as engine:
        return {str(row[0]) for row in engine.run(Query(select=("objectRef.name",))).rows}


def letters(report: ShipReport) -> list[dict[str, Any]]:
    assert report.dead_letter is not None
    return [json.loads(line) for line in report.dead_letter.read_text().splitlines()]


def log_with_bombs(path: Path, count: int, bombs: set[int]) -> Path:
    return write_log(
        path,
        [event(seconds=n, name=f"{BOMB if n in bombs else 'good'}-{n}") for n in range(count)],
    )


def raising(make: Callable[[], Exception]) -> Callable[[Any], None]:
    def check(event_: Normalized) -> None:
        if (event_.values.name or "").startswith(BOMB):
            raise make()

    return check


@pytest.fixture(params=ERRORS, ids=lambda make: type(make()).__name__)
def error(request: pytest.FixtureRequest) -> Callable[[], Exception]:
    make: Callable[[], Exception] = request.param
    return make


@pytest.fixture
def bombs() -> set[int]:
    return {0, 3, 41, 42, 150, 233, 299}


def assert_only_bombs_rejected(
    folder: Path, log: Path, report: ShipReport, bombs: set[int]
) -> None:
    assert (report.indexed, report.rejected) == (300 - len(bombs), len(bombs))
    assert names(folder) == {f"good-{n}" for n in range(300)} - {f"good-{n}" for n in bombs}
    rejects = letters(report)
    assert {(one["source"], one["record"]) for one in rejects} == {(str(log), n + 1) for n in bombs}
    for one in rejects:
        assert one["reason"]
        assert json.loads(one["raw"])["objectRef"]["name"] == f"{BOMB}-{one['record'] - 1}"


def test_ship_rejects_only_the_records_that_normalizing_fails_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    bombs: set[int],
) -> None:
    normalize, check = Normalizer.normalize, raising(error)

    def failing(self: Normalizer, *args: Any) -> Normalized:
        result = normalize(self, *args)
        check(result)
        return result

    monkeypatch.setattr(Normalizer, "normalize", failing)
    log = log_with_bombs(tmp_path / "a.log", 300, bombs)
    report = shipped(tmp_path, log, processes=1)
    assert_only_bombs_rejected(tmp_path, log, report, bombs)


def test_ship_rejects_only_the_records_that_decoding_fails_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    bombs: set[int],
) -> None:
    unwrap = Unwrapper.unwrap

    def failing(self: Unwrapper, line: bytes, *args: Any) -> Iterator[Any]:
        if BOMB.encode() in line:
            raise error()
        yield from unwrap(self, line, *args)

    monkeypatch.setattr(Unwrapper, "unwrap", failing)
    log = log_with_bombs(tmp_path / "a.log", 300, bombs)
    # An envelope: plain events are not unwrapped.
    lines = [json.dumps({"x": 1, **json.loads(line)}) for line in log.read_text().splitlines()]
    log.write_text("\n".join(lines), "utf-8")
    report = shipped(tmp_path, log, processes=1)
    assert_only_bombs_rejected(tmp_path, log, report, bombs)


def test_ship_rejects_only_the_records_that_no_part_can_be_made_of(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    bombs: set[int],
) -> None:
    check = raising(error)

    def failing(events: list[Normalized], *args: Any) -> Any:
        for one in events:
            check(one)
        return to_table(events, *args)

    monkeypatch.setattr(parts, "to_table", failing)
    log = log_with_bombs(tmp_path / "a.log", 300, bombs)
    report = shipped(tmp_path, log, processes=1)
    assert_only_bombs_rejected(tmp_path, log, report, bombs)
    monkeypatch.undo()
    assert report.dead_letter is not None
    again = shipped(tmp_path, report.dead_letter)
    assert (again.indexed, again.rejected) == (len(bombs), 0)


def test_ship_stores_the_rest_when_a_whole_part_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = raising(ERRORS[0])

    def failing(events: list[Normalized], *args: Any) -> Any:
        for one in events:
            check(one)
        return to_table(events, *args)

    monkeypatch.setattr(parts, "to_table", failing)
    days = [event(name=f"{BOMB}-1"), event(name="good", seconds=90_000)]
    report = shipped(tmp_path, write_log(tmp_path / "a.log", days))
    assert (report.indexed, report.rejected) == (1, 1)


def test_ship_raises_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*args: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts, "to_table", failing)
    with pytest.raises((OSError, StoreError)):
        shipped(tmp_path, write_log(tmp_path / "a.log", [event()]))


def test_ship_names_the_part_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, schema: Any, compression: Any) -> Any:
        return pq.ParquetWriter("/dev/full", schema)

    monkeypatch.setattr(parts, "open_writer", full)
    with pytest.raises(StoreError, match=r"\.parquet cannot be written: No space left on device"):
        shipped(tmp_path, write_log(tmp_path / "a.log", [event()]))


def test_ship_raises_when_there_is_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(Normalizer, "normalize", failing)
    with pytest.raises(MemoryError):
        shipped(tmp_path, write_log(tmp_path / "a.log", [event()]))


def test_batch_builder_refuses_only_the_events_that_no_document_can_be_made_of(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], bombs: set[int]
) -> None:
    check = raising(error)

    def failing(event_: Normalized) -> bytes:
        check(event_)
        return document(event_)

    monkeypatch.setattr(batch, "document", failing)
    builder = BatchBuilder(IndexNames("k8s-audit", Period.DAY))
    events = [
        normalized(event(seconds=n, name=f"{BOMB if n in bombs else 'good'}-{n}"))
        for n in range(300)
    ]
    builder.add(1, events[:150], range(1, 151))
    builder.add(2, events[150:], range(151, 301))
    assert {(one.chunk, one.record) for one in builder.take_refused()} == {
        (1 if n < 150 else 2, n + 1) for n in bombs
    }
    assert builder.take_refused() == []
    [made] = builder.finish()
    assert made.records == [n + 1 for n in range(300) if n not in bombs]
    assert len(made.documents) == len(made.records) == made.chunks[-1][1]
    assert made.chunk_of(0) == 1


# A log of other people's making

URI = "/api/v1/namespaces/default/pods/x/{}?a={}"
FULL = event(
    "create",
    "pods",
    name="web",
    subresource="exec",
    code=403,
    level="RequestResponse",
    impersonatedUser={"username": "carol", "groups": ["a"], "extra": {"k": ["v"]}},
    authenticationMetadata={"impersonationConstraint": "x"},
    requestObject={
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"a": "b"}},
        "spec": {"hostPID": True, "containers": [{"image": "a", "env": [{"name": "X"}]}]},
    },
    responseObject={"kind": "Status", "status": "Failure", "details": {"causes": []}},
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        items: Any = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "9999-12-31T23:59:59.999999-23:59",
            "0000-00-00T00:00:00Z",
            "10000-01-01T00:00:00.000000Z",
            "2026-11-23T12:00:00.000000Z",
            URI.format("exec", "&" * 10_000),
            "/api?" + "%" * 50,
            "::1%eth0",
            "\ud800",
            "\0",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(list(paths(FULL))), st.sampled_from(["set", "drop", "add"]), VALUES),
    min_size=1,
    max_size=4,
)


def mutated(mutations: list[tuple[tuple[Any, ...], str, Any]]) -> dict[str, Any]:
    body = copy.deepcopy(FULL)
    for path, action, value in mutations:
        parent: Any = body
        try:
            for key in path[:-1]:
                parent = parent[key]
            if action == "drop":
                del parent[path[-1]]
            elif action == "add" and isinstance(parent[path[-1]], dict):
                parent[path[-1]][str(value)] = value
            else:
                parent[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation has removed it
    return body


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(mutations=[(("requestURI",), "set", URI.format("exec", "&" * 10_000))])
@example(mutations=[(("stageTimestamp",), "set", "9999-12-31T23:59:59.999999-23:59")])
@example(mutations=[(("requestReceivedTimestamp",), "set", "9999-12-31T23:59:59.999999-23:59")])
@given(mutations=MUTATIONS)
def test_ship_stores_the_neighbours_of_any_mutation_of_an_event(
    mutations: list[tuple[tuple[Any, ...], str, Any]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = write_log(
            folder / "a.log",
            [event(name="first"), mutated(mutations), event(name="last", seconds=9)],
        )
        report = shipped(folder, log, processes=1)
        assert {"first", "last"} <= names(folder)
        assert report.read + sum(report.skipped.values()) == 3
        for reject in report.rejects:
            assert "internal error" not in reject.reason


@given(
    data=st.binary(max_size=40),
    at=st.integers(0, len(json.dumps(FULL))),
    length=st.integers(0, 40),
)
@settings(max_examples=150, deadline=None)
def test_ship_stores_the_neighbours_of_any_damage_to_a_line(
    data: bytes, at: int, length: int
) -> None:
    line = json.dumps(FULL).encode()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "a.log"
        neighbours = [json.dumps(event(name=one)).encode() for one in ("first", "last")]
        damaged = line[:at] + data + line[at + length :]
        log.write_bytes(neighbours[0] + b"\n" + damaged + b"\n" + neighbours[1] + b"\n")
        report = shipped(folder, log, processes=1)
        assert {"first", "last"} <= names(folder)
        for reject in report.rejects:
            assert "internal error" not in reject.reason


@pytest.mark.parametrize("subresource", ["log", "exec", "attach", "portforward"])
@pytest.mark.parametrize("processes", [1, 2])
def test_ship_indexes_a_request_of_very_many_parameters(
    tmp_path: Path, subresource: str, processes: int
) -> None:
    bad = event(
        name="bad", subresource=subresource, requestURI=URI.format(subresource, "&" * 10_000)
    )
    log = write_log(tmp_path / "a.log", [event(name="a"), bad, event(name="z", seconds=9)])
    report = shipped(tmp_path, log, processes=processes)
    assert (report.indexed, report.rejected) == (3, 0)


def test_ship_ends_with_exit_code_4_when_a_record_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Normalizer, audit: Any, *args: Any) -> Normalized:
        raise ValueError("secret in the text of the error")

    monkeypatch.setattr(Normalizer, "normalize", failing)
    log = write_log(tmp_path / "a.log", [event()])
    result = k8sidx("ship", log, "--store", tmp_path / "store")
    assert result.exit_code == EXIT_REJECTED
    assert f"{log}:1: internal error: ValueError at" in result.stderr
    assert "secret" not in result.stderr
