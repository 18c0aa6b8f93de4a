"""Emulators of cloud services; each is started by the first test that needs it.

AWS is moto's server (PyPI), Azure Storage is Azurite (npm), and Kafka is its own broker (Maven).
What is fetched is kept in the folder of the other servers. Helm and Alertmanager, Go modules, take
minutes to build: ``make test-tools`` does it once; without them their tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import filelock
import pytest

from tests.servers.artifacts import cache_folder
from tests.servers.node import free_port

AZURITE = "3.35.0"
KAFKA = "4.1.1"
HELM = "helm.sh/helm/v3/cmd/helm@v3.19.2"
ALERTMANAGER = "github.com/prometheus/alertmanager/cmd/alertmanager@v0.28.1"
"""Later modules have no built user interface in them, without which they do not compile."""
GO_TOOLS = (HELM, ALERTMANAGER)
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The published account of every emulator of Azure Storage; not a secret."""
_START_SECONDS = 180


_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>k8sidx</groupId><artifactId>kafka-broker</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version>
</dependency></dependencies>
</project>
"""


class NoEmulator(Exception):
    """It cannot be had here; the message has the reason."""


def kafka_home() -> Path:
    """Return the folder with the jars of a Kafka broker.

    :raises NoEmulator: without Maven, or when they cannot be fetched.
    """
    maven = shutil.which("mvn")
    if maven is None or shutil.which("java") is None:
        raise NoEmulator("no mvn and java on PATH to fetch and run a Kafka broker with")
    folder = cache_folder() / f"kafka-{KAFKA}"
    with filelock.FileLock(f"{folder}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpack-") as work:
                project = Path(work, "pom.xml")
                project.write_text(_POM, "utf-8")
                command = [maven, "-q", "-B", "-f", str(project), "dependency:copy-dependencies"]
                command += [f"-DoutputDirectory={work}/jars", "-DincludeScope=runtime"]
                made = subprocess.run(command, capture_output=True, text=True, check=False)
                if made.returncode:
                    raise NoEmulator(f"mvn cannot fetch Kafka: {made.stdout[-300:]}")
                Path(work, "jars").rename(folder)
    return folder


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """Run a Kafka broker, which is its own controller; its address."""
    home = kafka_home()
    port, controller = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(
        "process.roles=broker,controller\nnode.id=1\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
        f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n"
        "controller.listener.names=CONTROLLER\n"
        f"log.dirs={folder / 'logs'}\n"
        "offsets.topic.num.partitions=1\noffsets.topic.replication.factor=1\n"
        "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
        "group.initial.rebalance.delay.ms=0\n",
        "utf-8",
    )
    java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
    java += ["-cp", f"{home}/*"]
    format_ = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"]
    subprocess.run([*java, *format_, str(settings)], check=True, capture_output=True)
    with running([*java, "kafka.Kafka", str(settings)], port, folder / "kafka.log"):
        yield f"127.0.0.1:{port}"


def go_tool(module: str) -> Path:
    """Return the command that a Go module builds: on PATH, or as ``make test-tools`` has built it.

    :param module: ``path@version``.
    :raises NoEmulator: when it is not there.
    """
    path, _, version = module.partition("@")
    name = next(part for part in reversed(path.split("/")) if not part.lstrip("v").isdigit())
    built = cache_folder() / "go" / version / name
    if built.exists():
        return built
    installed = shutil.which(name)
    if installed is None:
        raise NoEmulator(f"no {name} on PATH; make test-tools builds {module}")
    return Path(installed)


def build_go_tools() -> None:
    """Build the commands that tests use, each once."""
    for module in GO_TOOLS:
        with suppress(NoEmulator):
            go_tool(module)
            continue
        folder = cache_folder() / "go" / module.partition("@")[2]
        environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-buildvcs=false"}
        subprocess.run(["go", "install", module], env=environment, check=True)


def azurite() -> Path:
    """Return the folder of Azurite's services.

    :raises NoEmulator: without Node.js, or when it cannot be fetched.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoEmulator("no npm and node on PATH to fetch and run Azurite with")
    folder = cache_folder() / f"azurite-{AZURITE}"
    with filelock.FileLock(f"{folder}.lock"):
        if not (folder / "node_modules" / "azurite").exists():
            command = [npm, "install", "--silent", "--no-audit", "--no-fund"]
            command += ["--prefix", str(folder), f"azurite@{AZURITE}"]
            fetched = subprocess.run(command, capture_output=True, text=True, check=False)
            if fetched.returncode:
                raise NoEmulator(f"npm cannot fetch Azurite: {fetched.stderr[-300:]}")
    return folder / "node_modules" / "azurite" / "dist" / "src"


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """Run a server until the block ends.

    :param port: is open once it is ready.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + _START_SECONDS
        while not _is_open(port):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{command[0]} does not start: {log.read_text('utf-8')[-500:]}")
            time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def azurite_service(name: str, folder: Path) -> Iterator[str]:
    """Run one of Azurite's services, ``blob`` or ``queue``; the address of its account."""
    port = free_port()
    command = ["node", str(azurite() / name / "main.js"), "--silent", "--inMemoryPersistence"]
    command += [f"--{name}Port", str(port), "--skipApiVersionCheck", "--disableTelemetry"]
    with running(command, port, folder / f"{name}.log"):
        yield f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"


@contextmanager
def alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    """Run Alertmanager, which notifies a webhook of each alert at once; its address.

    :raises NoEmulator: when it is not there.
    """
    program, port = go_tool(ALERTMANAGER), free_port()
    settings = folder / "alertmanager.yml"
    settings.write_text(
        "route: {receiver: pager, group_by: ['...'], group_wait: 0s, group_interval: 1m}\n"
        f"receivers: [{{name: pager, webhook_configs: [{{url: '{receiver}'}}]}}]\n",
        "utf-8",
    )
    command = [str(program), f"--config.file={settings}", f"--storage.path={folder / 'alerts'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with running(command, port, folder / "alertmanager.log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """Run an HTTP server that answers every request in the same way; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    build_go_tools()
