"""Data flows left to right: a module imports from its left only; the wheel holds everything."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "k8sidx"

MAY_IMPORT = {
    "errors": set[str](),
    "fields": {"errors"},
    "query": {"errors", "fields"},
    "sources": {"errors", "decode.record"},
    "decode": {"errors", "sources"},
    "normalize": {"errors", "fields", "decode"},
    "cluster": {"errors", "fields", "decode", "normalize", "query", "engine", "store.summary"},
    "store": {"errors", "fields", "decode", "normalize", "cluster", "engine"},
    "engine": {"errors", "fields", "normalize.identity", "query", "store", "cluster"},
    "hunt": {"errors", "fields", "query", "engine"},
    "translate": {
        "errors",
        "fields",
        "query",
        "hunt",
        "engine",
        "cluster.profile",
        "normalize.actor",
        "normalize.objects",
    },
    "insights": {
        "errors",
        "fields",
        "query",
        "engine",
        "normalize.identity",
        "normalize.whole",
    },
    "panels": {"errors", "fields", "query", "hunt", "engine.protocol", "engine.result"},
    "savedobjects": {"errors", "fields", "query", "panels", "cluster", "engine.search_conditions"},
    "findings": {
        "errors",
        "fields",
        "hunt",
        "engine.result",
        "normalize.identity",
        "cluster",
        "store",
    },
    "shipping": {"errors", "fields", "sources", "decode", "normalize", "store", "cluster"},
    "generate": {"errors"},
    "render": {"errors", "engine.result", "hunt", "shipping", "decode.record", "panels"},
    "queries": {"errors"},
    "prompt": {"errors", "fields", "query", "engine.result", "insights", "render.escape"},
}


def imports_of(path: Path) -> set[str]:
    """Modules of k8sidx that a file imports, relative to the package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("k8sidx."):
            found.add((node.module or "").removeprefix("k8sidx."))
    return found


@pytest.mark.parametrize("stage", MAY_IMPORT)
def test_a_stage_imports_from_its_left(stage: str) -> None:
    files = [PACKAGE / f"{stage}.py"] if (PACKAGE / f"{stage}.py").exists() else []
    files += sorted((PACKAGE / stage).glob("*.py"))
    for path in files:
        for module in imports_of(path):
            allowed = {stage, *MAY_IMPORT[stage]}
            assert any(module == one or module.startswith(f"{one}.") for one in allowed), (
                f"{path.name} imports {module}"
            )


def test_modules_are_short_enough_to_read() -> None:
    for path in set(PACKAGE.rglob("*.py")) - {PACKAGE / "fields" / "table.py"}:  # a table
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
