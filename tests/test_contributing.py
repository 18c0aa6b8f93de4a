"""Paths named in CONTRIBUTING.md and docs/design.md."""

from __future__ import annotations

import re

import pytest

from tests.test_architecture import PACKAGE, ROOMS, ROOT


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/design.md", "README.md"])
def test_paths_in_the_documentation_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    paths = set(re.findall(r"`((?:k8sidx|docs|tests|benchmarks)/[a-z0-9_/.]*)`", text))
    rooms = "|".join(ROOMS)
    paths |= {f"k8sidx/{path}" for path in re.findall(rf"`((?:{rooms})/[a-z0-9_/.]*)`", text)}
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert not missing, sorted(missing)


def test_contributing_draws_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    drawing = text.partition("```text\n")[2].partition("```")[0]
    for room in set(ROOMS) - {"__main__"}:
        name = f"{room}/" if (PACKAGE / room).is_dir() else f"{room}.py"
        assert name in drawing, name
