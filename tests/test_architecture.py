"""The order of the rooms and the contents of the wheel."""

from __future__ import annotations

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "k8sidx"


def test_modules_are_short_enough_to_read() -> None:
    for path in set(PACKAGE.rglob("*.py")) - {
        PACKAGE / "events" / "fields" / "table.py"
    }:  # a table
        assert len(path.read_text("utf-8").splitlines()) <= 420, path


def test_the_wheel_holds_the_hunts_queries_mappings_and_dashboards(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in PACKAGE.rglob("*"):
        if path.suffix in (".py", ".yml", ".zst", ".cwli", ".lark"):
            assert path.relative_to(ROOT).as_posix() in names
    for folder in ("mappings", "dashboards"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                assert f"k8sidx/{path.relative_to(ROOT).as_posix()}" in names
    assert "k8sidx/py.typed" in names
