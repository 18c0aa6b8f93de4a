"""The index templates and lifecycle policies are the same, and so is their version."""

from __future__ import annotations

from pathlib import Path

from tests.compat.running import kept
from tests.compat.setting_up import planned


def test_what_setup_asks_of_an_empty_cluster(tmp_path: Path) -> None:
    assert planned(tmp_path) == kept("setup")
