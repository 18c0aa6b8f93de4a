"""Hunts of the library that were read before are those that their documents contain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library import compiled
from k8sidx.hunt.library.compiled import keep_compiled, read_compiled
from k8sidx.hunt.library.load import load_library
from k8sidx.hunt.lists import SHIPPED, Lists

LIBRARY = load_library()
HUNT = LIBRARY[0]
TEXT = "title: …"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "k8sidx" / "hunts"


def test_every_hunt_is_the_same_afterwards() -> None:
    for hunt in LIBRARY:
        keep_compiled(hunt, hunt.id, SHIPPED)
        kept = read_compiled(hunt.id, hunt.id, SHIPPED)
        assert kept == hunt
        assert type(kept) is type(hunt)
        assert repr(kept) == repr(hunt)
        assert hash(kept.condition) == hash(hunt.condition)


def test_a_hunt_is_read_again_when_its_document_the_lists_or_the_code_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep_compiled(HUNT, TEXT, SHIPPED)
    assert read_compiled(HUNT.id, TEXT + "\n", SHIPPED) is None
    assert read_compiled(HUNT.id, TEXT, Lists({"ci_users": ["ci"]})) is None
    monkeypatch.setattr(compiled, "_code", lambda: "other")
    assert read_compiled(HUNT.id, TEXT, SHIPPED) is None


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _opened(path: Path) -> None:
    path.chmod(0o622)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("change", [_cut, _opened, _emptied, Path.unlink])
def test_a_file_that_is_damaged_or_that_others_may_write_is_not_used(
    folder: Path, change: Callable[[Path], None]
) -> None:
    keep_compiled(HUNT, TEXT, SHIPPED)
    [path] = folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    change(path)
    assert read_compiled(HUNT.id, TEXT, SHIPPED) is None


@pytest.mark.parametrize("name", ["os:system", "k8sidx.errors:Where.__init__", "k8sidx.cli:app",
                                  "k8sidx.nothing:Hunt"])  # fmt: skip
def test_only_data_classes_of_k8sidx_are_made(name: str) -> None:
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(["object", name]))
    with pytest.raises(compiled.Unknown):
        compiled._unpacked(packed)


def test_a_former_version_of_a_hunt_is_removed(folder: Path) -> None:
    for text in (TEXT, TEXT * 2):
        keep_compiled(HUNT, text, SHIPPED)
    assert len(list(folder.iterdir())) == 1


def test_without_a_folder_to_write_to_hunts_are_read_as_before(folder: Path) -> None:
    folder.parent.parent.mkdir(exist_ok=True)
    folder.parent.write_text("a file in the way")
    keep_compiled(HUNT, TEXT, SHIPPED)
    kept: Hunt | None = read_compiled(HUNT.id, TEXT, SHIPPED)
    assert kept is None
