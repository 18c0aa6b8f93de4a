"""Every command in the documentation runs and ends well."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.cli import app
from k8sidx.shipping.pipeline import ship
from tests.backends.cluster.shippers import Shape, fill
from tests.demo import DEMO, demo_lines
from tests.places import BERLIN, TRANSIT, write_database
from tests.servers.certificates import write_certificates

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OTHERS = {"pip install .": "pyproject.toml"}
"""Commands that the suite itself is run by."""

CLUSTER = "https://search.example.com:9200"
"""The cluster of the examples: a real one stands in for it."""

LAST = 5_000
"""So many events of the demo's log are in the examples' log; the store has all."""

RULE = """
title: Something was deleted
id: 7a1f0f4e-6a53-4b3c-9d70-5ad6ad7f5a0e
logsource: {product: kubernetes, service: audit}
detection:
  selection: {verb: delete}
  condition: selection
level: low
"""

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules: [{level: Metadata}]
"""


def commands() -> list[str]:
    """Those of all pages in their order, each once."""
    found: dict[str, None] = {}
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
            found |= dict.fromkeys(line.split("  #")[0].strip() for line in lines)
    return list(found)


UNTIL_IT_RUNS = "for _ in $(seq 300); do [ -s messages ] && break; sleep 0.2; done; sleep 1"
"""What waits for the first message of a command: on a loaded machine it takes a while."""


def of_a_shell(command: str) -> bool:
    """Whether it takes a shell and processes: a pipe, or something that does not end by itself."""
    plain = re.sub(r"'[^']*'", "", command)
    endless = "--follow" in command or is_receiver(command)
    return "|" in plain or endless or not command.startswith("k8sidx ")


def is_receiver(command: str) -> bool:
    """Whether it waits for requests."""
    return command.startswith("k8sidx serve") and "--print" not in command


K8SIDX = [one for one in commands() if not of_a_shell(one) and CLUSTER not in one]
ON_A_CLUSTER = [one for one in commands() if CLUSTER in one]
SHELL = [one for one in commands() if of_a_shell(one) and one not in _OTHERS]


def test_the_documentation_has_commands() -> None:
    assert len(K8SIDX) > 20
    assert len(ON_A_CLUSTER) > 5
    assert sum("k8sidx" in one for one in SHELL) > 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name: a log, the same compressed, a rule, a store of more."""
    folder = tmp_path_factory.mktemp("docs")
    text = b"\n".join(demo_lines()[-LAST:]) + b"\n"
    (folder / "audit.log").write_bytes(text)
    (folder / "audit.log.gz").write_bytes(gzip.compress(text, 1))
    (folder / "my-rule.yml").write_text(RULE)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "k8sidx.toml").write_text('[notify.soc]\nurl = "syslog://127.0.0.1:514"\n')
    letters = folder / "k8sidx-store" / "dead-letter"
    letters.mkdir(parents=True)
    (letters / "1.jsonl").write_text("")
    ship([str(DEMO)], EmbeddedStore(folder / "k8sidx-store"))
    write_certificates(folder, ("tls",))
    for name in ("GeoLite2-City.mmdb", "GeoLite2-ASN.mmdb"):
        write_database(folder / name, {"198.51.100.0/24": BERLIN | TRANSIT})
    for given, name in (("ca.pem", "ca.crt"), ("tls.pem", "tls.crt"), ("tls-key.pem", "tls.key")):
        (folder / given).rename(folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        k8sidx("k8sidx hunt cluster_admin_binding --save")
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In that folder, with a home that is empty."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    for name in ("XDG_CONFIG_HOME", "K8SIDX_STORE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return place


def saved_id() -> str:
    """Return the id of a saved finding, for the ``ID`` of an example."""
    return next(iter(EmbeddedStore(Path("k8sidx-store")).findings().load()))


def k8sidx(command: str) -> str:
    """What the command prints, in this process."""
    arguments = [saved_id() if word == "ID" else word for word in shlex.split(command)[1:]]
    if arguments[0] == "watch" and "--once" not in arguments:
        arguments.append("--once")  # it would not end by itself
    into = ""
    if ">" in arguments:
        *arguments, _, into = arguments
    result = CliRunner().invoke(app, arguments, prog_name="k8sidx")
    assert result.exit_code == 0, result.output
    if into:
        Path(into).write_bytes(result.stdout_bytes)
    return result.stdout


@pytest.mark.parametrize("command", K8SIDX)
def test_the_command_runs(command: str, here: Path) -> None:
    k8sidx(command)


@pytest.mark.parametrize("command", ON_A_CLUSTER)
def test_the_command_runs_on_a_cluster(
    command: str, here: Path, opensearch: Cluster, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8SIDX_INDEX", prefix)
    if any(word in command for word in ("k8sidx hunt ", "--secrets", "--redact-existing")):
        k8sidx(f"k8sidx ship --store {opensearch.url} audit.log")
    if "/filebeat-" not in command:
        k8sidx(command.replace(CLUSTER, opensearch.url))
        return
    index = f"filebeat-{prefix}"
    fill(opensearch, index, [{"message": line.decode()} for line in demo_lines()[-9:]], Shape(dict))
    try:
        k8sidx(command.replace(CLUSTER, opensearch.url))
    finally:
        opensearch.request("DELETE", f"/{index}")


@pytest.mark.parametrize("command", SHELL)
def test_the_shell_runs_the_command(command: str, here: Path) -> None:
    program, _, rest = command.partition(" ")
    if program == "make":
        assert re.search(rf"^{rest.split()[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    assert shutil.which(program) or program == "k8sidx"
    if "--follow" in command or is_receiver(command):
        command = f"{command} 2>messages & {UNTIL_IT_RUNS}; kill -TERM $!; wait $!"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    messages = here / "messages"
    stderr = result.stderr + (messages.read_text("utf-8") if messages.exists() else "")
    messages.unlink(missing_ok=True)
    assert result.returncode == 0, stderr + result.stdout
    assert "Traceback" not in stderr


@pytest.mark.parametrize(("command", "file"), _OTHERS.items())
def test_what_runs_the_suite_itself_has_its_file(command: str, file: str) -> None:
    assert command in commands()
    assert (ROOT / file).exists()


def test_the_readme_shows_what_the_command_prints(here: Path) -> None:
    blocks = _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    block = next(one for one in blocks if one.startswith("$ k8sidx hunt topn_user_by_agent -o csv"))
    shown = block.splitlines()[1:]
    printed = k8sidx("k8sidx hunt topn_user_by_agent -o csv").splitlines()
    assert printed[: len(shown)] == shown


def test_contributing_names_existing_files() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(r"`((?:k8sidx|docs|tests|benchmarks)/[a-z0-9_/.]*)`", text)
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert not missing
