"""Every command in the documentation runs and ends well."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from k8sidx.backends.cluster.http.client import Cluster
from tests.demo import demo_lines
from tests.servers.cleaning import remove_all

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OTHERS = {"pip install .": "pyproject.toml"}
"""Commands that the suite itself is run by."""

CLUSTER = "https://search.example.com:9200"
"""The cluster of the examples: a real one stands in for it."""

RULE = """
title: Something was deleted
id: 7a1f0f4e-6a53-4b3c-9d70-5ad6ad7f5a0e
logsource: {product: kubernetes, service: audit}
detection:
  selection: {verb: delete}
  condition: selection
level: low
"""


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
            found += [(page.name, line.split("  #")[0].strip()) for line in lines]
    return found


def test_the_documentation_has_commands() -> None:
    assert len(commands()) > 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name: a log, the same compressed, a rule, a store."""
    folder = tmp_path_factory.mktemp("docs")
    lines = b"\n".join(demo_lines()) + b"\n"
    (folder / "audit.log").write_bytes(lines)
    (folder / "audit.log.gz").write_bytes(gzip.compress(lines, 1))
    (folder / "my-rule.yml").write_text(RULE)
    letters = folder / "k8sidx-store" / "dead-letter"
    letters.mkdir(parents=True)
    (letters / "1.jsonl").write_text("")
    run("k8sidx ship audit.log", folder)
    return folder


def run(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("page", "command"), commands())
def test_the_command_runs(
    page: str, command: str, place: Path, prefix: str, request: pytest.FixtureRequest
) -> None:
    if command in _OTHERS:
        assert (ROOT / _OTHERS[command]).exists()
        return
    if command.startswith("make "):
        assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    assert shutil.which(command.split()[0]) or command.startswith("k8sidx")
    environment = {}
    if CLUSTER in command:
        cluster: Cluster = request.getfixturevalue("opensearch")
        request.addfinalizer(lambda: remove_all(cluster, prefix))
        command, environment = command.replace(CLUSTER, cluster.url), {"K8SIDX_INDEX": prefix}
        if command.startswith("k8sidx hunt "):
            run(f"k8sidx ship --store {cluster.url} audit.log", place, **environment)
    if "--follow" in command:
        command = f"{command} & sleep 4; kill -TERM $!; wait $!"
    result = run(command, place, **environment)
    assert result.returncode == 0, result.stderr + result.stdout
    assert "Traceback" not in result.stderr


def test_the_readme_shows_what_the_command_prints(place: Path) -> None:
    blocks = _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    block = next(one for one in blocks if one.startswith("$ k8sidx hunt topn_user_by_agent -o csv"))
    shown = block.splitlines()[1:]
    printed = run("k8sidx hunt topn_user_by_agent -o csv", place).stdout.splitlines()
    assert printed[: len(shown)] == shown
