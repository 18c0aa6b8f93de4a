"""Every command in the documentation runs and ends well."""

from __future__ import annotations

import ast
import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from k8sidx.backends.cluster.http.client import Cluster
from k8sidx.backends.embedded.store import EmbeddedStore
from k8sidx.cli import app
from k8sidx.shipping.pipeline import ShipOptions, ship
from k8sidx.shipping.sources.remote.address import parse_address
from k8sidx.shipping.sources.remote.open import is_remote
from tests.backends.cluster.shippers import Shape, fill
from tests.demo import DEMO, demo_lines
from tests.places import BERLIN, TRANSIT, write_database
from tests.servers.certificates import write_certificates

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
INTEGRATIONS = sorted((ROOT / "docs" / "integrations").glob("*.md"))
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ELSEWHERE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OTHERS = {"pip install .": "pyproject.toml"}
"""Commands that the suite itself is run by."""

CLUSTER = "https://search.example.com:9200"
"""The cluster of the examples: a real one stands in for it."""

LAST = 3_000
"""So many events of the demo's log are in the examples' log, and fewer in that of a cluster."""

LAST_ON_A_CLUSTER = 300

NAMED = (
    b"0c7035fb-25e2-4a90-991c-bf577d912183",
    b"192.0.2.10",
    b"befc77fb-",
    b'"erin"',
    b"dev-sandbox",
    b"shop/pods/cart-",
    b"2026-11-23T20:29:59",
)
"""What the examples ask for: the store has all such events of the demo's log, and the last ones."""

MOST_GENERATED = 2_000
"""Examples that generate more events generate so many here."""

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
def lines() -> list[bytes]:
    """The demo's log."""
    return demo_lines()


@pytest.fixture(scope="module")
def place(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name: a log, the same compressed, a rule, a store of more."""
    folder = tmp_path_factory.mktemp("docs")
    write_logs(folder, lines[-LAST:])
    for name, documents in by_shippers(lines[-20:]).items():
        (folder / name).write_bytes(b"\n".join(map(orjson.dumps, documents)) + b"\n")
    (folder / "my-rule.yml").write_text(RULE)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "k8sidx.toml").write_text('[notify.soc]\nurl = "syslog://127.0.0.1:514"\n')
    letters = folder / "k8sidx-store" / "dead-letter"
    letters.mkdir(parents=True)
    (letters / "1.jsonl").write_text("")
    earlier = [line for line in lines[:-LAST] if any(name in line for name in NAMED)]
    (folder / "stored.log").write_bytes(b"\n".join([*earlier, *lines[-LAST:]]) + b"\n")
    store = EmbeddedStore(folder / "k8sidx-store")
    ship([str(folder / "stored.log")], store, ShipOptions(processes=1))
    write_certificates(folder, ("tls",))
    for name in ("GeoLite2-City.mmdb", "GeoLite2-ASN.mmdb"):
        write_database(folder / name, {"198.51.100.0/24": BERLIN | TRANSIT})
    for given, name in (("ca.pem", "ca.crt"), ("tls.pem", "tls.crt"), ("tls-key.pem", "tls.key")):
        (folder / given).rename(folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        k8sidx("k8sidx hunt cluster_admin_binding --save")
    return folder


def write_logs(folder: Path, lines: list[bytes]) -> None:
    """Write the examples' log, and the same compressed."""
    text = b"\n".join(lines) + b"\n"
    (folder / "audit.log").write_bytes(text)
    (folder / "audit.log.gz").write_bytes(gzip.compress(text, 1))


@pytest.fixture(scope="module")
def small_place(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log for a cluster."""
    folder = tmp_path_factory.mktemp("cluster")
    write_logs(folder, lines[-LAST_ON_A_CLUSTER:])
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In that folder, with a home that is empty."""
    work_in(place, monkeypatch)
    return place


@pytest.fixture
def here_small(small_place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the folder with a log for a cluster, likewise."""
    work_in(small_place, monkeypatch)
    return small_place


def work_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "K8SIDX_STORE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def by_shippers(lines: list[bytes]) -> dict[str, list[dict[str, Any]]]:
    """Return events in the envelopes of shippers, by the name of the file in their examples."""
    texts = [line.decode() for line in lines]
    events: list[dict[str, Any]] = [orjson.loads(line) for line in lines]
    return {
        "fluent-bit.log": [{"date": 1795467600.5, "log": text, **event}
                           for text, event in zip(texts, events, strict=True)],
        "filebeat.ndjson": [{"@timestamp": "2030-01-01T00:00:00.000Z", "message": text,
                             "log": {"offset": 7, "file": {"path": "/var/log/audit.log"}},
                             "agent": {"type": "filebeat"}} for text in texts],
        "vector.ndjson": [{"file": "/var/log/audit.log", "host": "node-1", "source_type": "file",
                           "timestamp": "2030-01-01T00:00:00Z", "message": text} for text in texts],
        "logstash.ndjson": [{"@version": "1", "@timestamp": "2030-01-01T00:00:00.000Z",
                             "audit": event, "event": {"original": text}}
                            for text, event in zip(texts, events, strict=True)],
    }  # fmt: skip


def saved_id() -> str:
    """Return the id of a saved finding, for the ``ID`` of an example."""
    return next(iter(EmbeddedStore(Path("k8sidx-store")).findings().load()))


def k8sidx(command: str) -> str:
    """What the command prints, in this process."""
    arguments = [saved_id() if word == "ID" else word for word in shlex.split(command)[1:]]
    if arguments[0] == "generate" and "--events" in arguments:
        at = arguments.index("--events") + 1
        arguments[at] = str(min(MOST_GENERATED, int(arguments[at])))
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
    command: str,
    here_small: Path,
    opensearch: Cluster,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
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


def commands_elsewhere() -> list[tuple[str, str]]:
    """Return the commands of k8sidx in blocks that need a cloud or a service, with their page."""
    commands: dict[tuple[str, str], None] = {}
    for page in PAGES:
        for block in _ELSEWHERE.findall(page.read_text("utf-8")):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                parts = [part.strip() for part in re.split(r" \| | && | > ", line)]
                commands |= {(page.name, part): None for part in parts if part[:7] == "k8sidx "}
    return list(commands)


def test_a_command_that_needs_a_cloud_is_one_that_exists() -> None:
    group: Any = typer.main.get_command(app)
    clouds = (ROOT / "docs" / "clouds.md").read_text("utf-8")
    for page, command in commands_elsewhere():
        words = shlex.split(command.partition(" #")[0].replace("$(", "").replace(")", ""))[1:]
        node, context, path = group, group.make_context("k8sidx", [], resilient_parsing=True), []
        while hasattr(node, "commands"):
            path.append(words.pop(0))
            assert path[-1] in node.commands, (page, command)
            node = node.commands[path[-1]]
        try:
            parsed = node.make_context(path[-1], words, parent=context)
        except Exception as error:  # of click or of typer, for a wrong option or value
            raise AssertionError(f"{page}: {command}: {error}") from error
        for address in filter(is_remote, parsed.params.get("inputs") or []):
            for option in parse_address(address).options:
                assert f"`{option}`" in clouds, (page, command, option)


@pytest.mark.parametrize("page", INTEGRATIONS, ids=lambda page: page.stem)
def test_a_page_of_an_integration_has_its_parts_and_messages_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    if page.stem == "README":
        names = set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", text))
        assert names == {each.name for each in INTEGRATIONS} - {page.name}
        return
    assert "**Verify**" in text and "**Cannot be seen**" in text
    table = text.partition("| message | what to do |\n")[2]
    assert table.count("\n") > 1
    messages = [cell for line in table.splitlines() for cell in re.findall(r"^\| `([^`]+)` ", line)]
    assert not [message for message in messages if message not in printed_texts()]


@cache
def printed_texts() -> str:
    """Return all texts of the package, with ``…`` for what is inserted into them."""

    def of(node: ast.AST) -> Iterator[str]:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner.value
            elif isinstance(inner, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in inner.values
                )

    files = (ROOT / "k8sidx").rglob("*.py")
    return "\n".join(text for file in files for text in of(ast.parse(file.read_text("utf-8"))))


@pytest.mark.parametrize(("command", "file"), _OTHERS.items())
def test_what_runs_the_suite_itself_has_its_file(command: str, file: str) -> None:
    assert command in commands()
    assert (ROOT / file).exists()


def test_the_readme_shows_what_the_command_prints(here: Path) -> None:
    blocks = _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    block = next(one for one in blocks if one.startswith("$ k8sidx hunt topn_user_by_agent -o csv"))
    shown = block.splitlines()[1:]
    # The store of the README has the whole log.
    printed = k8sidx(f"k8sidx hunt topn_user_by_agent -o csv --input {DEMO}").splitlines()
    assert printed[: len(shown)] == shown


def test_contributing_names_existing_files() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(r"`((?:k8sidx|docs|tests|benchmarks)/[a-z0-9_/.]*)`", text)
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert not missing


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {*plain, *re.findall(r'<a (?:id|name)="([^"]+)"', text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
