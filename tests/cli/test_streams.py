"""Activity streams tell what goes on; they run when they are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from k8sidx.cli.options import Level
from k8sidx.cli.selection import Selection, selected_hunts
from k8sidx.hunt import library
from k8sidx.hunt.definition import Hunt
from tests.hunt.hunting import sigma

STREAM = replace(
    sigma("{s: {verb: create}, condition: s}", more="level: informational\nk8sidx: {stream: true}"),
    id="activity",
    tags=("attack.t1609",),
)
OTHER = replace(STREAM, id="other", stream=False)


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    hunts: list[Hunt] = [STREAM, OTHER]
    monkeypatch.setattr(library, "load_library", lambda *_: hunts)
    monkeypatch.setattr(library, "load_hunts", lambda names, *_: [STREAM] if names else [])


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"everything": True}, ["other"]),
        ({"tags": ("t1609",)}, ["other"]),
        ({"level": Level.LOW}, []),
        ({"everything": True, "level": Level.INFORMATIONAL}, ["activity", "other"]),
        ({"level": Level.INFORMATIONAL, "tags": ("t1609",)}, ["activity", "other"]),
        ({"names": ("activity",)}, ["activity"]),
    ],
)
def test_streams_run_when_they_are_asked_for(asked: dict[str, Any], ids: list[str]) -> None:
    assert [hunt.id for hunt in selected_hunts(Selection(**asked))] == ids


def test_the_document_says_whether_it_is_a_stream() -> None:
    assert STREAM.stream
    assert not sigma("{s: {verb: create}, condition: s}").stream
