"""A state file that commit dfe4889 wrote is understood, and written the same way."""

from __future__ import annotations

from pathlib import Path

from tests.compat.following import LINES, MORE, append, fill, ship, template_of, write_logs
from tests.compat.running import kept


def test_what_was_shipped_is_not_read_again(tmp_path: Path) -> None:
    write_logs(tmp_path)
    fill(kept("state"), tmp_path)
    # Into another store, where every event would be new.
    assert ship(tmp_path, "other")["read"] == 0


def test_it_goes_on_behind_what_was_shipped(tmp_path: Path) -> None:
    write_logs(tmp_path)
    fill(kept("state"), tmp_path)
    append(tmp_path)
    counts = ship(tmp_path, "other")
    assert (counts["read"], counts["indexed"], counts["rejected"]) == (MORE, MORE, 0)
    assert template_of(tmp_path) == kept("state_after")


def test_the_same_is_written(tmp_path: Path) -> None:
    write_logs(tmp_path)
    assert ship(tmp_path, "store")["indexed"] == 2 * LINES
    assert template_of(tmp_path) == kept("state")
