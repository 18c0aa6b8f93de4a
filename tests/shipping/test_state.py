"""The state file: never ahead of what is stored, and clear about what is wrong with it."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.errors import UsageError
from k8sidx.events.records import Chunk, Position
from k8sidx.shipping.pipeline import ShipOptions, ShipReport, ship
from k8sidx.shipping.sources.follow.position import mark
from k8sidx.shipping.sources.follow.registry import LogFile
from k8sidx.shipping.state import State, default_state
from tests.building import event, write_log
from tests.stores import stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def chunk(number: int, file: int) -> Chunk:
    place = Position(number * 100, number * 10, mark(b"head"), mark(b"%d" % number))
    return Chunk("audit.log", number * 10 - 9, b"{}", number * 100, file, place)


def saved(path: Path) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = json.loads(path.read_text())["files"]
    return files


def test_the_place_does_not_pass_what_is_not_delivered(path: Path) -> None:
    with State(path) as state:
        one, other = (state.register.add(LogFile(name, name)) for name in ("a", "b"))
        chunks = [chunk(number, one) for number in (1, 2, 3, 4)]
        for begun in (*chunks, chunk(1, other)):
            state.begun(begun)
        offsets = []
        for number in (1, 0, 3, 2):
            state.delivered(chunks[number]._replace(data=b""))
            state.save()
            offsets.append(saved(path)[0]["offset"])
        assert offsets == [0, 200, 200, 400]
        assert saved(path)[1]["offset"] == 0


def test_what_was_saved_is_read_again(path: Path) -> None:
    with State(path) as state:
        place = chunk(2, 0).position or Position()
        file = LogFile("a\udcff.log", "b.log", 1, 2, 3, 4, 5.5, True, place)
        state.register.add(file)
    with State(path) as state:
        assert state.register.copies() == [file]


def test_two_runs_on_one_state_are_refused(path: Path) -> None:
    with State(path), pytest.raises(UsageError, match="another k8sidx ship is using"):
        State(path)
    with State(path):
        pass


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"format": "k8sidx-ship-state", "ver', "is damaged.*Delete it"),
        ('{"format": "k8sidx-ship-state", "version": 1, "files": [{}]}', "is damaged"),
        ('{"format": "k8sidx-ship-state", "version": 1, "files": 5}', "is damaged"),
        ('{"format": "k8sidx-ship-state", "version": 2}', "version 2, newer.*Upgrade"),
        ('{"kind": "Event"}', "is not a state file"),
        ("[]", "is not a state file"),
    ],
)
def test_a_state_that_cannot_be_used_is_refused_and_kept(
    path: Path, content: str, why: str
) -> None:
    path.write_text(content)
    with pytest.raises(UsageError, match=why):
        State(path)
    assert path.read_text() == content


def test_a_default_state_is_for_the_same_inputs_and_store(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    one = default_state(["a.log", "b.log"], store)
    assert one.parent == tmp_path / "store" / "state"
    assert one == default_state(["b.log", str(Path.cwd() / "a.log")], store)
    assert one != default_state(["a.log"], store)


# The store that it is of


def refused(tmp_path: Path, store: str, log: Path) -> str:
    with State(tmp_path / "state.json") as state, pytest.raises(UsageError) as error:
        ship([str(log)], EmbeddedStore(tmp_path / store), ShipOptions(processes=1), state=state)
    return str(error.value)


def test_ship_refuses_a_state_file_of_another_store(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event(seconds=n) for n in range(10)])
    assert shipped(tmp_path, log).indexed == 10
    before = (tmp_path / "state.json").read_text()
    stored(tmp_path / "other", [event(name="x")])
    message = refused(tmp_path, "other", log)
    assert "is another one" in message
    assert "another --state. Delete it to ship everything again" in message
    assert json.loads((tmp_path / "state.json").read_text()) == json.loads(before)


def test_ship_refuses_a_state_file_whose_store_was_deleted(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event()])
    assert shipped(tmp_path, log).indexed == 1
    shutil.rmtree(tmp_path / "store")
    assert "does not exist any more" in refused(tmp_path, "store", log)
    assert not (tmp_path / "store").exists()
    stored(tmp_path / "store", [event(name="x")])
    assert "is another one" in refused(tmp_path, "store", log)


def test_ship_refuses_a_state_file_whose_store_was_restored(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event()])
    assert shipped(tmp_path, log).indexed == 1
    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    with log.open("a") as file:
        file.write(json.dumps(event(name="more")) + "\n")
    assert shipped(tmp_path, log).indexed == 1
    assert "has 1 events, fewer than the 2" in refused(tmp_path, "backup", log)
    assert shipped(tmp_path, log).read == 0


def test_ship_accepts_a_state_file_without_a_store_and_names_it(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event()])
    assert shipped(tmp_path, log).indexed == 1
    path = tmp_path / "state.json"
    content = json.loads(path.read_text())
    store = content.pop("store")
    assert store["events"] == 1
    path.write_text(json.dumps(content))
    assert shipped(tmp_path, log).read == 0
    assert json.loads(path.read_text())["store"] == store


def test_ship_accepts_a_state_file_that_records_nothing_yet_for_any_store(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.touch()
    assert shipped(tmp_path, log).read == 0
    shutil.rmtree(tmp_path / "store")
    write_log(log, [event()])
    assert shipped(tmp_path, log).indexed == 1


# Without following


def shipped(tmp_path: Path, *inputs: Path) -> ShipReport:
    store = EmbeddedStore(tmp_path / "store")
    with State(tmp_path / "state.json") as state:
        options = ShipOptions(processes=1)
        return ship([str(one) for one in inputs], store, options, state=state)


def test_what_was_shipped_is_left_out_and_what_was_added_is_shipped(tmp_path: Path) -> None:
    events = [event(seconds=n, name=f"n{n}") for n in range(200)]
    log = write_log(tmp_path / "audit.log", events[:100])
    packed = tmp_path / "old.log.gz"
    packed.write_bytes(gzip.compress(b"".join(json.dumps(one).encode() + b"\n" for one in events)))
    pretty = tmp_path / "list.json"
    pretty.write_text(json.dumps({"kind": "EventList", "items": events[150:]}, indent=1))
    first = shipped(tmp_path, log, packed, pretty)
    assert (first.read, first.indexed) == (350, 200)
    again = shipped(tmp_path, log, packed, pretty)
    assert again.read == 0
    with log.open("a") as file:
        file.write(json.dumps(event(name="new")) + "\n" + '{"kind":"Event","auditID":"cut\n')
    third = shipped(tmp_path, log, packed, pretty)
    assert (third.read, third.indexed, third.rejected) == (2, 1, 1)
    assert third.rejects[0].where.record == 102
    assert shipped(tmp_path, log, packed, pretty).read == 0


def test_a_rotated_file_goes_on_where_it_was(tmp_path: Path) -> None:
    events = [event(seconds=n, name=f"n{n}") for n in range(200)]
    log = write_log(tmp_path / "audit.log", events[:50])
    assert shipped(tmp_path, log).indexed == 50
    whole = write_log(tmp_path / "audit.log", events[:100]).read_bytes()
    (tmp_path / "audit-2026-11-23T12-00-00.1.log.gz").write_bytes(gzip.compress(whole))
    log.unlink()
    write_log(log, events[100:])
    report = shipped(tmp_path, log)
    assert (report.indexed, report.duplicates) == (150, 0)


def test_a_state_that_knows_more_files_reads_only_what_is_asked_for(tmp_path: Path) -> None:
    first = write_log(tmp_path / "a.log", [event(name="a")])
    second = write_log(tmp_path / "b.log", [event(name="b")])
    assert shipped(tmp_path, first, second).indexed == 2
    for log in (first, second):
        with log.open("a") as file:
            file.write(json.dumps(event(name=f"more of {log.name}")) + "\n")
    assert shipped(tmp_path, second).indexed == 1
    assert shipped(tmp_path, first, second).indexed == 1
