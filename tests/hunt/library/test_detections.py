"""The table of detections names hunts of the library."""

from __future__ import annotations

import re
from pathlib import Path

from k8sidx.hunt.library.load import library_ids

PAGE = Path(__file__).parents[3] / "docs" / "detections.md"


def test_every_hunt_of_the_table_exists() -> None:
    names = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE.read_text("utf-8")))
    assert names
    assert names <= set(library_ids())
