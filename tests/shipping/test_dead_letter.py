"""The dead-letter file is private, whole and named when it cannot be written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from k8sidx.errors import StoreError, Where
from k8sidx.events.records import Rejected
from k8sidx.shipping.dead_letter import DeadLetter

REJECTED = Rejected("a reason", Where("a.log", 7), b"secret")


def written(path: Path, rejected: Rejected = REJECTED) -> None:
    letter = DeadLetter(path)
    try:
        letter.add(rejected)
    finally:
        letter.close()


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_dead_letter_and_its_folder_are_private(tmp_path: Path) -> None:
    written(tmp_path / "new" / "dead.jsonl")
    assert mode_of(tmp_path / "new" / "dead.jsonl") == 0o600
    assert mode_of(tmp_path / "new") == 0o700


def test_dead_letter_makes_an_existing_file_private(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    path.write_text("")
    path.chmod(0o644)
    written(path)
    assert mode_of(path) == 0o600


def test_dead_letter_refuses_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine\n")
    link = tmp_path / "dead.jsonl"
    link.symlink_to(target)
    with pytest.raises(StoreError, match=r"dead\.jsonl cannot be written: it is a symbolic link"):
        written(link)
    assert target.read_text() == "mine\n"


def test_dead_letter_refuses_what_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="pipe cannot be written: it is not a regular file"):
        written(tmp_path / "pipe")


def test_dead_letter_begins_on_a_line_of_its_own_after_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    path.write_text('{"k8sidx": "dead-letter", "sou')
    written(path)
    written(path)
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    assert [json.loads(line)["raw"] for line in lines[1:]] == ["secret", "secret"]


def test_dead_letter_takes_any_reason_and_source(tmp_path: Path) -> None:
    rejected = Rejected("lone \ud800", Where("x\udcff.log", 1), b"\xff")
    written(tmp_path / "dead.jsonl", rejected)
    assert json.loads((tmp_path / "dead.jsonl").read_text())["reason"] == "lone ?"


def test_dead_letter_names_its_file_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    letter = DeadLetter(tmp_path / "dead.jsonl")
    letter.add(REJECTED)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"dead\.jsonl cannot be written: No space left on device"):
        letter.flush()
    with pytest.raises(StoreError, match=r"dead\.jsonl cannot be written: No space left on device"):
        letter.close()
