"""Server distributions from Maven, kept unpacked in one folder per machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import filelock

DISTRIBUTION = {
    "opensearch": "org.opensearch.distribution.integ-test-zip:opensearch",
    "elasticsearch": "org.elasticsearch.distribution.integ-test-zip:elasticsearch",
}
"""What both projects publish for integration tests: their server with few modules."""

SECURITY_PLUGIN = "org.opensearch.plugin:opensearch-security"


class NoArtifact(Exception):
    """The distribution could not be fetched; the message says why."""


def cache_folder() -> Path:
    """The folder that is kept from run to run.

    Root runs the servers as ``nobody``, who reads nothing in root's home.
    """
    if os.environ.get("K8SIDX_TEST_CACHE"):
        folder = Path(os.environ["K8SIDX_TEST_CACHE"])
    elif os.geteuid() == 0:
        folder = Path("/var/tmp/k8sidx-test-servers")  # noqa: S108
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        folder = Path(cache) / "k8sidx" / "test-servers"
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise NoArtifact(f"{folder} belongs to another user; set K8SIDX_TEST_CACHE")
    return folder


def fetch(artifact: str, into: Path) -> Path:
    """Copy one artifact (``group:name:version:zip``) out of the Maven repository.

    :raises NoArtifact: without Maven, or when it fails.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise NoArtifact("no mvn on PATH to fetch it with")
    command = [maven, "-q", "-B", "dependency:copy", f"-Dartifact={artifact}"]
    command += [f"-DoutputDirectory={into}", "-Dmdep.useBaseVersion=true"]
    environment = {**os.environ, "MAVEN_OPTS": "-Xmx512m"}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    _, name, version, kind = artifact.split(":")
    fetched = into / f"{name}-{version}.{kind}"
    if made.returncode or not fetched.exists():
        reason = next((line for line in made.stdout.splitlines() if "ERROR" in line), "no answer")
        raise NoArtifact(f"mvn cannot fetch {artifact}: {reason[:300]}")
    return fetched


def server_home(product: str, version: str, *, plugins: tuple[str, ...] = ()) -> Path:
    """The unpacked server, fetched at the first call.

    :param plugins: Maven coordinates of plugins to unpack into it, a home of its own.
    :raises NoArtifact: when it cannot be had.
    """
    cache = cache_folder()
    suffix = "".join(f"+{plugin.split(':')[1]}" for plugin in plugins)
    home = cache / f"{product}-{version}{suffix}"
    with filelock.FileLock(str(cache / f"{home.name}.lock")):
        if home.exists():
            return home
        with tempfile.TemporaryDirectory(dir=cache, prefix="unpack-") as work:
            archive = fetch(f"{DISTRIBUTION[product]}:{version}:zip", Path(work))
            _unpack(archive, Path(work))
            made = Path(work) / f"{product}-{version}"
            for plugin in plugins:
                folder = made / "plugins" / plugin.split(":")[1]
                _unpack(fetch(f"{plugin}:zip", Path(work)), folder)
            _readable(made)
            made.rename(home)
    cache.chmod(0o755)
    return home


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        for entry in file.infolist():
            path = file.extract(entry, folder)
            if mode := entry.external_attr >> 16:
                Path(path).chmod(mode & 0o777)


def _readable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        execute = 0o111 if path.is_dir() or path.stat().st_mode & 0o100 else 0
        path.chmod(path.stat().st_mode | 0o444 | execute)
