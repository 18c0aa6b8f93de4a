"""The order of the rooms and the contents of the wheel."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "k8sidx"

ROOMS = (
    "errors",
    "compression",
    "events",
    "generate",
    "query",
    "backends",
    "shipping",
    "hunt",
    "insights",
    "investigate",
    "config_file",
    "config",
    "api",
    "show",
    "notify",
    "doctor",
    "mcp",
    "cli",
    "__main__",
)
"""From the ground up: a room imports from the rooms before it only."""

INDEPENDENT = {"shipping", "hunt", "insights"}
"""Rooms on one floor, which share only the rooms before them."""


def imports_of(path: Path) -> set[str]:
    """Modules of k8sidx that a file imports anywhere in it, relative to the package."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = {name.removeprefix("k8sidx.") for name in names if name.startswith("k8sidx.")}
    return {_module(name) for name in inside} - {"__version__"}


def _module(name: str) -> str:
    """The module that a dotted name lies in: the name without what is imported from it."""
    above = name.rpartition(".")[0]
    return above if (PACKAGE / Path(*above.split("."))).with_suffix(".py").is_file() else name


def room_of(module: str) -> str:
    """The room that a module lies in; the package itself holds the version alone."""
    return module.split(".")[0]


def test_every_module_imports_from_earlier_rooms_only() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if module == "__init__":
            assert not imports_of(path)
            continue
        room = room_of(module)
        assert room in ROOMS, f"{module} lies in no room"
        earlier = ROOMS[: ROOMS.index(room) + 1]
        wrong += [
            f"{module} imports {name}"
            for name in sorted(imports_of(path))
            if room_of(name) not in earlier
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", sorted(INDEPENDENT))
def test_rooms_on_one_floor_do_not_import_each_other(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        assert not {room_of(name) for name in imports_of(path)} & (INDEPENDENT - {room}), path


LANGUAGES = (
    "show.savedobjects.",
    "show.translate.",
    "cli.dashboards",
)
"""Modules that write the language of a backend, or talk to its dashboards, whatever the store."""


def backends_of(path: Path) -> set[str]:
    """The kinds of stores that a file imports from."""
    return {
        kind
        for name in imports_of(path)
        for kind in ("cluster", "embedded")
        if f"{name}.".startswith(f"backends.{kind}.")
    }


def test_the_kinds_of_stores_are_told_apart_where_stores_are_opened_only() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if module == "backends.open" or f"{module}.".startswith(LANGUAGES):
            continue
        own = set(module.split(".")[1:2]) if module.startswith("backends.") else set()
        wrong += [f"{module} imports from backends.{kind}" for kind in backends_of(path) - own]
    assert not wrong, "\n".join(wrong)


def test_an_import_is_seen_however_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import k8sidx.cli.ship\n"
        "from k8sidx.hunt.run import run_hunts\n"
        "from k8sidx import __version__, doctor\n"
        "def later() -> None:\n"
        "    from k8sidx.show import render\n"
    )
    assert imports_of(path) == {"cli.ship", "hunt.run", "doctor", "show.render"}


def test_modules_are_short_enough_to_read() -> None:
    for path in set(PACKAGE.rglob("*.py")) - {
        PACKAGE / "events" / "fields" / "table.py"
    }:  # a table
        assert len(path.read_text("utf-8").splitlines()) <= 420, path


def test_the_wheel_holds_the_hunts_queries_mappings_and_dashboards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8SIDX_CORE", "python")  # building it takes a minute
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in PACKAGE.rglob("*"):
        if path.suffix in (".py", ".yml", ".zst", ".cwli", ".lark", ".j2", ".css", ".js"):
            assert path.relative_to(ROOT).as_posix() in names
    for folder in ("mappings", "dashboards"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                assert f"k8sidx/{path.relative_to(ROOT).as_posix()}" in names
    assert "k8sidx/py.typed" in names
    assert all(name.startswith(("k8sidx/", "k8sidx-")) for name in names), "no tests, no docs"
    assert "k8sidx/show/render/templates/page.html.j2" in names
