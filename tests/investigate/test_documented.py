"""The commands of docs/investigate.md, with the same rows on every kind of store."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.shipping.pipeline import ship
from tests.cli.conftest import k8sidx
from tests.demo import demo_lines
from tests.servers.cleaning import remove_all
from tests.servers.fixtures import unique_prefix

PAGE = Path(__file__).parents[2] / "docs" / "investigate.md"
COMMANDS = [
    line.removeprefix("$ k8sidx ").split(" > ")[0]
    for line in re.findall(r"^\$ k8sidx .*$", PAGE.read_text("utf-8"), re.MULTILINE)
]
NAMES = (
    b"erin", b"dev-sandbox", b"legacy-app", b"node-debugger", b"frank", b"deployments/orders",
    b"192.0.2.10", b"/pods/cart-", b"ci:deployer", b"chroot",
)  # fmt: skip
"""Events that the page is about; of the others every thirtieth."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [
        line
        for number, line in enumerate(demo_lines())
        if number % 30 == 0 or any(name in line for name in NAMES)
    ]
    path = tmp_path_factory.mktemp("log") / "audit.log"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.fixture(scope="module")
def folder(log: Path) -> Path:
    store = EmbeddedStore(log.parent / "store")
    ship([str(log)], store)
    return store.path


@pytest.fixture(scope="module")
def index(opensearch: Cluster, log: Path) -> Iterator[list[str]]:
    prefix = unique_prefix()
    at = ["--store", opensearch.url, "--index", prefix]
    assert k8sidx("ship", log, *at, "-q").exit_code == 0
    opensearch.request("POST", f"/{prefix}*/_refresh")
    yield at
    remove_all(opensearch, prefix)


def test_the_page_has_ten_investigations() -> None:
    assert len(re.findall("^## ", PAGE.read_text("utf-8"), re.MULTILINE)) >= 10
    assert len(COMMANDS) >= 10


def answered(command: str, at: list[str]) -> Any:
    """Return the data that a command prints; the number of events read differs by store."""
    words = shlex.split(command)
    if "-o" not in words and words[0] not in ("show", "access"):
        words += ["-o", "json"]
    result = k8sidx(*words, *at)
    assert result.exit_code == 0, result.output
    if words[0] in ("show", "access"):
        return list(yaml.safe_load_all(result.stdout))
    if "timesketch" in words:
        return [json.loads(line) for line in result.stdout.splitlines()]
    document = json.loads(result.stdout)
    document.pop("read_one_by_one", None)
    document.pop("unread", None)
    return document


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_answers_alike_on_duckdb_and_opensearch(
    command: str, folder: Path, index: list[str]
) -> None:
    rows = answered(command, ["--store", str(folder)])
    assert rows
    if isinstance(rows, dict):
        assert max(len(value) for value in rows.values() if isinstance(value, list)) > 0
    assert answered(command, index) == rows
