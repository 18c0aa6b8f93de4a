"""Activity streams, which run on request only."""

from __future__ import annotations

from typing import Any

import pytest

from k8sidx.cli.options import Level
from k8sidx.cli.selection import Selection, selected_hunts
from k8sidx.hunt.library.load import load_library

STREAMS = {hunt.id for hunt in load_library() if hunt.stream}


def test_every_activity_is_a_stream() -> None:
    activities = {hunt.id for hunt in load_library() if hunt.id.startswith("activity_")}
    assert len(activities) == 20
    assert activities <= STREAMS


@pytest.mark.parametrize(
    ("asked", "streams"),
    [
        ({"everything": True}, set()),
        ({"tags": ("t1610",)}, set()),
        ({"level": Level.LOW}, set()),
        ({"everything": True, "level": Level.INFORMATIONAL}, STREAMS),
        (
            {"level": Level.INFORMATIONAL, "tags": ("t1610",)},
            {"activity_deployment_created"},
        ),
        ({"names": ("activity_role_created",)}, {"activity_role_created"}),
    ],
)
def test_activity_streams_run_on_request(asked: dict[str, Any], streams: set[str]) -> None:
    assert {hunt.id for hunt in selected_hunts(Selection(**asked)) if hunt.stream} == streams
