"""Inputs on the command line → sources."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from k8sidx.errors import UsageError
from k8sidx.shipping.sources.files.inputs import Source, expand


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a/2.log, a/b/1.log.gz and z.log, which is also the working folder."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "2.log").write_bytes(b"22")
    (tmp_path / "a" / "b" / "1.log.gz").write_bytes(b"1")
    (tmp_path / "z.log").write_bytes(b"zzz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*inputs: str) -> list[str]:
    return [Path(source.name).as_posix() for source in expand(inputs)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["z.log"], ["z.log"]),
        (["z.log", "a/2.log"], ["z.log", "a/2.log"]),
        (["a"], ["a/2.log", "a/b/1.log.gz"]),
        (["."], ["z.log", "a/2.log", "a/b/1.log.gz"]),
        (["a/*.log"], ["a/2.log"]),
        (["**/*.gz"], ["a/b/1.log.gz"]),
        (["a/*"], ["a/2.log", "a/b/1.log.gz"]),
        (["?.log"], ["z.log"]),
        (["-"], ["-"]),
        (["z.log", "./z.log", "*.log", "-", "-"], ["z.log", "-"]),
    ],
)
def test_inputs_are_expanded(logs: Path, given: list[str], found: list[str]) -> None:
    assert names(*given) == found


def test_a_source_knows_its_size_and_opens_its_bytes(logs: Path) -> None:
    (source,) = expand(["z.log"])
    assert source == Source("z.log", 3)
    with source.open() as stream:
        assert stream.read() == b"zzz"


def test_a_link_to_a_file_that_is_named_too_is_read_once(logs: Path) -> None:
    (logs / "link.log").symlink_to(logs / "z.log")
    assert names("link.log", "z.log") == ["link.log"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(logs: Path) -> None:
    (logs / "[1].log").touch()
    assert names("[1].log") == ["[1].log"]


def test_a_pipe_in_a_folder_is_not_read(logs: Path) -> None:
    os.mkfifo(logs / "a" / "pipe")
    assert names("a") == ["a/2.log", "a/b/1.log.gz"]


def test_a_pipe_that_is_named_is_read_and_has_no_size(logs: Path) -> None:
    os.mkfifo(logs / "pipe")
    assert expand(["pipe"]) == [Source("pipe", None)]


def test_a_folder_without_files_is_an_error(logs: Path) -> None:
    (logs / "empty" / "below").mkdir(parents=True)
    with pytest.raises(UsageError, match="no file to read in the folder empty") as caught:
        expand(["empty"])
    assert "Name the folder" in caught.value.remedy


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone.log", "there is no file gone.log"),
        ("*.json", "no file matches"),
        ("s3://bucket/key", "is an address"),
    ],
)
def test_what_is_missing_is_named_with_a_remedy(logs: Path, given: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        expand([given])
    assert caught.value.remedy


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="whoever runs this may read everything"
)
def test_a_file_that_may_not_be_read_is_named(logs: Path) -> None:
    (logs / "z.log").chmod(0)
    with pytest.raises(UsageError, match=r"z\.log cannot be read: permission denied"):
        expand(["."])


def test_a_file_that_is_gone_when_it_is_opened_is_named(logs: Path) -> None:
    (source,) = expand(["z.log"])
    (logs / "z.log").unlink()
    with pytest.raises(UsageError, match=r"z\.log cannot be read"), source.open():
        pass
