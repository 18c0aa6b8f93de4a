"""The public Python API, by the examples of its page."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

import k8sidx.api
from k8sidx.api import Store, UsageError, load_hunts, open_store, query, run_hunts, ship
from tests.demo import demo_lines

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
_EXAMPLE = re.compile(r"^```python( no-run)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [(bool(skip), text) for skip, text in _EXAMPLE.findall(PAGE.read_text("utf-8"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the log of the demo."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "audit.log.gz").write_bytes(gzip.compress(b"\n".join(demo_lines()) + b"\n", 1))
    return folder


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    store = open_store(str(folder / "store"), create=True)
    report = ship([str(folder / "audit.log.gz")], store)
    assert report.read == report.indexed == 30_077
    return store


def test_page_examples_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "example"}
    for skip, text in EXAMPLES:
        code = compile(text, str(PAGE), "exec")
        if not skip:
            exec(code, names)  # noqa: S102 - examples of our own page
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "30077 30077 0 0"
    assert any(line.startswith("high ") for line in lines)
    assert "stats count(* by verb" not in lines[-1]
    assert lines[-1]


def test_page_names_every_function() -> None:
    text = PAGE.read_text("utf-8")
    functions = [name for name in k8sidx.api.__all__ if name[0].islower()]
    assert [name for name in functions if f"| `{name}` |" not in text] == []


def test_all_lists_only_names_that_exist() -> None:
    assert [name for name in k8sidx.api.__all__ if not hasattr(k8sidx.api, name)] == []
    assert sorted(k8sidx.api.__all__) == k8sidx.api.__all__


def test_open_store_raises_when_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(k8sidx.api.K8sidxError, match="there is no store yet"):
        open_store(str(tmp_path / "none"))


def test_load_hunts_leaves_out_activity_streams() -> None:
    hunts = load_hunts()
    assert len(hunts) > 100
    assert not any(hunt.stream for hunt in hunts)
    assert [hunt.id for hunt in load_hunts(["topn_user_agent"])] == ["topn_user_agent"]


def test_load_hunts_raises_for_an_unknown_id() -> None:
    with pytest.raises(UsageError, match="topn_user_agents"):
        load_hunts(["topn_user_agents"])


def test_run_hunts_returns_one_result_per_hunt(store: Store) -> None:
    hunts = load_hunts(["topn_user_agent", "topn_user_by_agent"])
    results = run_hunts(hunts, store)
    assert [result.hunt for result in results] == [hunt.id for hunt in hunts]
    assert all(result.rows for result in results)


def test_query_returns_rows_and_warnings(store: Store) -> None:
    result = query("stats count(*) as n", store)
    assert (result.columns, result.rows) == (("n",), [(30_077,)])
    warnings: list[str] = []
    query(
        "fields verb, strlen(requestURI) as n | filter n > 300", store, on_warning=warnings.append
    )
    assert warnings


def test_query_raises_when_the_text_is_not_valid(store: Store) -> None:
    with pytest.raises(UsageError):
        query("stats count(", store)
