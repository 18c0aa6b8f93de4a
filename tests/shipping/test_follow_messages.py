"""A follower reports what it follows, and what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8sidx.shipping import input_stream
from k8sidx.shipping.input_stream import followed
from k8sidx.shipping.sources.follow.registry import Registry
from tests.building import event, write_log


def test_followed_reports_its_files_at_the_start(tmp_path: Path) -> None:
    for number in range(7):
        write_log(tmp_path / f"a{number}.log", [event()])
    messages: list[str] = []
    log, glob, missing = tmp_path / "a1.log", tmp_path / "*.log", tmp_path / "none-*.log"
    names = [str(log), str(glob), str(missing), str(tmp_path / "later.log")]
    followed(names, Registry(), 10_000, (), messages.append)
    assert messages[0] == f"following {log}"
    assert messages[1].startswith(f"following {glob}: {tmp_path / 'a0.log'}, ")
    assert messages[1].endswith(" and 2 more")
    assert messages[2] == f"following {missing}, which matches no file yet"
    assert messages[3] == f"following {tmp_path / 'later.log'}, which matches no file yet"


def test_followed_reports_again_and_again_what_matches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_stream, "REPORT_SECONDS", 0.1)
    log = write_log(tmp_path / "a.log", [event()])
    messages: list[str] = []
    missing = str(tmp_path / "none.log")
    with followed([str(log), missing], Registry(), 10_000, (), messages.append) as stream:
        for _ in stream.pieces:
            if len(messages) > 3:
                break
    assert set(messages[2:]) == {f"{missing} still matches no file"}
