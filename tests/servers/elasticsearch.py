"""How Elasticsearch is configured and started for tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.servers.java import Java

_NOT_FOR_TESTS = re.compile(r"-Xlog:gc|HeapDumpPath|HeapDumpOnOutOfMemoryError|ErrorFile")


NEEDED_MODULE = "jdk.jdi"
SETTINGS = {"xpack.security.enabled": "false"}
"""What a node is set to besides what both products are."""


def java_releases(version: str) -> tuple[int, int]:
    """Lowest and highest Java release."""
    return (17, 99) if version.startswith("8.") else (21, 99)


def configure(folder: Path, home: Path, java: Java, heap: str, *, full_jit: bool) -> None:
    """Write the configuration of a node, but for its settings."""
    for name in ("config/jvm.options.d", "data", "logs", "tmp", "repo"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    config = folder / "config"
    for name in ("log4j2.properties", "roles.yml", "users", "users_roles", "role_mapping.yml"):
        (config / name).write_bytes((home / "config" / name).read_bytes())
    options = (home / "config" / "jvm.options").read_text("utf-8").splitlines()
    kept = [line for line in options if not _NOT_FOR_TESTS.search(line)]
    own = [f"-Xms{heap}", f"-Xmx{heap}", "-XX:-AlwaysPreTouch"]
    if not java.has("jdk.incubator.vector"):
        kept = [line for line in kept if "jdk.incubator.vector" not in line]
    own += [] if full_jit else ["-XX:TieredStopAtLevel=1"]
    text = "\n".join(kept).replace("-XX:+UseG1GC", "-XX:+UseSerialGC")
    (config / "jvm.options").write_text(text + "\n", "utf-8")
    (config / "jvm.options.d" / "tests.options").write_text("\n".join(own) + "\n", "utf-8")


def command(folder: Path, home: Path, java: Java) -> tuple[list[str], Mapping[str, str]]:
    """The command line and the environment of a node."""
    environment = {
        "ES_JAVA_HOME": str(java.home),
        "ES_PATH_CONF": str(folder / "config"),
        "ES_TMPDIR": str(folder / "tmp"),
        "CLI_JAVA_OPTS": "-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    }
    return [str(home / "bin" / "elasticsearch")], environment
