"""Events keep their ids and all that is stored of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.building import SHARED
from tests.compat.running import kept
from tests.compat.shipping import COLUMNS_OF, FOLDERS, columns, inputs, shipped


@pytest.mark.parametrize(
    "group",
    [
        "demo",
        *(
            pytest.param(
                folder,
                marks=pytest.mark.skipif(
                    not (SHARED / "data" / folder).is_dir(), reason="no shared data here"
                ),
            )
            for folder in FOLDERS
        ),
    ],
)
def test_what_is_stored_of_a_log(group: str, tmp_path: Path) -> None:
    then: dict[str, Any] = kept("event_ids")[group]
    now, columns_now = {}, {}
    for number, (name, path) in enumerate(inputs(group).items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        now[name] = shipped(path, folder)
        if name in COLUMNS_OF:
            columns_now[name] = columns(folder / "store")
    for name, digests in columns_now.items():
        assert digests == kept("columns")[name], f"{name}: columns with other values"
    assert now.keys() == then.keys(), "other files lie there now; see make.py"
    changed = {name: (then[name], one) for name, one in now.items() if one != then[name]}
    assert not changed, "name: (then, now)"
