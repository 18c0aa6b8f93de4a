"""Following logs that are written and rotated: each line comes once, whatever happens."""

from __future__ import annotations

import gzip
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8sidx.events.records import Chunk, Rejected, Skipped
from k8sidx.shipping.sources.files.chunks import RECORD_LIMIT
from k8sidx.shipping.sources.follow import discovery, rotation
from k8sidx.shipping.sources.follow.follower import Follower
from k8sidx.shipping.sources.follow.registry import Registry
from tests.shipping.sources.log_writer import LogWriter, line, numbers, pack, settle

CLOSE_AFTER = 0.6


class Following:
    """A follower in a thread, and what it gave."""

    def __init__(self, *inputs: Path | str, register: Registry | None = None, **options: Any):
        self.register = register or Registry()
        self.chunks: list[Chunk] = []
        self.others: list[Rejected | Skipped] = []
        self.told: list[str] = []
        options = {"record_limit": RECORD_LIMIT, "close_after": CLOSE_AFTER, **options}
        names = [str(one) for one in inputs]
        self._follower = Follower(names, self.register, on_message=self.told.append, **options)
        self._failed: list[BaseException] = []
        self._paused = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._follower:
                self._take()
        except BaseException as error:  # noqa: BLE001 - for the test to raise
            self._failed.append(error)

    def _take(self) -> None:
        for piece in self._follower.pieces():
            while self._paused.is_set():
                time.sleep(0.01)
            if isinstance(piece, Chunk):
                self.chunks.append(piece)
                assert piece.position is not None
                self.register[piece.file].delivered = piece.position
            elif piece is not None:
                self.others.append(piece)

    def seen(self) -> list[int]:
        return [number for chunk in list(self.chunks) for number in numbers(chunk.data)]

    def wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not until():
            assert time.monotonic() < deadline, (len(self.seen()), self.others, self.told)
            assert not self._failed, self._failed
            time.sleep(0.01)

    def wait_for(self, count: int) -> None:
        self.wait(lambda: len(self.seen()) >= count)

    def pause(self) -> None:
        """Take nothing more for now, as when the store is away."""
        self._paused.set()

    def go_on(self) -> None:
        self._paused.clear()

    def stop(self) -> Registry:
        """End; what a restart has to go on from."""
        self.go_on()
        self._follower.stop()
        self._thread.join()
        assert not self._failed, self._failed
        return Registry(self.register.copies())


@pytest.fixture
def follow() -> Iterator[Callable[..., Following]]:
    started: list[Following] = []

    def start(*inputs: Path | str, **options: Any) -> Following:
        started.append(Following(*inputs, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogWriter]:
    writer = LogWriter(tmp_path / "audit.log")
    yield writer
    writer.close()


Follow = Callable[..., Following]


def each_once(following: Following, log: LogWriter) -> bool:
    following.wait_for(log.written)
    time.sleep(0.3)
    return following.seen() == list(range(1, log.written + 1))


def test_lines_come_as_they_are_written_and_half_ones_wait(follow: Follow, log: LogWriter) -> None:
    log.write(3)
    following = follow(log.path)
    following.wait_for(3)
    rest = log.half()
    time.sleep(0.5)
    assert following.seen() == [1, 2, 3]
    log.raw(rest)
    following.wait_for(4)
    assert [chunk.first for chunk in following.chunks] == [1, 4]


def test_a_log_that_is_not_there_yet_is_waited_for(follow: Follow, tmp_path: Path) -> None:
    following = follow(tmp_path / "later" / "audit.log", tmp_path / "other-*.log")
    time.sleep(0.3)
    (tmp_path / "later").mkdir()
    log = LogWriter(tmp_path / "later" / "audit.log")
    log.write(2)
    (tmp_path / "other-1.log").write_bytes(line(10))
    following.wait_for(3)
    assert sorted(following.seen()) == [1, 2, 10]
    log.close()


def test_rotation_by_renaming(follow: Follow, log: LogWriter) -> None:
    log.write(1)
    following = follow(log.path)
    following.wait_for(1)
    for _ in range(5):
        log.write(20)
        pack(log.rotate())
        log.write(3)
    assert each_once(following, log)


def test_a_line_that_is_half_written_at_rotation_is_completed(
    follow: Follow, log: LogWriter
) -> None:
    following = follow(log.path)
    log.write(2)
    rest = log.half()
    following.wait_for(2)
    log.rotate(reopen=False)
    time.sleep(0.3)
    log.raw(rest)
    log.reopen()
    log.write(2)
    assert each_once(following, log)


def test_a_last_line_that_never_ends_is_given_out_after_rotation(
    follow: Follow, log: LogWriter
) -> None:
    following = follow(log.path)
    log.write(2)
    log.raw(line(3).rstrip(b"\n"))
    following.wait_for(2)
    log.rotate().unlink()
    following.wait_for(3)


def test_a_file_that_is_gone_for_good_is_read_to_its_end(follow: Follow, log: LogWriter) -> None:
    following = follow(log.path)
    log.write(2)
    following.wait_for(2)
    log.path.unlink()
    log.write(5)
    assert each_once(following, log)
    following.wait(lambda: following.register[0].read.ended)
    assert following.told == []


@pytest.mark.parametrize("append", [True, False])
def test_rotation_by_copying_and_truncating(follow: Follow, log: LogWriter, append: bool) -> None:
    if not append:
        log.close()
        # The API server does not open its log for appending: a hole is left at the start.
        log._file = log.path.open("r+b", buffering=0)
    following = follow(log.path)
    for _ in range(4):
        log.write(20)
        following.wait_for(log.written)
        log.copy_and_truncate()
        log.write(2)
    assert each_once(following, log)


def test_what_was_not_read_before_truncation_is_read_from_the_copy(
    follow: Follow, log: LogWriter
) -> None:
    log.write(20)
    following = follow(log.path)
    following.wait_for(20)
    following.pause()
    time.sleep(0.2)
    log.write(30)
    pack(log.copy_and_truncate())
    log.write(40)
    following.go_on()
    following.wait_for(log.written)
    time.sleep(0.3)
    assert sorted(following.seen()) == list(range(1, log.written + 1))


def test_rotated_files_are_read_even_when_deleted_while_the_store_is_away(
    follow: Follow, log: LogWriter
) -> None:
    log.write(5)
    following = follow(log.path)
    following.wait_for(5)
    following.pause()
    for _ in range(4):
        log.write(50)
        aside = log.rotate()
        time.sleep(0.5)
        aside.unlink()
    log.write(5)
    time.sleep(0.5)
    following.go_on()
    following.wait_for(log.written)
    assert sorted(following.seen()) == list(range(1, log.written + 1))


@pytest.mark.parametrize("packed", [False, True])
def test_a_restart_finds_all_files_that_came_in_between(
    follow: Follow, log: LogWriter, packed: bool
) -> None:
    log.write(30)
    following = follow(log.path)
    following.wait_for(30)
    register = following.stop()
    for _ in range(3):
        log.write(25)
        aside = log.rotate()
        if packed:
            pack(aside)
    log.write(5)
    second = follow(log.path, register=register)
    second.wait_for(80)
    time.sleep(0.3)
    assert sorted(second.seen()) == list(range(31, log.written + 1))
    third = follow(log.path, register=second.stop())
    log.write(1)
    third.wait_for(1)
    time.sleep(1)
    assert third.seen() == [log.written]


def test_a_restart_reads_a_rotated_file_on_that_no_name_leads_to(
    follow: Follow, log: LogWriter
) -> None:
    log.write(10)
    following = follow(log.path)
    following.wait_for(10)
    following.pause()
    time.sleep(0.3)
    log.write(10)
    aside = log.rotate()
    time.sleep(0.5)
    log.write(1)
    register = Registry(following.register.copies())  # killed here
    pack(aside)
    second = follow(log.path, register=register)
    second.wait_for(11)
    assert sorted(second.seen()) == list(range(11, 22))


def test_a_loss_is_said(follow: Follow, log: LogWriter) -> None:
    log.write(10)
    following = follow(log.path)
    following.wait_for(10)
    following.pause()
    time.sleep(0.3)
    log.write(10)
    aside = log.rotate()
    time.sleep(0.5)
    register = Registry(following.register.copies())  # killed here
    aside.unlink()
    second = follow(log.path, register=register)
    second.wait(lambda: bool(second.told))
    assert "removed before all of it was read" in second.told[0]


def test_a_glob_takes_up_new_files_and_rotation_inside_it(follow: Follow, tmp_path: Path) -> None:
    first, second = LogWriter(tmp_path / "audit-a.log"), LogWriter(tmp_path / "audit-b.log")
    following = follow(tmp_path / "audit*.log*")
    for _ in range(3):
        for log in (first, second):
            log.write(10)
            pack(log.rotate())
            log.write(1)
    following.wait_for(66)
    time.sleep(3)
    assert sorted(following.seen()) == sorted([*range(1, 34), *range(1, 34)])
    assert following.others == []
    third = follow(tmp_path / "audit*.log*", register=following.stop())
    time.sleep(0.5)
    assert third.seen() == []
    first.close()
    second.close()


def test_a_file_that_is_rotated_between_its_status_and_its_opening_keeps_its_identity(
    follow: Follow, log: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file with that identity later would pass as the one that is read."""
    status = rotation.file_status
    rotations: list[Path] = []

    def then_rotated(path: str) -> os.stat_result | None:
        about = status(path)
        if path == str(log.path) and not rotations:
            rotations.append(pack(log.rotate()))
            log.write(1)
        return about

    log.write(10)
    monkeypatch.setattr(discovery, "file_status", then_rotated)
    following = follow(f"{log.path}*")
    following.wait_for(1)
    for file in following.stop().copies():
        about = Path(file.path).stat()
        assert (file.device, file.inode) == (about.st_dev, about.st_ino), file


def test_a_folder_with_compressed_files(follow: Follow, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "1.log.gz").write_bytes(gzip.compress(line(1) + line(2)))
    settle(tmp_path / "old" / "1.log.gz")
    (tmp_path / "new.log").write_bytes(line(3))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "x").write_bytes(line(4))
    following = follow(tmp_path, excluded=[tmp_path / "store"])
    following.wait_for(3)
    time.sleep(0.3)
    assert sorted(following.seen()) == [1, 2, 3]


def test_a_link_to_the_current_file_as_kubernetes_has_it(follow: Follow, tmp_path: Path) -> None:
    pods = tmp_path / "pods"
    pods.mkdir()
    log = LogWriter(pods / "0.log")
    link = tmp_path / "containers.log"
    link.symlink_to(pods / "0.log")
    following = follow(link)
    log.write(3)
    following.wait_for(3)
    log.path.rename(pods / "0.log.20261124-101112")
    log.write(1)
    log.reopen()
    log.write(2)
    following.wait_for(6)
    log.close()
    restarted = LogWriter(pods / "1.log")
    restarted.write(4)
    link.unlink()
    link.symlink_to(pods / "1.log")
    following.wait_for(10)
    assert following.seen() == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4]
    restarted.close()


def test_a_file_replaced_by_one_that_goes_on_is_not_read_again(
    follow: Follow, log: LogWriter, tmp_path: Path
) -> None:
    log.write(20)
    following = follow(log.path)
    following.wait_for(20)
    aside = tmp_path / "aside"
    shutil.copyfile(log.path, aside)
    aside.replace(log.path)
    log.reopen()
    log.write(5)
    assert each_once(following, log)


def test_a_new_file_with_the_old_inode_is_a_new_file(follow: Follow, log: LogWriter) -> None:
    log.write(20)
    following = follow(log.path)
    following.wait_for(20)
    register = following.stop()
    with log.path.open("r+b") as same_inode:
        same_inode.truncate()
        same_inode.write(b"".join(line(n) for n in range(100, 140)))
    second = follow(log.path, register=register)
    second.wait_for(40)
    assert second.seen() == list(range(100, 140))


@pytest.mark.parametrize("heir", ["log", "first.gz", "second.gz", "third"])
@pytest.mark.parametrize("read", [0, 20])
def test_after_a_restart_any_file_may_have_the_inode_of_a_known_one(
    read: int, heir: str, follow: Follow, log: LogWriter
) -> None:
    """File systems give numbers anew: what is read is known by its content."""
    log.write(read)
    following = follow(log.path)
    following.wait_for(read)
    (known,) = following.stop().copies()
    log.write(20)
    files = {"first.gz": pack(log.rotate())}
    log.write(50)
    files["second.gz"] = pack(log.rotate())
    log.write(10)
    files["third"] = log.rotate()
    log.write(5)
    files["log"] = log.path
    about = files[heir].stat()
    known.device, known.inode = about.st_dev, about.st_ino
    again = follow(log.path, register=Registry([known]))
    again.wait_for(85)
    again.wait(lambda: time.time() - log.path.stat().st_mtime > 1)
    assert sorted(again.seen()) == list(range(read + 1, read + 86))


def test_long_lines_and_lines_over_the_limit(follow: Follow, log: LogWriter) -> None:
    following = follow(log.path, record_limit=3_000_000)
    log.raw(line(1, 2_000_000))
    following.wait_for(1)
    log.raw(b"y" * 4_000_000)
    time.sleep(0.3)
    log.raw(b"\n" + line(2))
    following.wait_for(2)
    (rejected,) = following.others
    assert isinstance(rejected, Rejected)
    assert rejected.where.record == 2
    assert following.chunks[-1].first == 3
    again = follow(log.path, register=following.stop(), record_limit=3_000_000)
    log.raw(line(3))
    again.wait_for(1)
    assert (again.seen(), again.others, again.chunks[0].first) == ([3], [], 4)


def test_a_binary_file_is_left_out_once(follow: Follow, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(bytes(range(32)) * 100)
    following = follow(tmp_path / "a.log")
    following.wait(lambda: bool(following.others))
    time.sleep(0.3)
    assert [type(one) for one in following.others] == [Skipped]
